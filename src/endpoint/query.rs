//! Parameters of a query, as `name=value&…` with percent-encoding (RFC 3986 §2.1).

use crate::credential::percent_decoded;
use std::fmt::Write;

/// The first parameter of that name. What is no percent-encoded UTF-8 is none.
pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    // The first one counts, also where it cannot be decoded: a second one of the same name is never
    // read.
    let (_, value) = pairs.find(|(known, _)| *known == name)?;
    let value = percent_decoded(value.as_bytes())?;
    String::from_utf8(value.to_vec()).ok()
}

/// A text as the value of a parameter: all but unreserved characters (RFC 3986 §2.3) encoded.
pub(super) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a `String` does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_is_read_back_and_nonsense_is_no_parameter() {
        for text in ["7", "a b&c=d", "ß/?#%", "\u{1f511}", ""] {
            let query = format!("x=1&after={}&y", encoded(text));
            assert_eq!(parameter(&query, "after").as_deref(), Some(text));
        }
        for query in [
            "",
            "after",
            "after=%",
            "after=%2",
            "after=%zz",
            "after=%ff",
            "afte=1",
        ] {
            assert_eq!(parameter(query, "after"), None, "{query}");
        }
    }
}
