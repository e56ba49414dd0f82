use super::presented::PresentedToken;
use super::revocation::{Revocation, Revoked};
use crate::failure::Failure;
use crate::input::{OwnerArgument, read_secret};
use crate::settings::Settings;
use crate::shown::SubjectShown;
use clap::Args;
use std::path::PathBuf;

// The owner may be left out: a token that is read from stdin says itself whose it is.
#[derive(Args)]
#[command(mut_group("OwnerArgument", |group| group.required(false)))]
pub(crate) struct Revoke {
    #[command(flatten)]
    owner: Option<OwnerArgument>,
    #[arg(
        long,
        value_name = "ID",
        requires = "OwnerArgument",
        help = "Revokes this private token of the owner alone, and not all that the owner has."
    )]
    private: Option<String>,
    #[arg(
        long,
        value_name = "PATH",
        conflicts_with = "OwnerArgument",
        help = "Reads the token from the first line of this file, and not from stdin."
    )]
    token_file: Option<PathBuf>,
}

impl Revoke {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let revocation = match &self.owner {
            Some(owner) => self.revoke_of(owner, settings).await?,
            None => self.revoke_presented(settings).await?,
        };
        settings.console().say(&revocation.told(), &revocation)
    }

    async fn revoke_of(
        &self,
        owner: &OwnerArgument,
        settings: &Settings,
    ) -> Result<Revocation, Failure> {
        let service = settings.service().await?;
        let owner = owner.find(&service).await?;
        let tokens = service.ends_sessions()?;
        let shown = SubjectShown::from(&owner);
        let Some(id) = &self.private else {
            let ended = tokens.sign_out_everywhere(&owner).await;
            ended.map_err(|rejection| Failure::refused(&rejection, "owner"))?;
            return Ok(Revocation {
                revoked: Revoked::Everything,
                owner: shown,
                id: None,
            });
        };
        let what = format!("private token with the id {id} of {shown}");
        let revoked = tokens.revoke_private(&owner, id).await;
        revoked.map_err(|rejection| Failure::refused(&rejection, &what))?;
        Ok(Revocation {
            revoked: Revoked::PrivateToken,
            owner: shown,
            id: Some(id.clone()),
        })
    }

    async fn revoke_presented(&self, settings: &Settings) -> Result<Revocation, Failure> {
        let token = PresentedToken::read(read_secret(self.token_file.as_deref(), "token")?)?;
        let service = settings.service().await?;
        token.revoke(&service).await?;
        Ok(Revocation {
            revoked: Revoked::Token,
            owner: SubjectShown::from(&token.subject()),
            id: None,
        })
    }
}
