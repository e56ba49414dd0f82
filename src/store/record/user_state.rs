/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserState {
    /// They may.
    Active,
    /// They are refused as if there were no such user, until they are active again.
    Disabled,
    /// They are gone. What is left is an id that stays taken, and counts as disabled for ever.
    Removed,
}
