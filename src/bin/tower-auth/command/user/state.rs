//! What becomes of an account.

use crate::failure::Failure;
use crate::input::UserArgument;
use crate::settings::Settings;
use crate::shown::UserShown;
use clap::Args;
use tower_auth::PasswordPolicy;
use tower_auth::store::UserRecord;

#[derive(Args)]
pub(crate) struct Disable {
    #[command(flatten)]
    user: UserArgument,
}

#[derive(Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    user: UserArgument,
}

#[derive(Args)]
pub(crate) struct Remove {
    #[command(flatten)]
    user: UserArgument,
}

#[derive(Clone, Copy)]
enum Change {
    Disabled,
    Enabled,
    Removed,
}

impl Disable {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        change(self.user, Change::Disabled, settings).await
    }
}

impl Enable {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        change(self.user, Change::Enabled, settings).await
    }
}

impl Remove {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        change(self.user, Change::Removed, settings).await
    }
}

async fn change(user: UserArgument, to: Change, settings: &Settings) -> Result<(), Failure> {
    let service = settings.service().await?;
    let users = service.realm.users(PasswordPolicy::new());
    let user = user.find(&service).await?;
    let title = UserShown::from(&*user).title();
    let changed = match to {
        Change::Disabled => users.disable(&user.id).await,
        Change::Enabled => users.enable(&user.id).await,
        Change::Removed => users.remove(&user.id).await,
    };
    changed.map_err(|rejection| Failure::refused(&rejection, &title))?;
    let (now, told) = match to {
        // A removed user is found no more, so what is printed is made of what was read before.
        Change::Removed => (UserRecord::clone(&user).removed(), "removed"),
        change => {
            let found = users.find(&user.id).await;
            let found = found.map_err(|rejection| Failure::refused(&rejection, &title))?;
            let told = match change {
                Change::Enabled => "enabled",
                _ => "disabled",
            };
            (UserRecord::clone(&found), told)
        }
    };
    let told = format!("The {title} is {told}.");
    settings.console().say(&told, &UserShown::from(&now))
}
