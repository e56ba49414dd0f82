/// The synchronous first answer to a question of yes or no: memory knows, or the store has to be
/// asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// It is so.
    Yes,
    /// It is not.
    No,
    /// Memory cannot tell: ask the asynchronous method.
    Ask,
}

impl From<bool> for Known {
    fn from(is_so: bool) -> Self {
        if is_so { Self::Yes } else { Self::No }
    }
}
