use super::user::find_by_name;
use super::values::subject;
use crate::failure::Failure;
use crate::service::Service;
use clap::Args;
use tower_auth::Subject;

/// Whose keys or tokens: those of a user, or of a thing of another kind.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct OwnerArgument {
    #[arg(
        long,
        value_name = "NAME",
        help = "Names the owner by a name that the user signs in by."
    )]
    user: Option<String>,
    #[arg(
        long,
        value_name = "[KIND:]ID",
        value_parser = subject,
        help = "Names the owner by the id: a user's, or that of another kind, such as tenant:42."
    )]
    owner: Option<Subject>,
}

impl OwnerArgument {
    pub(crate) async fn find(&self, service: &Service) -> Result<Subject, Failure> {
        if let Some(name) = &self.user {
            let user = find_by_name(service, name).await?;
            return Ok(user.id.clone());
        }
        match &self.owner {
            Some(owner) => Ok(owner.clone()),
            None => Err(Failure::usage("Say whose, by --user or by --owner.")),
        }
    }
}
