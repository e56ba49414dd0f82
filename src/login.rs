//! Names and passwords as people type them.

#[cfg(feature = "basic")]
use crate::secret::Secret;
#[cfg(feature = "basic")]
use std::borrow::Cow;

/// The longest name to sign in by, in bytes.
#[cfg(feature = "basic")]
pub(crate) const LONGEST_NAME: usize = 254;

/// The longest password that is looked at, in bytes: none is cut, a longer one is refused before it
/// is hashed.
pub(crate) const LONGEST_PASSWORD: usize = 1024;

/// Somebody says who they are.
#[cfg(feature = "basic")]
#[derive(Clone, Copy)]
pub(crate) struct SignIn<'a> {
    pub(crate) name: &'a str,
    pub(crate) password: &'a Secret<String>,
}

/// An email address in lower case; any other name as it is.
#[cfg(feature = "basic")]
pub(crate) fn normal(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b == b'@')
        && name.chars().any(|c| !c.is_lowercase() && c.is_alphabetic())
    {
        Cow::Owned(name.to_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
