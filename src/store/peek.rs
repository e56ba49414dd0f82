use std::sync::Arc;

/// The synchronous first answer to a look-up: memory has the record, or the store has to be asked.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Peek<T> {
    /// There is such a record, and this is its present state.
    Found(Arc<T>),
    /// There is no such record.
    Absent,
    /// Memory cannot tell: ask the asynchronous method.
    Ask,
}
