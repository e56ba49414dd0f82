use super::common::is_common;
use crate::login::{LONGEST_PASSWORD, LONGEST_TYPED_PASSWORD, folded, password_form};
use zeroize::Zeroizing;

/// No policy asks for more characters: passphrases of 64 must pass everywhere (ASVS 5.0, 6.2.9).
const MOST_LEAST_LENGTH: usize = 64;

/// What a new password has to satisfy, and no more: any characters, in any mixture, with blanks,
/// control characters and NUL, are a password (ASVS 5.0, 6.2.5). Passwords that are stored already
/// are not asked.
///
/// Passwords are judged and hashed in one form, however a keyboard composed them (NFC, with all
/// spaces alike: OpaqueString of RFC 8265, which NIST SP 800-63B allows); what they resemble is
/// found in whatever case and width.
///
/// - At least 8 characters, or as many as [`least_length`](Self::least_length) says; at most 1024
///   bytes of UTF-8.
/// - Not a name of the user: neither as it is, nor the part of an email address before the `@`, nor
///   one of its words, in whatever case, repeated, or with nothing but digits and signs around or
///   between.
/// - Not one that [`refuse`](Self::refuse) names.
/// - Not common: keyboard runs, sequences, repetitions, dates, numbers of up to 12 digits, and some
///   2,000 words and names, also backwards, in short pairs, with digits for letters (`p4ssw0rd`)
///   and with up to six digits and signs around (`Dragon2024!`).
///
/// What is common is decided by rules and words of this crate's own. Of the 3,000 commonest
/// passwords of 8 or more characters in the list of the crate `zxcvbn` they refuse 46 in a hundred;
/// together with `common_list` (feature `common-passwords`), which ASVS 5.0 (6.2.4) makes
/// necessary, 89.
///
/// ```
/// use tower_auth::PasswordPolicy;
///
/// let policy = PasswordPolicy::new().refuse(["egret"]);
/// let names = ["anna", "anna.lopez@example.com"];
/// assert!(policy.check("correct-horse-battery", &names).is_ok());
/// for (password, code) in [
///     ("short", "password_too_short"),
///     ("Lopez1984!", "password_too_similar"),
///     ("Passw0rd2024", "password_too_common"),
///     ("Egret123", "password_too_common"),
/// ] {
///     assert_eq!(policy.check(password, &names).unwrap_err().code(), code);
/// }
/// ```
///
/// Basic carries no control characters (RFC 7617 §2): who has them in a password signs in at an
/// endpoint.
#[derive(Clone, Debug)]
#[must_use]
pub struct PasswordPolicy {
    least_length: usize,
    refused: Vec<String>,
    #[cfg(feature = "common-passwords")]
    common_list: bool,
}

impl PasswordPolicy {
    /// The policy above.
    pub fn new() -> Self {
        Self {
            least_length: 8,
            refused: Vec::new(),
            #[cfg(feature = "common-passwords")]
            common_list: false,
        }
    }

    /// At least so many characters: from 1 to 64, and what is beyond counts as the nearest of them.
    /// Fewer than 8 is against ASVS 5.0 (6.2.1), which recommends 15.
    pub fn least_length(mut self, characters: usize) -> Self {
        self.least_length = characters.clamp(1, MOST_LEAST_LENGTH);
        self
    }

    /// How many characters there are at least.
    #[cfg(feature = "endpoints")]
    pub(crate) fn least(&self) -> usize {
        self.least_length
    }

    /// Refuses these too (the product's name, the company's), as it does the user's names. Further
    /// calls add to them.
    pub fn refuse(mut self, words: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.refused.extend(words.into_iter().map(Into::into));
        self
    }

    /// Refuses also some 100,000 passwords of a list of the commonest, in whatever case; 47,000 of
    /// them have 8 or more characters (ASVS 5.0, 6.2.4 asks for 3,000). It is the list of the
    /// crate `passwords`.
    ///
    /// ```
    /// use tower_auth::PasswordPolicy;
    ///
    /// assert!(PasswordPolicy::new().check("kangaroo", &[]).is_ok());
    /// assert!(PasswordPolicy::new().common_list().check("Kangaroo", &[]).is_err());
    /// ```
    #[cfg(feature = "common-passwords")]
    pub fn common_list(mut self) -> Self {
        self.common_list = true;
        self
    }

