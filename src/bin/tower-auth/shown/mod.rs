//! What is printed of the records of a store: names that do not change, no secret.

mod audit;
mod key;
mod subject;
mod time;
mod user;

pub(crate) use audit::AuditShown;
pub(crate) use key::KeyShown;
pub(crate) use subject::SubjectShown;
pub(crate) use time::Time;
pub(crate) use user::UserShown;
