use crate::failure::Failure;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;
use tower_auth::Secret;
use zeroize::Zeroizing;

/// No secret is longer.
const LONGEST: usize = 16 * 1024;

/// Reads a secret: the first line of a file, or of stdin, or what somebody types at a terminal,
/// which does not show it. `what` names it: `password`.
pub(crate) fn read_secret(file: Option<&Path>, what: &str) -> Result<Secret<String>, Failure> {
    match file {
        Some(path) => first_line(open(path)?, what),
        None if io::stdin().is_terminal() => ask(what),
        None => first_line(io::stdin().lock(), what),
    }
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| {
        let path = path.display();
        Failure::usage(format!("The file {path} cannot be read: {error}."))
    })
}

fn ask(what: &str) -> Result<Secret<String>, Failure> {
    let asked = rpassword::prompt_password(format!("The {what}: "));
    let typed = asked
        .map_err(|error| Failure::usage(format!("The {what} could not be asked for: {error}.")))?;
    given(Secret::new(typed), what)
}

/// Reads the first line and nothing after it.
fn first_line(from: impl Read, what: &str) -> Result<Secret<String>, Failure> {
    // The whole length is reserved at once. A vector that grows moves its bytes, and leaves a copy
    // of the secret in memory that nobody wipes.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 64));
    let most = LONGEST as u64;
    from.take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::usage(format!("The {what} could not be read: {error}.")))?;
    let line = bytes
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    // No more than that was read, so the rest of the line may be missing: a secret that is cut off
    // must not be taken for the whole.
    if line.len() == LONGEST {
        return Err(Failure::usage(format!("The {what} is too long.")));
    }
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line)
        .map_err(|_| Failure::usage(format!("The {what} is not UTF-8.")))?;
    given(Secret::new(text.to_owned()), what)
}

fn given(secret: Secret<String>, what: &str) -> Result<Secret<String>, Failure> {
    if secret.expose().is_empty() {
        return Err(Failure::usage(format!(
            "The {what} is empty: it is the first line of stdin, or of the file that is given."
        )));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<String> {
        let read = first_line(bytes, "password").ok()?;
        Some(read.expose().clone())
    }

    #[test]
    fn a_secret_is_the_first_line_without_its_end_and_keeps_its_blanks() {
        for text in ["a b ", "a b \n", "a b \r\n", "a b \nmore\n"] {
            assert_eq!(read(text.as_bytes()).as_deref(), Some("a b "), "{text:?}");
        }
        for bytes in [&b""[..], b"\n", b"\xff\n", &[b'a'; LONGEST]] {
            assert_eq!(read(bytes), None);
        }
    }
}
