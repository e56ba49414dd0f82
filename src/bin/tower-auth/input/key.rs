use super::OwnerArgument;
use crate::failure::Failure;
use crate::service::Service;
use clap::Args;
use std::sync::Arc;
use tower_auth::store::{KeyRecord, ManagedKeyStore};

/// Which API key: by its id, and where it matters whose it is, by its owner too.
#[derive(Args)]
#[command(mut_group("OwnerArgument", |group| group.required(false)))]
pub(crate) struct KeyArgument {
    #[arg(
        value_name = "ID",
        help = "The id of the key, as lists and logs show it."
    )]
    id: String,
    #[command(flatten)]
    owner: Option<OwnerArgument>,
}

impl KeyArgument {
    pub(crate) async fn find(&self, service: &Service) -> Result<Arc<KeyRecord>, Failure> {
        let id = &self.id;
        let (found, whose) = match &self.owner {
            Some(owner) => {
                let owner = owner.find(service).await?;
                let found = service.store.find_owned_key(&owner, id).await?;
                (found, " of that owner")
            }
            None => (service.store.find_key_by_id(id).await?, ""),
        };
        match found {
            Some(key) => Ok(key),
            None => {
                let missing = format!("There is no key with the id {id}{whose}.");
                Err(Failure::not_found(missing))
            }
        }
    }
}
