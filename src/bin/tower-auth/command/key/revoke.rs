use super::form::any_keys;
use crate::failure::Failure;
use crate::input::KeyArgument;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use std::sync::Arc;
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::store::KeyRecord;
use tower_auth::{KeyIssuer, Rejection};

#[derive(Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    key: KeyArgument,
}

impl Revoke {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let key = self.key.find(&service).await?;
        let revoked = match revoke(&any_keys(&service), &key).await {
            Ok(revoked) => revoked,
            Err(rejection) => {
                let what = format!("key with the id {}", key.id);
                return Err(Failure::refused(&rejection, &what));
            }
        };
        let told = format!("The key {} is revoked.", key.id);
        let shown = KeyShown::at(&revoked, SystemClock.now());
        settings.console().say(&told, &shown)
    }
}

/// The record as it is when the key is revoked.
async fn revoke(keys: &KeyIssuer, key: &KeyRecord) -> Result<Arc<KeyRecord>, Rejection> {
    keys.revoke(&key.owner, &key.id).await?;
    keys.find(&key.owner, &key.id).await
}
