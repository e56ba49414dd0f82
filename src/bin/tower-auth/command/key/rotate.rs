use super::form::{KeyForm, any_keys};
use super::new_key;
use crate::failure::Failure;
use crate::input::{OwnerArgument, Period};
use crate::settings::Settings;
use clap::Args;
use tower_auth::{Clock, SystemClock};

#[derive(Args)]
pub(crate) struct Rotate {
    #[arg(value_name = "ID", help = "The id of the key, as lists show it.")]
    id: String,
    #[command(flatten)]
    owner: OwnerArgument,
    #[arg(
        long,
        value_name = "LENGTH",
        default_value = "24h",
        help = "How long the former key goes on working, such as 24h or 0s."
    )]
    overlap: Period,
    #[command(flatten)]
    form: KeyForm,
}

impl Rotate {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let owner = self.owner.find(&service).await?;
        let found = any_keys(&service).find(&owner, &self.id).await;
        let what = format!("key with the id {} of that owner", self.id);
        let former = found.map_err(|rejection| Failure::refused(&rejection, &what))?;
        let now = SystemClock.now();
        if former.successor.is_some() {
            let told = "The key was rotated already: rotate its successor.";
            return Err(Failure::already_there(told));
        }
        if !former.is_active(now) {
            return Err(Failure::not_found("The key is revoked or expired."));
        }
        let keys = self.form.of_successor(&former, &service)?;
        let rotated = keys.rotate(&owner, &self.id, self.overlap.0).await;
        let new = rotated.map_err(|rejection| Failure::refused(&rejection, &what))?;
        new_key::print(&new, &keys, now, settings.console()).await
    }
}
