//! The words and signs of a file, and where what they begin ends.

/// Words, `::` and single signs, without comments, strings and characters.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let word = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let silent = silent(rest);
        let length = match silent {
            0 if word > 0 => word,
            0 if rest.starts_with("::") => 2,
            0 => first.len_utf8(),
            silent => silent,
        };
        if silent == 0 {
            tokens.push(&rest[..length]);
        }
        rest = &rest[length..];
    }
    tokens
}

/// How many bytes at the start say nothing: space, a comment, a string or a character.
fn silent(text: &str) -> usize {
    let until = |from: usize, end: &str| match text[from..].find(end) {
        Some(at) => from + at + end.len(),
        None => text.len(),
    };
    let raw = text
        .strip_prefix('b')
        .unwrap_or(text)
        .strip_prefix('r')
        .unwrap_or_default();
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    let mut chars = text.chars();
    match (chars.next(), chars.next(), chars.next()) {
        (Some(space), ..) if space.is_whitespace() => space.len_utf8(),
        (Some('/'), Some('/'), _) => until(0, "\n"),
        (Some('/'), Some('*'), _) => until(2, "*/"),
        _ if raw[hashes..].starts_with('"') => until(
            text.len() - raw.len() + hashes + 1,
            &format!("\"{}", "#".repeat(hashes)),
        ),
        (Some('"'), ..) => {
            let mut escaped = false;
            let end = text[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(text.len(), |end| end + 2)
        }
        (Some('\''), Some('\\'), _) => until(3, "'"),
        (Some('\''), Some(c), Some('\'')) => 2 + c.len_utf8(),
        _ => 0,
    }
}

/// Leaves out each item that is compiled for tests only.
pub(super) fn without_tests<'t>(tokens: &[&'t str]) -> Vec<&'t str> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let end = after_group(tokens, at);
        let attribute = &tokens[at..end];
        let is_cfg = attribute.starts_with(&["#", "[", "cfg"]);
        if is_cfg && attribute.contains(&"test") && !attribute.contains(&"any") {
            at = after_item(tokens, end);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Behind the first group in brackets from there on.
pub(super) fn after_group(tokens: &[&str], from: usize) -> usize {
    let mut depth = 0_u32;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match *token {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth <= 1 => return at + 1,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Behind the next `;`, or behind the body in braces where one comes first.
pub(super) fn after_item(tokens: &[&str], mut at: usize) -> usize {
    while at < tokens.len() {
        let token = tokens[at];
        at = match token {
            "(" | "[" | "{" => after_group(tokens, at),
            _ => at + 1,
        };
        if token == ";" || token == "{" {
            return at;
        }
    }
    at
}

pub(super) fn after_semicolon(tokens: &[&str], mut at: usize) -> usize {
    while at < tokens.len() && tokens[at] != ";" {
        at = match tokens[at] {
            "(" | "[" | "{" => after_group(tokens, at),
            _ => at + 1,
        };
    }
    tokens.len().min(at + 1)
}
