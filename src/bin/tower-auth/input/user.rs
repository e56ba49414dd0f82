use super::values::subject;
use crate::failure::Failure;
use crate::service::Service;
use clap::Args;
use std::sync::Arc;
use tower_auth::store::name_form;
use tower_auth::store::{UserRecord, UserStore};
use tower_auth::{PasswordPolicy, Subject};

/// Which user, disabled ones included: by a name or by the id.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct UserArgument {
    #[arg(value_name = "NAME", help = "The name that the user signs in by.")]
    name: Option<String>,
    #[arg(
        long,
        value_name = "[KIND:]ID",
        value_parser = subject,
        help = "Names the user by the id."
    )]
    id: Option<Subject>,
}

impl UserArgument {
    pub(crate) async fn find(&self, service: &Service) -> Result<Arc<UserRecord>, Failure> {
        if let Some(name) = &self.name {
            return find_by_name(service, name).await;
        }
        match &self.id {
            Some(id) => find_by_id(service, id).await,
            None => Err(Failure::usage("Say which user, by a name or by --id.")),
        }
    }
}

async fn find_by_id(service: &Service, id: &Subject) -> Result<Arc<UserRecord>, Failure> {
    let users = service.realm.users(PasswordPolicy::new());
    let what = format!("user with the id {id}");
    let found = users.find(id).await;
    found.map_err(|rejection| Failure::refused(&rejection, &what))
}

/// By a name as a sign-in looks for it.
pub(super) async fn find_by_name(
    service: &Service,
    name: &str,
) -> Result<Arc<UserRecord>, Failure> {
    // First as it was typed: a user who was moved from Django may have a name that is not in the
    // one form, because another user's name has the same form.
    if let Some(user) = service.store.find_user(name).await? {
        return Ok(user);
    }
    let found = service.store.find_user(&name_form(name)).await?;
    found.ok_or_else(|| Failure::not_found(format!("There is no user with the name {name}.")))
}
