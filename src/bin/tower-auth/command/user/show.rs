use crate::failure::Failure;
use crate::input::UserArgument;
use crate::settings::Settings;
use crate::shown::UserShown;
use clap::Args;

#[derive(Args)]
pub(crate) struct Show {
    #[command(flatten)]
    user: UserArgument,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let user = self.user.find(&service).await?;
        settings.console().show(&UserShown::from(&*user))
    }
}
