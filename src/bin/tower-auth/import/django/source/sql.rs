use crate::failure::Failure;

/// A name of a table or a column in SQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

pub(super) fn unreadable(error: sqlx::Error) -> Failure {
    Failure::failed(format!("The database of Django cannot be read: {error}."))
}
