/// How the command ends. Scripts tell these apart: the numbers do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was done.
    Done = 0,
    /// It failed for a reason that no other number has, or `doctor` found a fault.
    Failed = 1,
    /// The arguments, the environment or what was read cannot be used; nothing has changed.
    Usage = 2,
    /// There is no such user, key or token; nothing has changed.
    NotFound = 3,
    /// It is there already, or is taken; nothing has changed.
    AlreadyThere = 4,
    /// The store does not answer.
    Unreachable = 5,
    /// The tables of the store are missing, or are those of an earlier release.
    NotMigrated = 6,
}

/// What `--help` says of them.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0  It was done.
  1  It failed, or `doctor` found a fault.
  2  The arguments, the environment or the input cannot be used; nothing has changed.
  3  There is no such user, key or token; nothing has changed.
  4  It is there already, or the name is taken; nothing has changed.
  5  The store does not answer.
  6  The tables are missing or of an earlier release: run `tower-auth migrate`.";
