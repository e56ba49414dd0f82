//! Values that are never printed.

use std::fmt;
use zeroize::Zeroize;

/// A value without a printable form: `Debug` shows `[secret]`, there is no `Display` and no
/// `Serialize`, and its memory is overwritten when it is dropped.
///
/// ```
/// use tower_auth::Secret;
///
/// let key = Secret::new(String::from("egret_7Zk…"));
/// assert_eq!(format!("{key:?}"), "[secret]");
/// assert_eq!(key.expose(), "egret_7Zk…");
/// ```
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself. Whoever calls this answers for where it goes.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}
