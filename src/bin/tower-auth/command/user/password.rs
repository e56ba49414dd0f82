use crate::failure::Failure;
use crate::input::{PasswordInput, UserArgument};
use crate::settings::Settings;
use crate::shown::UserShown;
use clap::Args;

#[derive(Args)]
pub(crate) struct Password {
    #[command(flatten)]
    user: UserArgument,
    #[command(flatten)]
    password: PasswordInput,
}

impl Password {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let users = service.realm.users(self.password.policy());
        let user = self.user.find(&service).await?;
        let title = UserShown::from(&*user).title();
        let set = users.set_password(&user.id, self.password.read()?).await;
        set.map_err(|rejection| Failure::refused(&rejection, &title))?;
        let found = users.find(&user.id).await;
        let user = found.map_err(|rejection| Failure::refused(&rejection, &title))?;
        let told = format!("The {title} has the new password, and all sessions have ended.");
        settings.console().say(&told, &UserShown::from(&*user))
    }
}
