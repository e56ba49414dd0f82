use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// More than any text needs.
const MOST_ROUNDS: usize = 8;

/// The one form of a name to sign in by, in which names are kept, compared and counted: what
/// reads alike is one name.
///
/// - Upper and lower case are the same, and so are full-width and half-width letters, ligatures and
///   other compatible characters, however they are composed (NFKC, Unicode Standard Annex #15).
/// - White space of any kind, control characters and what is invisible (zero-width characters, soft
///   hyphens, marks of direction, variation selectors) are no part of a name.
/// - Letters of different scripts stay different names, also where their shapes are alike (`a` and
///   the Cyrillic `а`).
///
/// It goes further than UsernameCaseMapped (RFC 8265 §3.3), which refuses what is left out or
/// replaced here. An application that writes users into a store by itself gives their names in this
/// form.
///
/// ```
/// use tower_auth::store::name_form;
///
/// assert_eq!(name_form("anna@example.com"), "anna@example.com");
/// for twin in [
///     "Anna@Example.com",
///     "an\u{200b}na@example.com",
///     "ａnna@example.com",
///     "anna\u{a0}@example.com",
/// ] {
///     assert_eq!(name_form(twin), "anna@example.com");
/// }
/// assert_ne!(name_form("аnna@example.com"), "anna@example.com", "Cyrillic");
/// ```
#[must_use]
pub fn name_form(name: &str) -> Cow<'_, str> {
    // Nearly all names are in their form already, and are not copied.
    if name
        .bytes()
        .all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase())
    {
        return Cow::Borrowed(name);
    }
    let mut form = round(name);
    // Once more until nothing changes: letters and marks that were apart may compose once what is
    // invisible between them is left out. Without that, two names that read alike could differ.
    for _ in 1..MOST_ROUNDS {
        let next = round(&form);
        if next == form {
            break;
        }
        form = next;
    }
    Cow::Owned(form)
}

fn round(name: &str) -> String {
    folded(name).filter(|c| is_visible(*c)).collect()
}

/// Compatible characters as one, in lower case.
pub(crate) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfkc().flat_map(fold).nfkc()
}

/// By way of upper case, so that letters that have one upper case are one: `ß` and `ss`, both
/// small sigmas, `ſ` and `s`.
fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// Whether a reader sees it: neither white space nor a control character, nor one that is ignored
/// by default (Unicode's `Default_Ignorable_Code_Point`), nor the empty pattern of Braille.
pub(crate) fn is_visible(c: char) -> bool {
    if c.is_whitespace() || c.is_control() {
        return false;
    }
    !matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_that_read_alike_have_one_form() {
        let alike = [
            "ANNA",
            "an na",
            " anna ",
            "an\u{a0}na",
            "an\u{2003}na",
            "an\u{3000}na",
            "an\u{200b}na",
            "an\u{200d}na",
            "an\u{feff}na",
            "an\u{ad}na",
            "\u{202e}anna",
            "\u{2066}anna\u{2069}",
            "anna\u{fe0f}",
            "anna\u{e0001}",
            "an\tna\n",
            "ａｎｎａ",
            "ＡＮＮＡ",
            "𝐚𝐧𝐧𝐚",
            "ⓐⓝⓝⓐ",
            "an\u{3164}na",
            "an\u{2800}na",
        ];
        for name in alike {
            assert_eq!(name_form(name), "anna", "{name:?}");
        }
        let pairs = [
            ("Zoë", "zoe\u{308}"),
            ("STRASSE", "straße"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("ﬁona", "FIONA"),
            ("Å", "\u{212b}"),
            ("ﾊﾟ", "パ"),
        ];
        for (one, other) in pairs {
            assert_eq!(name_form(one), name_form(other), "{one} {other}");
        }
    }

    #[test]
    fn names_that_read_differently_stay_apart_and_most_names_stay_as_they_are() {
        for name in [
            "anna",
            "anna.lopez-84@mail.example.org",
            "жанна",
            "姚明",
            "zoë",
            "a+b_c~d",
        ] {
            assert_eq!(name_form(name), name);
        }
        assert!(matches!(name_form("anna@example.com"), Cow::Borrowed(_)));
        let apart = ["anna", "ana", "anña", "аnna", "an-na", "an.na"];
        for (at, one) in apart.iter().enumerate() {
            for other in &apart[..at] {
                assert_ne!(name_form(one), name_form(other));
            }
        }
    }

    proptest! {
        #[test]
        fn a_form_is_its_own_form(name in "\\PC*|[\\s\\S]{0,40}") {
            let form = name_form(&name).into_owned();
            prop_assert_eq!(name_form(&form), form.as_str());
            prop_assert!(form.chars().all(is_visible));
        }

        #[test]
        fn case_spaces_and_what_is_invisible_make_no_other_name(
            name in "[a-zäöüß0-9@.]{1,20}",
            at in 0..20_usize,
            between in prop::sample::select(vec![' ', '\u{a0}', '\u{200b}', '\u{2028}', '\u{ad}', '\0']),
        ) {
            let mut twin = name.to_uppercase();
            let places: Vec<usize> = twin.char_indices().map(|(place, _)| place).collect();
            twin.insert(places[at % places.len()], between);
            prop_assert_eq!(name_form(&twin), name_form(&name));
        }
    }
}
