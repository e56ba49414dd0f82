/// The longest name to sign in by, in bytes.
#[cfg(feature = "basic")]
pub(crate) const LONGEST_NAME: usize = 254;

/// The longest password that is looked at, in bytes: none is cut, a longer one is refused before it
/// is hashed.
pub(crate) const LONGEST_PASSWORD: usize = 1024;
