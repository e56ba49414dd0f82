//! What both drivers say.

use std::error::Error;

/// Why a statement failed, without words around it that say the same again.
pub(in crate::store) fn reason(error: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match error {
        sqlx::Error::Database(reason) => reason.into_error(),
        sqlx::Error::Io(reason) => reason.into(),
        sqlx::Error::Tls(reason) => reason,
        other => other.into(),
    }
}
