use super::form::any_keys;
use crate::failure::Failure;
use crate::input::KeyArgument;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use tower_auth::{Clock, SystemClock};

#[derive(Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    key: KeyArgument,
}

impl Revoke {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let key = self.key.find(&service).await?;
        let keys = any_keys(&service);
        let what = format!("key with the id {}", key.id);
        let refused = |rejection| Failure::refused(&rejection, &what);
        keys.revoke(&key.owner, &key.id).await.map_err(refused)?;
        let revoked = keys.find(&key.owner, &key.id).await.map_err(refused)?;
        let told = format!("The key {} is revoked.", key.id);
        let shown = KeyShown::at(&revoked, SystemClock.now());
        settings.console().say(&told, &shown)
    }
}
