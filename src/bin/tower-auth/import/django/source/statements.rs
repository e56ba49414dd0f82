use std::io::{self, BufRead};

/// The longest statement that is held: MySQL takes none that is longer (`max_allowed_packet`).
const LONGEST: usize = 1 << 30;

/// The statements of a dump, one after the other, without what comes before and between them.
pub(super) struct Statements<R> {
    input: R,
    delimiter: Vec<u8>,
}

/// In what the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum In {
    Statement,
    /// A text, or a name, that ends with this character.
    Quoted(u8),
    /// To the end of the line.
    Line,
    /// To the next `*/`.
    Comment,
}

impl<R: BufRead> Statements<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            delimiter: vec![b';'],
        }
    }

    /// The next statement, without its delimiter and without comments; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut statement: Vec<u8> = Vec::new();
        let mut state = In::Statement;
        let mut previous = 0;
        while let Some(byte) = self.byte()? {
            let was = std::mem::replace(&mut previous, byte);
            match state {
                In::Line => {
                    if byte == b'\n' {
                        state = In::Statement;
                        self.take_delimiter(&mut statement);
                        statement.push(b'\n');
                    }
                }
                In::Comment => {
                    if was == b'*' && byte == b'/' {
                        state = In::Statement;
                        // The slash that ends a comment must not begin another one: `*/*` is no
                        // comment.
                        previous = b' ';
                    }
                }
                In::Quoted(end) => {
                    statement.push(byte);
                    if byte == b'\\' && end != b'`' {
                        // The next character is taken as it is, for an escaped quote does not end
                        // the text.
                        statement.extend(self.byte()?);
                    } else if byte == end {
                        state = In::Statement;
                    }
                }
                In::Statement => match byte {
                    b'\'' | b'"' | b'`' => {
                        statement.push(byte);
                        state = In::Quoted(byte);
                    }
                    b'#' => state = In::Line,
                    b'*' if was == b'/' => {
                        statement.pop();
                        state = In::Comment;
                        previous = 0;
                    }
                    // Two dashes begin a comment only where a blank or a control character follows,
                    // such as the end of the line: in MySQL `5--1` is a subtraction.
                    b' ' | ..=b'\x1f' | b'\x7f' if statement.ends_with(b"--") => {
                        statement.truncate(statement.len() - 2);
                        if byte != b'\n' {
                            state = In::Line;
                        }
                    }
                    _ => {
                        statement.push(byte);
                        if byte == b'\n' {
                            self.take_delimiter(&mut statement);
                        }
                        // `DELIMITER ;` has the delimiter in it, and would end here with nothing
                        // left of what it says.
                        if statement.ends_with(&self.delimiter) && !is_for_client(&statement) {
                            statement.truncate(statement.len() - self.delimiter.len());
                            if !statement.trim_ascii().is_empty() {
                                return Ok(Some(statement));
                            }
                            statement.clear();
                        }
                    }
                },
            }
            if statement.len() > LONGEST {
                return Err(io::Error::other("a statement is longer than 1 GiB"));
            }
        }
        // The last line may be an empty comment whose end is that of the dump.
        let rest = statement.strip_suffix(b"--").unwrap_or(&statement);
        let is_over = rest.trim_ascii().is_empty();
        if state != In::Statement && state != In::Line || !is_over {
            return Err(io::Error::other("it ends in the middle of a statement"));
        }
        Ok(None)
    }

    /// `DELIMITER ;;` on a line of its own is for the client: it says how statements end from then
    /// on.
    fn take_delimiter(&mut self, statement: &mut Vec<u8>) {
        let line = statement.trim_ascii();
        let Some(rest) = line.strip_prefix(b"DELIMITER ") else {
            return;
        };
        let delimiter = rest.trim_ascii();
        if !delimiter.is_empty() && !delimiter.contains(&b' ') {
            self.delimiter = delimiter.to_vec();
            statement.clear();
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        match self.input.read(&mut byte)? {
            0 => Ok(None),
            _ => Ok(Some(byte[0])),
        }
    }
}

/// What is for the client of the database ends with its line, whatever stands in it.
fn is_for_client(statement: &[u8]) -> bool {
    statement.trim_ascii_start().starts_with(b"DELIMITER ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(dump: &str) -> Result<Vec<String>, String> {
        let mut statements = Statements::new(dump.as_bytes());
        let mut all = Vec::new();
        loop {
            match statements.next() {
                Ok(Some(statement)) => {
                    let text = String::from_utf8(statement).unwrap();
                    all.push(text.trim().to_owned());
                }
                Ok(None) => return Ok(all),
                Err(error) => return Err(error.to_string()),
            }
        }
    }

    #[test]
    fn a_statement_ends_at_a_delimiter_that_stands_in_no_text_name_or_comment() {
        let dump = "-- a dump; of a test\n/*!40101 SET NAMES utf8mb4 */;\n/*M!999999\\- sandbox */\n\
                    # a line; more\nINSERT INTO `a;b` VALUES ('x;''y\\';z',\"p;\\\"q\",'--  ','/* ;');\n\
                    INSERT /* in; between */ INTO t VALUES (1-- 2;\n,3);--\nSELECT 5--1;";
        assert_eq!(
            read(dump).unwrap(),
            [
                "INSERT INTO `a;b` VALUES ('x;''y\\';z',\"p;\\\"q\",'--  ','/* ;')",
                "INSERT  INTO t VALUES (1\n,3)",
                "SELECT 5--1",
            ]
        );
    }

    #[test]
    fn a_dump_has_the_same_comments_whatever_its_lines_end_with() {
        let dump = "--\n-- Table; of users\n--\n\nSELECT 1--\n;\n--\tit's a line\nSELECT 2;\n\
                    # one; more\nSELECT 5--1;\n--\n-- Dump completed\n--";
        for ends in ["\n", "\r\n"] {
            let read = read(&dump.replace('\n', ends));
            assert_eq!(
                read.unwrap(),
                ["SELECT 1", "SELECT 2", "SELECT 5--1"],
                "{ends:?}"
            );
        }
    }

    #[test]
    fn a_client_may_be_told_another_delimiter() {
        let dump = "DELIMITER ;;\nCREATE TRIGGER t BEGIN a; b; END ;;\nDELIMITER ;\nSELECT 1;\n";
        assert_eq!(
            read(dump).unwrap(),
            ["CREATE TRIGGER t BEGIN a; b; END", "SELECT 1"]
        );
    }

    #[test]
    fn a_dump_that_was_cut_off_is_an_error() {
        for cut in [
            "INSERT INTO t VALUES (1",
            "SELECT 'a;",
            "SELECT 1; /* ",
            "INSERT `t",
        ] {
            assert!(read(cut).unwrap_err().contains("middle"), "{cut}");
        }
        assert_eq!(read("SELECT 1;\n-- Dump completed").unwrap(), ["SELECT 1"]);
    }
}
