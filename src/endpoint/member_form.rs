use crate::scheme::api_key::KeyIds;

/// The longest text of any field, in characters; a body is bounded besides.
pub(super) const LONGEST_TEXT: usize = 8 * 1024;
/// How many texts a list has at most.
pub(super) const MOST_TEXTS: usize = 100;

/// What a member of a body, or of an answer, is. Whoever reads or writes the member says it, and a
/// document repeats it.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(
    not(feature = "openapi"),
    expect(dead_code, reason = "a document alone asks for the numbers")
)]
pub(super) enum MemberForm {
    /// A text that is not blank.
    Text,
    /// A text that is read by somebody else, if at all.
    Hint,
    /// The name of a key or a private token.
    KeyName,
    /// A name to sign in by.
    LoginName,
    /// The same, which is an email address.
    Email,
    /// A password that somebody has.
    Password,
    /// A password that somebody chooses, of at least so many characters.
    NewPassword { least: usize },
    /// A time.
    Time,
    /// A time in the future; null is none.
    End,
    /// A whole number.
    Whole { most: u64 },
    /// Names of scopes.
    Scopes,
    /// One of the rates that the endpoint offers for a new key, as text.
    Rate,
    /// The same, in an answer, where there may be none.
    ShownRate,
    /// A token or a raw key, in an answer.
    Credential,
    /// The id of a key.
    KeyId(KeyIds),
    /// Any other text, in an answer.
    Answer,
    /// A time that there may not be, in an answer.
    Moment,
    /// Texts, in an answer.
    Answers,
    /// An absolute URL.
    Url,
}
