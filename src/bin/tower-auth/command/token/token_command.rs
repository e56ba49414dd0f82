use super::revoke::Revoke;
use crate::failure::Failure;
use crate::settings::Settings;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum TokenCommand {
    #[command(
        about = "Revokes a token that is read from stdin, a private token, or all sessions and \
                 private tokens of somebody."
    )]
    Revoke(Revoke),
}

impl TokenCommand {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Revoke(command) => command.run(settings).await,
        }
    }
}
