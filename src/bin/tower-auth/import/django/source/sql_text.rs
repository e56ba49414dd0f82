/// A statement of MySQL as it is read, from left to right.
pub(super) struct SqlText<'s> {
    rest: &'s [u8],
}

/// What stands where none of it is expected, in words for whoever has the dump. No value is shown.
pub(super) type Unexpected = &'static str;

impl<'s> SqlText<'s> {
    pub(super) fn new(statement: &'s [u8]) -> Self {
        Self { rest: statement }
    }

    /// Whether these words come next, whatever their case; they are read then.
    pub(super) fn takes(&mut self, words: &str) -> bool {
        let mut rest = self.rest;
        for word in words.split(' ') {
            rest = rest.trim_ascii_start();
            let Some((head, tail)) = rest.split_at_checked(word.len()) else {
                return false;
            };
            // `VALUE` must not be taken for the beginning of `VALUES`, nor `KEY` for that of a name
            // such as `keyring`.
            let goes_on = tail.first().is_some_and(|b| is_word(*b));
            if !head.eq_ignore_ascii_case(word.as_bytes()) || goes_on {
                return false;
            }
            rest = tail;
        }
        self.rest = rest;
        true
    }

    /// Whether this character comes next; it is read then.
    pub(super) fn takes_mark(&mut self, mark: u8) -> bool {
        let rest = self.rest.trim_ascii_start();
        match rest.split_first() {
            Some((first, tail)) if *first == mark => {
                self.rest = tail;
                true
            }
            _ => false,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.rest.trim_ascii_start().is_empty()
    }

    /// A name of a table or a column, in backticks or without them.
    pub(super) fn name(&mut self) -> Result<String, Unexpected> {
        self.rest = self.rest.trim_ascii_start();
        if self.rest.first() == Some(&b'`') {
            let name = self.quoted(b'`')?;
            return text(name);
        }
        let end = self.rest.iter().position(|b| !is_word(*b));
        let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if name.is_empty() {
            return Err("a name is missing");
        }
        self.rest = rest;
        text(name.to_vec())
    }

    /// A value, as text; `None` is NULL.
    pub(super) fn value(&mut self) -> Result<Option<String>, Unexpected> {
        self.rest = self.rest.trim_ascii_start();
        // A text may have its character set before it: `_binary 'x'`, `_utf8mb4'x'`.
        if self.rest.first() == Some(&b'_') {
            let end = self.rest.iter().position(|b| !is_word(*b));
            self.rest = self.rest[end.unwrap_or(self.rest.len())..].trim_ascii_start();
        }
        match self.rest.first() {
            Some(quote @ (b'\'' | b'"')) => {
                let quote = *quote;
                text(self.quoted(quote)?).map(Some)
            }
            Some(_) if self.takes("NULL") => Ok(None),
            Some(_) => self.number().map(Some),
            None => Err("a value is missing"),
        }
    }

    /// A number, or bytes in hexadecimal, which are a text.
    fn number(&mut self) -> Result<String, Unexpected> {
        let end = self.rest.iter().position(|b| !is_in_number(*b));
        let (number, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        if let Some(hex) = number.strip_prefix(b"0x") {
            return text(from_hex(hex).ok_or("a value in hexadecimal is malformed")?);
        }
        let number = text(number.to_vec())?;
        match number.parse::<f64>() {
            Ok(_) => Ok(number),
            Err(_) => Err("a value is neither a text, nor a number, nor NULL"),
        }
    }

    /// What stands between quotes, its escapes resolved.
    fn quoted(&mut self, quote: u8) -> Result<Vec<u8>, Unexpected> {
        let mut found = Vec::new();
        let mut bytes = self.rest[1..].iter().copied().enumerate().peekable();
        while let Some((at, byte)) = bytes.next() {
            // In a name a backslash is a character like others.
            if byte == b'\\' && quote != b'`' {
                let (_, escaped) = bytes.next().ok_or("a text does not end")?;
                found.push(unescaped(escaped));
            } else if byte != quote {
                found.push(byte);
            } else if bytes.next_if(|(_, next)| *next == quote).is_some() {
                found.push(quote);
            } else {
                self.rest = &self.rest[at + 2..];
                return Ok(found);
            }
        }
        Err("a text does not end")
    }

    /// Skips what stands in brackets and in quotes, up to the next comma or closing bracket.
    pub(super) fn skip_item(&mut self) -> Result<(), Unexpected> {
        let mut depth = 0_usize;
        loop {
            match self.rest.first() {
                None => return Err("a bracket does not end"),
                Some(quote @ (b'\'' | b'"' | b'`')) => {
                    let quote = *quote;
                    self.quoted(quote)?;
                    continue;
                }
                Some(b',' | b')') if depth == 0 => return Ok(()),
                Some(b'(') => depth += 1,
                Some(b')') => depth -= 1,
                Some(_) => {}
            }
            self.rest = &self.rest[1..];
        }
    }
}

fn is_word(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'$') || !b.is_ascii()
}

fn is_in_number(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.')
}

/// MySQL's escapes; of any other character the backslash is dropped.
fn unescaped(b: u8) -> u8 {
    match b {
        b'0' => 0,
        b'b' => 8,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'Z' => 26,
        other => other,
    }
}

fn from_hex(hex: &[u8]) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) {
        return None;
    }
    hex.chunks_exact(2)
        .map(|pair| Some(hex_digit(pair[0])? << 4 | hex_digit(pair[1])?))
        .collect()
}

fn hex_digit(b: u8) -> Option<u8> {
    let digit = char::from(b).to_digit(16)?;
    u8::try_from(digit).ok()
}

fn text(bytes: Vec<u8>) -> Result<String, Unexpected> {
    String::from_utf8(bytes).map_err(|_| "a text is not UTF-8: dump it with utf8mb4")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(list: &str) -> Result<Vec<Option<String>>, Unexpected> {
        let mut text = SqlText::new(list.as_bytes());
        let mut all = vec![text.value()?];
        while text.takes_mark(b',') {
            all.push(text.value()?);
        }
        assert!(text.is_over(), "{list}");
        Ok(all)
    }

    #[test]
    fn values_are_read_as_mysqldump_writes_them() {
        let list =
            r#"NULL,1,-2.5e3,'a''b\'c\"d\\e\nf\0g\%',"it's",_binary 'x',_utf8mb4'ü',0x414243,''"#;
        let expected = [
            None,
            Some("1"),
            Some("-2.5e3"),
            Some("a'b'c\"d\\e\nf\0g%"),
            Some("it's"),
            Some("x"),
            Some("ü"),
            Some("ABC"),
            Some(""),
        ];
        let read = values(list).unwrap();
        let read: Vec<Option<&str>> = read.iter().map(Option::as_deref).collect();
        assert_eq!(read, expected);
    }

    #[test]
    fn what_is_no_value_is_an_error_and_is_not_shown() {
        for wrong in [
            "", "'open", "'open\\", "NOW()", "0x4", "0xzz", "1 2", "nullable",
        ] {
            let mut text = SqlText::new(wrong.as_bytes());
            let read = text.value();
            assert!(read.is_err() || !text.is_over(), "{wrong}: {read:?}");
        }
        let latin = b"'\xfc'";
        assert!(SqlText::new(latin).value().unwrap_err().contains("UTF-8"));
    }
}
