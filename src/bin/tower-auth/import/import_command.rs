use super::django::Django;
use crate::failure::Failure;
use crate::settings::Settings;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum ImportCommand {
    #[command(
        about = "Moves users, tokens and API keys of a Django REST service into the store, \
                       so that passwords, tokens and keys go on working as they are."
    )]
    Django(Django),
}

impl ImportCommand {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Django(command) => command.run(settings).await,
        }
    }
}