    /// Whether a user with these names (user name, email address, …) may take this password.
    ///
    /// # Errors
    ///
    /// The first rule that it breaks, in the order above.
    pub fn check(&self, password: &str, names: &[&str]) -> Result<(), PasswordProblem> {
        if password.len() > LONGEST_TYPED_PASSWORD {
            return Err(PasswordProblem::TooLong);
        }
        let password = password_form(password);
        if password.len() > LONGEST_PASSWORD {
            return Err(PasswordProblem::TooLong);
        }
        if password.chars().count() < self.least_length {
            return Err(PasswordProblem::TooShort {
                least: self.least_length,
            });
        }
        // Judged in one case and width, because whoever guesses tries those too.
        let lower: Zeroizing<String> = Zeroizing::new(folded(&password).collect());
        if names.iter().any(|name| resembles(&lower, name)) {
            return Err(PasswordProblem::TooSimilar);
        }
        let refused = self.refused.iter().any(|word| resembles(&lower, word));
        if refused || is_common(&lower) || self.is_listed(&password, &lower) {
            return Err(PasswordProblem::TooCommon);
        }
        Ok(())
    }

    #[cfg(feature = "common-passwords")]
    fn is_listed(&self, password: &str, lower: &str) -> bool {
        let listed = passwords::analyzer::is_common_password;
        self.common_list && (listed(password) || listed(lower))
    }

    #[cfg(not(feature = "common-passwords"))]
    fn is_listed(&self, _: &str, _: &str) -> bool {
        false
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self::new()
    }
}

/// Which rule a new password breaks. The text is for whoever chose it and says nothing of the
/// password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordProblem {
    /// Too few characters.
    #[error("the password must have at least {least} characters")]
    TooShort {
        /// How many it needs.
        least: usize,
    },
    /// More than 1024 bytes.
    #[error("the password must have at most 1024 bytes")]
    TooLong,
    /// Among the first that anybody would guess.
    #[error("the password is too common")]
    TooCommon,
    /// Made of the user's own name or address.
    #[error("the password is too similar to a name or an address of the user")]
    TooSimilar,
}

impl PasswordProblem {
    /// The machine code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "password_too_short",
            Self::TooLong => "password_too_long",
            Self::TooCommon => "password_too_common",
            Self::TooSimilar => "password_too_similar",
        }
    }
}

/// Whether a password in lower case is a name, its part before the `@` or one of its words, with
/// nothing but digits and signs besides.
fn resembles(password: &str, name: &str) -> bool {
    let name: String = folded(name.trim()).collect();
    if name.is_empty() {
        return false;
    }
    let bare = Zeroizing::new(bare(password));
    let local = name.split('@').next().unwrap_or_default();
    let words = name.split(|c: char| !c.is_alphanumeric());
    password == name
        || [name.as_str(), local]
            .into_iter()
            .chain(words)
            .any(|part| is_mostly(&bare, part))
}

