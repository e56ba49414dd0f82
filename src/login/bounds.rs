/// The longest name to sign in by, in bytes.
#[cfg(feature = "basic")]
pub(crate) const LONGEST_NAME: usize = 254;

/// The longest password that is looked at, in bytes of its one form: none is cut, a longer one is
/// refused before it is hashed.
pub(crate) const LONGEST_PASSWORD: usize = 1024;

/// The longest password that its one form is made of, in bytes, as somebody types it. Letters that
/// are typed in parts become shorter there, but nothing becomes shorter than a quarter: what is
/// longer is too long in its form as well, and costs nobody the work of making that.
pub(crate) const LONGEST_TYPED_PASSWORD: usize = 4 * LONGEST_PASSWORD;
