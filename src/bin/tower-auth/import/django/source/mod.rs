//! The database of Django, read a page at a time; whatever it is, values are texts.

mod mysql_dump;
mod row;
mod source;
mod sql;
mod sql_text;
mod statements;

pub(super) use row::Row;
pub(super) use source::{Place, Source};