/// Whether nothing remains without the name, or only digits; where the name itself is a number,
/// nothing.
fn is_mostly(password: &str, name: &str) -> bool {
    let name = bare(name);
    // A name such as `anna1984` is guessed without its digits too.
    let word = name.trim_matches(|c: char| c.is_numeric());
    if word.is_empty() {
        let rest = Zeroizing::new(password.replace(&name, ""));
        return !name.is_empty() && !password.is_empty() && rest.is_empty();
    }
    let rest = Zeroizing::new(password.replace(word, ""));
    password.contains(word) && rest.chars().all(char::is_numeric)
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(policy: &PasswordPolicy, password: &str, names: &[&str]) -> &'static str {
        policy
            .check(password, names)
            .map_or_else(|problem| problem.code(), |()| "good")
    }

    #[test]
    fn length_is_counted_in_characters_and_bounded_in_bytes() {
        let policy = PasswordPolicy::new();
        for (name, password, expected) in [
            ("empty", String::new(), "password_too_short"),
            ("seven letters", "vkbqmwz".into(), "password_too_short"),
            ("eight letters", "vkbqmwzr".into(), "good"),
            (
                "seven letters of two bytes",
                "жщбэйтъ".into(),
                "password_too_short",
            ),
            ("eight letters of two bytes", "жщбэйтъы".into(), "good"),
            (
                "1024 bytes",
                "correct horse…  ".repeat(57)[..1024].into(),
                "good",
            ),
            (
                "1025 bytes",
                "correct horse…  ".repeat(57)[..1025].into(),
                "password_too_long",
            ),
        ] {
            assert_eq!(code(&policy, &password, &[]), expected, "{name}");
        }
        let problem = policy
            .clone()
            .least_length(15)
            .check("vkbqmwzrvkbqmw", &[])
            .unwrap_err();
        assert_eq!(
            problem.to_string(),
            "the password must have at least 15 characters"
        );
        assert_eq!(
            code(&policy.clone().least_length(0), "", &[]),
            "password_too_short"
        );
        assert_eq!(code(&policy.clone().least_length(4), "vkbq", &[]), "good");
        let passphrase = "vkbqmwzr jtpxlcnd gshyfeoa uivkrwzq mbtdxjcl pnhgysae fouirkqw v";
        assert_eq!(passphrase.len(), 64);
        assert_eq!(
            code(&policy.least_length(usize::MAX), passphrase, &[]),
            "good"
        );
    }

    #[test]
    fn rules_look_at_the_one_form_of_a_password() {
        let names = ["Zoë.Lopez@example.com"];
        for (password, expected) in [
            ("ｐａｓｓｗｏｒｄ２０２４", "password_too_common"),
            ("𝐩𝐚𝐬𝐬𝐰𝐨𝐫𝐝𝟏", "password_too_common"),
            ("ＬＯＰＥＺ1984!", "password_too_similar"),
            ("ZOE\u{308}.LOPEZ@example.com", "password_too_similar"),
            // Seven characters, however they were composed.
            (
                "e\u{308}a\u{308}o\u{308}u\u{308}i\u{308}vk",
                "password_too_short",
            ),
            ("e\u{308}a\u{308}o\u{308}u\u{308}i\u{308}vkq", "good"),
        ] {
            let code = code(&PasswordPolicy::new(), password, &names);
            assert_eq!(code, expected, "{password:?}");
        }
    }

    #[test]
    fn any_characters_are_a_password() {
        for password in [
            "tab\tand\nline",
            "nul\0inside it",
            "\u{7}\u{8}\u{1b}\u{0}\u{1f}\u{1}\u{2}\u{3}",
            "密码是我的秘密呀哈",
            "🐎🔋📎🏠🌊🎈🚲🧭",
            "correct horse battery staple",
            "  vkbqmwzr  ",
        ] {
            assert_eq!(
                code(&PasswordPolicy::new(), password, &["anna"]),
                "good",
                "{password:?}"
            );
        }
    }

    #[test]
    fn a_name_is_no_password() {
        let names = [
            "Anna.Lopez-84",
            "anna.l@mail.example.org",
            "0171 234567",
            "Жанна",
            "",
        ];
        for password in [
            "Anna.Lopez-84",
            "ANNALOPEZ",
            "annalopez84",
            "lopez1984",
            "1984Lopez!",
            "!!Lopez!!",
            "LopezLopez",
            "lopez12lopez",
            "anna.l@mail.example.org",
            "0171234567",
            "0171-234567",
            "0171234567!",
            "example1",
            "Жанна1984",
            "жанна-жанна",
        ] {
            assert_eq!(
                code(&PasswordPolicy::new(), password, &names),
                "password_too_similar",
                "{password}"
            );
        }
        for password in ["lopezwasthere", "vkbqmwzr", "0171234568x", "8392746158027"] {
            assert_eq!(
                code(&PasswordPolicy::new(), password, &names),
                "good",
                "{password}"
            );
        }
        assert_eq!(
            code(
                &PasswordPolicy::new(),
                "8392746158027",
                &["7", "8", "!", "@"]
            ),
            "good"
        );
    }

    #[test]
    fn the_applications_own_words_are_refused_as_names_are() {
        let policy = PasswordPolicy::new()
            .refuse(["Egret"])
            .refuse([String::from("heron house")]);
        for password in ["Egret2024", "egretegret", "heronhouse", "Heron House 1"] {
            assert_eq!(
                code(&policy, password, &[]),
                "password_too_common",
                "{password}"
            );
        }
        assert_eq!(code(&policy, "an egret stands", &[]), "good");
    }

    #[cfg(feature = "common-passwords")]
    #[test]
    fn the_common_list_adds_to_the_rules_where_it_is_asked_for() {
        let listed = PasswordPolicy::new().common_list();
        for password in ["aardvark", "Aardvark", "AARDVARK"] {
            assert_eq!(
                code(&PasswordPolicy::new(), password, &[]),
                "good",
                "{password}"
            );
            assert_eq!(
                code(&listed, password, &[]),
                "password_too_common",
                "{password}"
            );
        }
        assert_eq!(code(&listed, "vkbqmwzr", &[]), "good");
    }

    #[test]
    fn no_text_panics() {
        let texts = [
            "", "@", "a@", "@b", "\0", "İ", "ß", "ﬀ", "e\u{301}", "🐎", "\u{202e}", "7", "a7",
            "7a", "aaaa", "ı̇",
        ];
        for password in texts {
            for name in texts {
                let policy = PasswordPolicy::new().least_length(1).refuse([name]);
                for times in [1, 2, 9, 60] {
                    let _ = policy.check(&password.repeat(times), &[name, &name.repeat(times)]);
                    let _ = policy.check(
                        &format!("{password}{name}{password}").repeat(times),
                        &[name],
                    );
                }
            }
        }
    }
}
