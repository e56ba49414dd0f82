//! What a document says of a member, from the numbers by which it is checked.

use super::member_form::{LONGEST_TEXT, MOST_TEXTS, MemberForm};
use crate::issue::LONGEST_NAME as LONGEST_KEY_NAME;
use crate::login::{LONGEST_NAME, LONGEST_PASSWORD, is_visible};
use crate::scheme::api_key::KeyIds;
use serde_json::Value;
use utoipa::openapi::schema::{
    ArrayBuilder, KnownFormat, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};

impl MemberForm {
    pub(super) fn schema(self) -> Schema {
        match self {
            Self::Text => text()
                .max_length(Some(LONGEST_TEXT))
                .pattern(Some(not_blank(|c| c == '\0')))
                .into(),
            Self::Hint => text().into(),
            Self::KeyName => text()
                .max_length(Some(LONGEST_KEY_NAME))
                .pattern(Some(not_blank(char::is_control)))
                .into(),
            Self::LoginName => text()
                .min_length(Some(1))
                .max_length(Some(LONGEST_NAME))
                .pattern(Some(format!("^[^:{}]+$", class(|c| !is_visible(c)))))
                .into(),
            Self::Email => formatted(KnownFormat::Email)
                .max_length(Some(LONGEST_NAME))
                .into(),
            Self::Password => password(1).into(),
            Self::NewPassword { least } => password(least).into(),
            Self::Time => formatted(KnownFormat::DateTime).into(),
            Self::End => formatted(KnownFormat::DateTime)
                .schema_type(or_null(Type::String))
                .description(Some("In the future; null is never."))
                .into(),
            Self::Whole { most } => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(0))
                .maximum(Some(most))
                .into(),
            Self::Scopes => ArrayBuilder::new()
                .items(text().pattern(Some("^[!#-\\[\\]-~]+$")))
                .max_items(Some(MOST_TEXTS))
                .build()
                .into(),
            Self::Rate => text()
                .min_length(Some(1))
                .description(Some("A rate that the service offers, such as 2000/day."))
                .into(),
            Self::ShownRate => text().schema_type(or_null(Type::String)).into(),
            Self::Credential => text().min_length(Some(1)).into(),
            Self::KeyId(KeyIds::Serial) => ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1))
                .into(),
            Self::KeyId(KeyIds::Uuid) => of_format("uuid").into(),
            Self::KeyId(KeyIds::Random) => text().min_length(Some(1)).into(),
            Self::Answer => text().into(),
            Self::Moment => formatted(KnownFormat::DateTime)
                .schema_type(or_null(Type::String))
                .into(),
            Self::Answers => ArrayBuilder::new().items(text()).build().into(),
            Self::Url => of_format("uri").into(),
        }
    }

    /// A value that is taken, for a page that offers one to be sent. Times have none: which are
    /// taken depends on when it is.
    pub(super) fn example(self) -> Option<Value> {
        let text = match self {
            Self::Text | Self::Hint | Self::KeyName | Self::LoginName | Self::Password => "string",
            Self::Email => "user@example.com",
            Self::NewPassword { .. } => "a long sentence that nobody else would choose",
            _ => return None,
        };
        Some(text.into())
    }
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn formatted(format: KnownFormat) -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(format)))
}

fn of_format(name: &str) -> ObjectBuilder {
    text().format(Some(SchemaFormat::Custom(name.to_owned())))
}

fn password(least: usize) -> ObjectBuilder {
    formatted(KnownFormat::Password)
        .min_length(Some(least))
        .max_length(Some(LONGEST_PASSWORD))
}

fn or_null(is: Type) -> SchemaType {
    [is, Type::Null].into_iter().collect()
}

/// The pattern of texts without these characters and with one that is no white space.
fn not_blank(is_refused: impl Fn(char) -> bool) -> String {
    let refused = class(&is_refused);
    let blank = class(|c| is_refused(c) || c.is_whitespace());
    format!("^[^{refused}]*[^{blank}][^{refused}]*$")
}

/// The characters for which this holds, as they stand between the brackets of a regular expression
/// (ECMA-262 with the flag `u`, and most others): in ranges, those of the first plane escaped.
fn class(holds: impl Fn(char) -> bool) -> String {
    let mut class = String::new();
    let mut range: Option<(char, char)> = None;
    for c in '\0'..=char::MAX {
        range = match (holds(c), range) {
            (true, None) => Some((c, c)),
            (true, Some((first, _))) => Some((first, c)),
            (false, Some((first, last))) => {
                push_range(&mut class, first, last);
                None
            }
            (false, None) => None,
        };
    }
    if let Some((first, last)) = range {
        push_range(&mut class, first, last);
    }
    class
}

fn push_range(class: &mut String, first: char, last: char) {
    push_char(class, first);
    if first != last {
        class.push('-');
        push_char(class, last);
    }
}

fn push_char(class: &mut String, c: char) {
    let number = u32::from(c);
    if number <= 0xffff {
        class.push_str(&format!("\\u{number:04x}"));
    } else {
        class.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_has_ranges_and_single_characters() {
        assert_eq!(class(|_| false), "");
        assert_eq!(
            class(|c| matches!(c, 'a' | 'c'..='e')),
            "\\u0061\\u0063-\\u0065"
        );
        let last = char::MAX;
        assert_eq!(class(|c| c == last || c == '\0'), format!("\\u0000{last}"));
        assert_eq!(
            class(|c| c > '\u{d000}' && c < '\u{e010}'),
            "\\ud001-\\ue00f"
        );
    }

    #[test]
    fn white_space_is_what_a_text_is_trimmed_of() {
        for c in '\0'..=char::MAX {
            assert_eq!(c.is_whitespace(), c.to_string().trim().is_empty(), "{c:?}");
        }
    }
}
