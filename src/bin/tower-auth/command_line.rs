use crate::command::{
    AuditCommand, Doctor, Explain, KeyCommand, Migrate, Schema, SecretCommand, TokenCommand,
    UserCommand,
};
use crate::exit::EXIT_CODES;
use crate::failure::Failure;
use crate::import::ImportCommand;
use crate::settings::Settings;
use clap::{Parser, Subcommand};

const ABOUT: &str =
    "Looks after the users, API keys and tokens of a service that is built with tower-auth.";

const LONG_ABOUT: &str = "\
Looks after the users, API keys and tokens of a service that is built with tower-auth.

The environment says where the store of the service is, and has its secrets: DATABASE_URL \
(sqlite:PATH or postgres://…), and where the service has them JWT_SECRET, API_KEY_PREFIX, \
API_KEY_PEPPER and REDIS_URL. Passwords and tokens are read from stdin or from a file, never from \
an argument. What was asked for is printed to stdout, all other words to stderr.";

/// The words that the command was called with.
#[derive(Parser)]
#[command(
    name = "tower-auth",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_help = EXIT_CODES,
    arg_required_else_help = true
)]
pub(crate) struct CommandLine {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    #[command(about = "Makes the tables of the store, or brings them up to date.")]
    Migrate(Migrate),
    #[command(about = "Looks for what is wrong with the store, the clocks and the secrets.")]
    Doctor(Doctor),
    #[command(
        subcommand,
        about = "Adds, lists, disables and removes users, and sets their passwords."
    )]
    User(UserCommand),
    #[command(subcommand, about = "Makes, lists, rotates and revokes API keys.")]
    Key(KeyCommand),
    #[command(subcommand, about = "Revokes tokens and ends sessions.")]
    Token(TokenCommand),
    #[command(about = "Says what the service would make of a credential, step by step and why.")]
    Explain(Explain),
    #[command(
        subcommand,
        about = "Prints what happened, where the service keeps it."
    )]
    Audit(AuditCommand),
    #[command(subcommand, about = "Makes secrets for the environment of a service.")]
    Secret(SecretCommand),
    #[command(
        subcommand,
        about = "Moves users and keys of another system into the store."
    )]
    Import(ImportCommand),
    #[command(about = "Prints the JSON Schema of what each command prints with --json.")]
    Schema(Schema),
}

impl CommandLine {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let settings = &self.settings;
        match self.command {
            Command::Migrate(command) => command.run(settings).await,
            Command::Doctor(command) => command.run(settings).await,
            Command::User(command) => command.run(settings).await,
            Command::Key(command) => command.run(settings).await,
            Command::Token(command) => command.run(settings).await,
            Command::Explain(command) => command.run(settings).await,
            Command::Audit(command) => command.run(settings).await,
            Command::Secret(command) => command.run(settings),
            Command::Import(command) => command.run(settings).await,
            Command::Schema(command) => command.run(settings),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::commands_with_a_schema;
    use clap::{ArgAction, CommandFactory};

    /// All commands by their path, `user add`, but for those that clap adds.
    fn tree() -> Vec<(String, clap::Command)> {
        let mut found = Vec::new();
        let mut open = vec![(String::new(), CommandLine::command())];
        while let Some((path, command)) = open.pop() {
            for child in command.get_subcommands() {
                let path = format!("{path} {}", child.get_name());
                open.push((path.trim().to_owned(), child.clone()));
            }
            found.push((path, command));
        }
        found
    }

    fn is_sentence(text: &str) -> bool {
        text.starts_with(|first: char| first.is_uppercase() || first.is_ascii_digit())
            && text.ends_with('.')
    }

    #[test]
    fn every_command_and_every_argument_is_told_in_a_sentence() {
        CommandLine::command().debug_assert();
        for (path, command) in tree() {
            let about = command.get_about().unwrap().to_string();
            assert!(is_sentence(&about), "{path}: {about}");
            for argument in command.get_arguments() {
                let help = argument.get_help().unwrap().to_string();
                assert!(is_sentence(&help), "{path}: {}: {help}", argument.get_id());
            }
        }
    }

    #[test]
    fn no_argument_takes_a_secret_but_the_name_of_its_file() {
        for (path, command) in tree() {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let is_secret = ["password", "secret", "token", "pepper", "key"]
                    .iter()
                    .any(|secret| name.contains(secret));
                let takes_text =
                    matches!(argument.get_action(), ArgAction::Set | ArgAction::Append);
                // The name of a file, or of a table in somebody's database, is none.
                let is_name = name.ends_with("_file") || name.ends_with("_table");
                assert!(!is_secret || !takes_text || is_name, "{path}: {name}");
            }
        }
    }

    #[test]
    fn every_command_that_does_something_says_what_it_prints_as_json() {
        let tree = tree();
        let all = tree
            .iter()
            .filter(|(_, command)| !command.has_subcommands());
        let mut all: Vec<&str> = all.map(|(path, _)| path.as_str()).collect();
        let mut known = commands_with_a_schema();
        all.sort_unstable();
        known.sort_unstable();
        assert_eq!(all, known);
    }
}
