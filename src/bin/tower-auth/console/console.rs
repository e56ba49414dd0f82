use super::form::Form;
use super::record::json_line;
use super::{Record, note, printable};
use crate::failure::Failure;
use serde::Serialize;
use std::io::{self, Write};

/// Where the results of a command go, and in which form.
#[derive(Clone, Copy)]
pub(crate) struct Console {
    form: Form,
}

impl Console {
    pub(crate) fn new(is_json: bool) -> Self {
        let form = if is_json { Form::Json } else { Form::Table };
        Self { form }
    }

    /// Prints a record by itself, a line for each of its details.
    pub(crate) fn show<R: Record>(self, record: &R) -> Result<(), Failure> {
        match self.form {
            Form::Json => self.json(record),
            Form::Table => self.print(&details(&record.details())),
        }
    }

    /// Prints a sentence for people, or the record for scripts.
    pub(crate) fn say(self, sentence: &str, record: &impl Serialize) -> Result<(), Failure> {
        match self.form {
            Form::Json => self.json(record),
            Form::Table => self.print(&format!("{}\n", printable(sentence))),
        }
    }

    /// Prints a text of several lines as it is, or the record that holds it.
    pub(crate) fn text(self, text: &str, record: &impl Serialize) -> Result<(), Failure> {
        match self.form {
            Form::Json => self.json(record),
            Form::Table => self.print(text),
        }
    }

    /// Prints a secret alone, so that it can be piped, and all else about it beside it, on stderr;
    /// or one record with both.
    pub(crate) fn reveal<R: Record>(
        self,
        secret: &str,
        about: &R,
        both: &impl Serialize,
    ) -> Result<(), Failure> {
        match self.form {
            Form::Json => self.json(both),
            Form::Table => {
                // On stdout there is the secret and nothing else: a script pipes it into a vault as
                // it is.
                note(details(&about.details()).trim_end());
                self.print(&format!("{secret}\n"))
            }
        }
    }

    /// Whether a table is printed, beside which words may stand.
    pub(crate) fn is_for_people(self) -> bool {
        self.form == Form::Table
    }

    pub(super) fn form(self) -> Form {
        self.form
    }

    fn json(self, record: &impl Serialize) -> Result<(), Failure> {
        self.print(&json_line(record)?)
    }

    pub(crate) fn print(self, text: &str) -> Result<(), Failure> {
        // `println!` panics where the reader has gone away. It is flushed here, because an error of
        // the flush at the end of the program is lost.
        let mut stdout = io::stdout().lock();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        written.map_err(|error| Failure::printing(&error))
    }
}

/// `name   value`, a line each; what has no value is left out.
fn details(details: &[(&'static str, String)]) -> String {
    let names = details.iter().map(|(name, _)| name.len());
    let width = names.max().unwrap_or(0);
    let mut text = String::new();
    for (name, value) in details {
        if !value.is_empty() {
            text.push_str(&format!("{name:width$}  {}\n", printable(value)));
        }
    }
    text
}
