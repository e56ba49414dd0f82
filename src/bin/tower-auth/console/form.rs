/// For whom results are printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Table,
    /// For scripts: an object of JSON on each line.
    Json,
}
