//! What is printed: results to stdout, as a table or as lines of JSON, and words to stderr.

mod console;
mod form;
mod list;
mod record;
mod text;

pub(crate) use console::Console;
pub(crate) use list::List;
pub(crate) use record::Record;
pub(crate) use text::{note, printable};
