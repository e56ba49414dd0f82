use super::form::any_keys;
use crate::failure::Failure;
use crate::input::OwnerArgument;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use tower_auth::{Clock, SystemClock};

#[derive(Args)]
pub(crate) struct Revoke {
    #[arg(value_name = "ID", help = "The id of the key, as lists show it.")]
    id: String,
    #[command(flatten)]
    owner: OwnerArgument,
}

impl Revoke {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let owner = self.owner.find(&service).await?;
        let keys = any_keys(&service);
        let what = format!("key with the id {} of that owner", self.id);
        let refused = |rejection| Failure::refused(&rejection, &what);
        keys.revoke(&owner, &self.id).await.map_err(refused)?;
        let key = keys.find(&owner, &self.id).await.map_err(refused)?;
        let told = format!("The key {} is revoked.", self.id);
        let shown = KeyShown::at(&key, SystemClock.now());
        settings.console().say(&told, &shown)
    }
}
