use super::TakenRights;
use std::sync::Arc;

/// What became of a user since credentials were made for them: what each of these is judged by on
/// every request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Account {
    /// Nothing was taken from it. So is that of a subject who never was a user.
    Whole,
    /// These rights were taken from the user, and not given back: no key and no token has them.
    Reduced(Arc<TakenRights>),
    /// The user was disabled or removed: no credential is good.
    Closed,
    /// Memory cannot tell: ask the asynchronous method, which never says this.
    Ask,
}
