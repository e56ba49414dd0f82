use crate::failure::Failure;
use crate::input::{PasswordInput, role, scope, subject};
use crate::settings::Settings;
use crate::shown::UserShown;
use clap::Args;
use tower_auth::{NewUser, Role, Scope, Subject};

#[derive(Args)]
pub(crate) struct Add {
    #[arg(
        value_name = "NAME",
        help = "The name that the user signs in by, mostly an email address."
    )]
    name: String,
    #[arg(
        long = "name",
        value_name = "NAME",
        help = "Adds a further name to sign in by; there may be several."
    )]
    names: Vec<String>,
    #[arg(
        long,
        value_name = "[KIND:]ID",
        value_parser = subject,
        help = "Gives the user this id, in place of a random UUID."
    )]
    id: Option<Subject>,
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        value_parser = scope,
        help = "Grants a scope; there may be several."
    )]
    scopes: Vec<Scope>,
    #[arg(
        long = "role",
        value_name = "ROLE",
        value_parser = role,
        help = "Gives a role; there may be several."
    )]
    roles: Vec<Role>,
    #[command(flatten)]
    password: PasswordInput,
}

impl Add {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let users = service.realm.users(self.password.policy());
        let mut new = NewUser::new(self.name, self.password.read()?);
        new = self.names.into_iter().fold(new, NewUser::name);
        new = self.scopes.into_iter().fold(new, NewUser::scope);
        new = self.roles.into_iter().fold(new, NewUser::role);
        if let Some(id) = self.id {
            new = new.id(id);
        }
        let registered = users.register(new).await;
        let user = registered.map_err(|rejection| Failure::refused(&rejection, "user"))?;
        settings.console().show(&UserShown::from(&*user))
    }
}
