use super::bounds::{LONGEST_PASSWORD, LONGEST_TYPED_PASSWORD};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The one form of a password, in which it is judged and hashed whatever keyboard composed it:
/// OpaqueString (RFC 8265 §4.2), which is NFC with spaces of every kind as U+0020.
///
/// NIST SP 800-63B asks for a stable form. NFKC would be another, but it makes one password of
/// several (`①` and `1`), of which somebody may have chosen one for what it takes away.
pub(crate) fn password_form(password: &str) -> Zeroizing<String> {
    if password.is_ascii() {
        return Zeroizing::new(password.to_owned());
    }
    Zeroizing::new(password.chars().map(with_plain_space).nfc().collect())
}

/// Whether a password, as it is typed, is longer than anybody's: than any in its form, and than any
/// that other software hashed as it was typed. Refusing it at once tells nothing, and nobody has
/// megabytes hashed.
pub(crate) fn is_longer_than_any(password: &str) -> bool {
    if password.len() <= LONGEST_PASSWORD {
        return false;
    }
    password.len() > LONGEST_TYPED_PASSWORD || password_form(password).len() > LONGEST_PASSWORD
}

/// Spaces (general category Zs) as U+0020.
fn with_plain_space(c: char) -> char {
    match c {
        '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => {
            ' '
        }
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn passwords_that_differ_in_how_they_were_composed_are_one() {
        for (one, other) in [
            ("Zoë geht heim", "Zoe\u{308} geht heim"),
            ("Zoë geht heim", "Zoë\u{a0}geht\u{3000}heim"),
            ("가나다라", "\u{1100}\u{1161}나다라"),
            ("\u{212b}ngström", "Ångström"),
        ] {
            assert_eq!(*password_form(one), *password_form(other), "{one} {other}");
        }
        for (one, other) in [("①②③④", "1234"), ("ﬁsch", "fisch"), ("Anna", "anna")] {
            assert_ne!(*password_form(one), *password_form(other), "{one} {other}");
        }
        let odd = "tab\t, nul \0, bell \u{7} and \u{200b}";
        assert_eq!(*password_form(odd), odd, "all characters are a password");
    }

    #[test]
    fn no_password_is_less_than_a_quarter_as_long_in_its_form() {
        // The longest way to type what is one character where all is composed: of each part of it
        // the longest character that is composed to the same.
        let mut longest: HashMap<char, usize> = HashMap::new();
        for c in '\0'..=char::MAX {
            let form = password_form(c.encode_utf8(&mut [0; 4]));
            let mut parts = form.nfd();
            if let (Some(part), None) = (parts.next(), parts.next()) {
                let length = longest.entry(part).or_default();
                *length = c.len_utf8().max(*length);
            }
        }
        for c in '\0'..=char::MAX {
            let form = password_form(c.encode_utf8(&mut [0; 4]));
            let typed: usize = form.nfd().map(|part| longest[&part]).sum();
            assert!(typed <= 4 * form.len(), "{c:?}: {typed} bytes");
        }
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(password in "\\PC*|[\\s\\S]{0,40}") {
            let form = password_form(&password);
            prop_assert_eq!(&*password_form(&form), &*form);
        }
    }
}
