use super::form::KeyForm;
use crate::failure::Failure;
use crate::service::read_environment;
use crate::settings::Settings;
use clap::{Args, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;
use tower_auth::api_key::SecretScanner;

#[derive(Args)]
pub(crate) struct Pattern {
    #[command(flatten)]
    form: KeyForm,
    #[arg(
        long,
        value_enum,
        value_name = "SCANNER",
        default_value_t = Scanner::Gitleaks,
        help = "Says for which scanner the rule is."
    )]
    scanner: Scanner,
}

#[derive(Clone, Copy, ValueEnum)]
enum Scanner {
    #[value(help = "The fields of a custom pattern of GitHub's secret scanning.")]
    Github,
    #[value(help = "A rule of gitleaks, in TOML.")]
    Gitleaks,
    #[value(help = "A custom detector of TruffleHog, in YAML.")]
    Trufflehog,
}

/// How a scanner finds API keys that leaked.
#[derive(Serialize, JsonSchema)]
pub(crate) struct PatternShown {
    /// The regular expression of the keys alone.
    pattern: String,
    /// The rule in the form of the scanner.
    rule: String,
}

impl Pattern {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let environment = read_environment()?;
        let keys = self.form.chosen_by(&environment);
        let scanner = match self.scanner {
            Scanner::Github => SecretScanner::GitHub,
            Scanner::Gitleaks => SecretScanner::Gitleaks,
            Scanner::Trufflehog => SecretScanner::Trufflehog,
        };
        let found = keys.and_then(|keys| keys.pattern().zip(keys.scanner_rule(scanner)));
        let Some((pattern, rule)) = found else {
            return Err(Failure::usage(
                "Only keys with a prefix are told from other text: say it by --prefix, or by \
                 API_KEY_PREFIX in the environment.",
            ));
        };
        let shown = PatternShown { pattern, rule };
        settings.console().text(&shown.rule, &shown)
    }
}
