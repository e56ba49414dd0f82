use crate::store::{StoreError, StoreErrorKind};
use sqlx::sqlite::SqliteConnectOptions;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The file that a URL names, in the forms that sqlx takes:
///
/// ```text
/// sqlite:PATH  sqlite://PATH     made where there is none
///              …?mode=rwc        the same, said
///              …?mode=rw         must be there
/// ```
///
/// In PATH, `%3F` is a question mark and `%25` a percent sign.
#[derive(Debug)]
pub(super) struct Url {
    pub(super) path: PathBuf,
    pub(super) is_made: bool,
}

impl Url {
    pub(super) fn parse(url: &str) -> Result<Self, StoreError> {
        let (file, parameters) = match url.split_once('?') {
            Some((file, parameters)) => (file, parameters),
            None => (url, ""),
        };
        let file = SqliteConnectOptions::from_str(file).map_err(invalid)?;
        let mut is_made = true;
        for parameter in parameters
            .split('&')
            .filter(|parameter| !parameter.is_empty())
        {
            match parameter {
                "mode=rwc" => is_made = true,
                "mode=rw" => is_made = false,
                // A store that can only be read (`mode=ro`) could keep nothing, and the one in
                // memory (`mode=memory`) is `memory:`.
                _ => return Err(invalid("sqlite:PATH takes ?mode=rwc or ?mode=rw alone")),
            }
        }
        Ok(Self {
            path: file.get_filename().to_owned(),
            is_made,
        })
    }
}

/// SQLite would take some texts for something else than a path: a URL, a database in memory, or one
/// that ends with its connection.
pub(super) fn check_path(path: &Path) -> Result<(), StoreError> {
    let text = path.as_os_str().to_string_lossy();
    if text.is_empty() {
        return Err(invalid("the path of the file is empty"));
    }
    if text == ":memory:" || text.starts_with("file:sqlx-in-memory") {
        // Each connection would have a database of its own.
        return Err(invalid("use store::Memory"));
    }
    if text.starts_with("sqlite:") || text.starts_with("file:") {
        return Err(invalid(
            "this is a URL and not a path: Store::connect takes sqlite:PATH",
        ));
    }
    Ok(())
}

fn invalid(why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::because(StoreErrorKind::Invalid, why)
}
