use crate::failure::Failure;
use serde::Serialize;

/// Something that a command prints: an object of JSON for scripts, cells of a table for people.
pub(crate) trait Record: Serialize {
    /// The headings of a list.
    const COLUMNS: &'static [&'static str];

    /// What stands below each of them.
    fn cells(&self) -> Vec<String>;

    /// All there is to tell, where it stands alone, by name.
    fn details(&self) -> Vec<(&'static str, String)> {
        let names = Self::COLUMNS.iter().copied();
        names.zip(self.cells()).collect()
    }
}

/// One object on one line.
pub(super) fn json_line(record: &impl Serialize) -> Result<String, Failure> {
    match serde_json::to_string(record) {
        Ok(line) => Ok(line + "\n"),
        Err(error) => {
            let why = format!("It could not be written: {error}.");
            Err(Failure::failed(why))
        }
    }
}
