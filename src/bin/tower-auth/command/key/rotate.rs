use super::form::KeyForm;
use super::new_key;
use crate::failure::Failure;
use crate::input::{KeyArgument, Period};
use crate::settings::Settings;
use clap::Args;
use tower_auth::clock::{Clock, SystemClock};

#[derive(Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    key: KeyArgument,
    #[arg(
        long,
        value_name = "LENGTH",
        default_value = "24h",
        help = "Says how long the former key goes on working, such as 24h or 0s."
    )]
    overlap: Period,
    #[command(flatten)]
    form: KeyForm,
}

impl Rotate {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let former = self.key.find(&service).await?;
        let now = SystemClock.now();
        // `rotate` refuses such a key as well, but only as one that is not there. Here the operator
        // hears why, and a script gets another number.
        if former.successor.is_some() {
            let told = "The key was rotated already: rotate its successor.";
            return Err(Failure::already_there(told));
        }
        if !former.is_active(now) {
            return Err(Failure::not_found("The key is revoked or expired."));
        }
        let keys = self.form.of_successor(&former, &service)?;
        let rotated = keys.rotate(&former.owner, &former.id, self.overlap.0).await;
        let what = format!("key with the id {} that could be rotated", former.id);
        let new = rotated.map_err(|rejection| Failure::refused(&rejection, &what))?;
        new_key::print(&new, &keys, now, settings.console()).await
    }
}
