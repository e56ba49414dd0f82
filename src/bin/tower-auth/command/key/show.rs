use super::form::any_keys;
use crate::failure::Failure;
use crate::input::OwnerArgument;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use tower_auth::{Clock, SystemClock};

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "ID", help = "The id of the key, as lists show it.")]
    id: String,
    #[command(flatten)]
    owner: OwnerArgument,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let owner = self.owner.find(&service).await?;
        let found = any_keys(&service).find(&owner, &self.id).await;
        let what = format!("key with the id {} of that owner", self.id);
        let key = found.map_err(|rejection| Failure::refused(&rejection, &what))?;
        let shown = KeyShown::at(&key, SystemClock.now());
        settings.console().show(&shown)
    }
}
