use std::collections::HashMap;

/// One row: the texts of its columns, `None` where one is NULL.
#[derive(Debug)]
pub(in super::super) struct Row {
    values: HashMap<String, Option<String>>,
}

impl Row {
    pub(super) fn new(values: HashMap<String, Option<String>>) -> Self {
        Self { values }
    }

    /// The text of a column; `None` where it is NULL, or there is no such column.
    pub(in super::super) fn text(&self, column: &str) -> Option<&str> {
        self.values.get(column)?.as_deref()
    }

    /// The same, empty where there is none.
    pub(in super::super) fn text_or_empty(&self, column: &str) -> &str {
        self.text(column).unwrap_or_default()
    }

    /// Whether a column says yes: `true` in PostgreSQL, 1 elsewhere.
    pub(in super::super) fn is_true(&self, column: &str) -> bool {
        matches!(self.text(column), Some("true" | "t" | "1"))
    }
}
