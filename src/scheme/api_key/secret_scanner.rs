use super::ApiKeys;

/// Who looks for leaked keys, in repositories and elsewhere: the form of the rule that it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretScanner {
    /// A custom pattern of GitHub's secret scanning: the lines for the three fields of its form, or
    /// for an application to its partner program.
    GitHub,
    /// A rule for the configuration of gitleaks, in TOML.
    Gitleaks,
    /// A custom detector of TruffleHog, in YAML.
    Trufflehog,
}

/// 43 random characters of base62 and 6 of the checksum.
const AFTER_THE_PREFIX: &str = "[0-9A-Za-z]{49}";

impl ApiKeys {
    /// The regular expression of these keys, without what stands around them:
    /// `egret_[0-9A-Za-z]{49}`. Keys of 256 random bits with a checksum are not found where there
    /// is none. `None` for keys without a prefix, and for those that are opaque: nothing tells them
    /// from other text.
    ///
    /// ```
    /// use tower_auth::ApiKeys;
    ///
    /// let keys = ApiKeys::prefix("egret");
    /// assert_eq!(keys.pattern().as_deref(), Some("egret_[0-9A-Za-z]{49}"));
    /// assert_eq!(ApiKeys::bare().pattern(), None);
    /// ```
    #[must_use]
    pub fn pattern(&self) -> Option<String> {
        let prefix = self.configured_prefix()?;
        // A prefix of letters, digits, `-` and `_` needs no escapes, whatever language of patterns
        // a scanner has.
        let is_plain = prefix
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        (self.are_checked() && is_plain).then(|| format!("{prefix}{AFTER_THE_PREFIX}"))
    }

    /// The rule by which a scanner for leaked secrets finds these keys; `None` as for
    /// [`pattern`](Self::pattern). The command `tower-auth key pattern` prints it.
    ///
    /// ```
    /// use tower_auth::api_key::SecretScanner;
    /// use tower_auth::ApiKeys;
    ///
    /// let rule = ApiKeys::prefix("egret").scanner_rule(SecretScanner::Gitleaks).unwrap();
    /// assert!(rule.contains(r#"keywords = ["egret_"]"#));
    /// ```
    #[must_use]
    pub fn scanner_rule(&self, scanner: SecretScanner) -> Option<String> {
        let pattern = self.pattern()?;
        let prefix = self.configured_prefix()?;
        let name = prefix.trim_end_matches(['-', '_']);
        Some(match scanner {
            SecretScanner::GitHub => format!(
                "Secret format: {pattern}\n\
                 Before secret: \\A|[^0-9A-Za-z]\n\
                 After secret: \\z|[^0-9A-Za-z]\n"
            ),
            SecretScanner::Gitleaks => format!(
                "[[rules]]\n\
                 id = \"{name}-api-key\"\n\
                 description = \"An API key that begins with {prefix}\"\n\
                 regex = '''\\b({pattern})(?:[^0-9A-Za-z]|$)'''\n\
                 secretGroup = 1\n\
                 keywords = [\"{}\"]\n",
                // It compares keywords in lower case.
                prefix.to_ascii_lowercase()
            ),
            SecretScanner::Trufflehog => format!(
                "detectors:\n\
                 \x20 - name: {name} API key\n\
                 \x20   keywords:\n\
                 \x20     - {prefix}\n\
                 \x20   regex:\n\
                 \x20     key: '\\b({pattern})\\b'\n"
            ),
        })
    }
}
