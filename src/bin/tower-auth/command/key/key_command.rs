use super::create::Create;
use super::list::List;
use super::pattern::Pattern;
use super::revoke::Revoke;
use super::rotate::Rotate;
use super::show::Show;
use super::unused_scopes::UnusedScopes;
use crate::failure::Failure;
use crate::settings::Settings;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    #[command(about = "Makes an API key and prints it to stdout, once.")]
    Create(Create),
    #[command(
        about = "Lists all API keys, or those of an owner, revoked and expired ones included."
    )]
    List(List),
    #[command(about = "Shows what is kept of an API key.")]
    Show(Show),
    #[command(
        about = "Makes the successor of an API key and prints it to stdout, once; the former one \
                 goes on working for a while."
    )]
    Rotate(Rotate),
    #[command(about = "Revokes an API key: the next request with it is refused.")]
    Revoke(Revoke),
    #[command(about = "Prints the rule by which a scanner finds API keys that leaked.")]
    Pattern(Pattern),
    #[command(
        about = "Lists the scopes that API keys have and have not used, where the service keeps \
                 their uses."
    )]
    UnusedScopes(UnusedScopes),
}

impl KeyCommand {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Create(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::Rotate(command) => command.run(settings).await,
            Self::Revoke(command) => command.run(settings).await,
            Self::Pattern(command) => command.run(settings),
            Self::UnusedScopes(command) => command.run(settings).await,
        }
    }
}
