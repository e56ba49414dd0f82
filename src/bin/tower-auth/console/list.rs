use super::form::Form;
use super::record::json_line;
use super::{Console, Record, note, printable};
use crate::failure::Failure;
use std::marker::PhantomData;

/// A list that is printed page by page, so that none is too long to be held.
///
/// Columns are as wide as the page's widest cell, and never become narrower again.
pub(crate) struct List<R> {
    console: Console,
    widths: Vec<usize>,
    is_empty: bool,
    of: PhantomData<fn(&R)>,
}

impl<R: Record> List<R> {
    pub(crate) fn new(console: Console) -> Self {
        Self {
            console,
            widths: R::COLUMNS.iter().map(|name| name.len()).collect(),
            is_empty: true,
            of: PhantomData,
        }
    }

    pub(crate) fn page(&mut self, records: &[R]) -> Result<(), Failure> {
        let text = match self.console.form() {
            Form::Json => records.iter().map(json_line).collect::<Result<_, _>>()?,
            Form::Table => self.rows(records),
        };
        self.console.print(&text)
    }

    /// Says so where nothing was listed: an empty table looks like a failure.
    pub(crate) fn end(self) {
        if self.is_empty && self.console.form() == Form::Table {
            note("There are none.");
        }
    }

    fn rows(&mut self, records: &[R]) -> String {
        let mut rows: Vec<Vec<String>> = Vec::new();
        if self.is_empty && !records.is_empty() {
            // Only the first page has headings: the pages follow each other as one table.
            let headings = R::COLUMNS.iter().map(|name| name.to_uppercase());
            rows.push(headings.collect());
            self.is_empty = false;
        }
        for record in records {
            rows.push(record.cells().iter().map(|cell| printable(cell)).collect());
        }
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        rows.iter().map(|row| self.line(row)).collect()
    }

    fn line(&self, row: &[String]) -> String {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&self.widths) {
            line.push_str(&format!("{cell:width$}  "));
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        line
    }
}
