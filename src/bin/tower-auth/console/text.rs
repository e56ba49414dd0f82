use std::io::{self, Write};
use tower_auth::store::name_form;

/// A text that somebody else may have chosen, without what would move a cursor or turn a line
/// around: such characters are shown by their number, `\u{202e}`.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_seen(c) {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
    }
    shown
}

/// Of what nobody sees the form of a name leaves nothing.
fn is_seen(c: char) -> bool {
    let mut buffer = [0; 4];
    // `name_form` drops what nobody sees, so it tells such characters here too, and there is one
    // list of them.
    c == ' ' || c.is_ascii_graphic() || !name_form(c.encode_utf8(&mut buffer)).is_empty()
}

/// Words on stderr. Where nobody reads them, nobody misses them.
pub(crate) fn note(words: &str) {
    let _ = writeln!(io::stderr(), "{words}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_move_a_cursor_or_turn_a_line_around_is_shown_by_its_number() {
        assert_eq!(printable("zoë's \"key\" \\ 姚明"), "zoë's \"key\" \\ 姚明");
        assert_eq!(printable("a\x1b[2Jb\r\n"), "a\\u{1b}[2Jb\\r\\n");
        assert_eq!(
            printable("a\u{202e}b\u{200b}\u{85}"),
            "a\\u{202e}b\\u{200b}\\u{85}"
        );
    }
}
