use crate::failure::Failure;
use crate::input::KeyArgument;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use tower_auth::clock::{Clock, SystemClock};

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    key: KeyArgument,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let key = self.key.find(&service).await?;
        let shown = KeyShown::at(&key, SystemClock.now());
        settings.console().show(&shown)
    }
}
