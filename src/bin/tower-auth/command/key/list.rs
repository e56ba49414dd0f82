use crate::console;
use crate::failure::Failure;
use crate::input::OwnerArgument;
use crate::service::Service;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use std::sync::Arc;
use tower_auth::Subject;
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::store::{KeyRecord, ManagedKeyStore, StoreError};

/// How many keys are read at once.
const PAGE: usize = 100;

#[derive(Args)]
#[command(mut_group("OwnerArgument", |group| group.required(false)))]
pub(crate) struct List {
    #[command(flatten)]
    owner: Option<OwnerArgument>,
}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let owner = self.owner(&service).await?;
        let now = SystemClock.now();
        let mut list = console::List::new(settings.console());
        let mut last: Option<Arc<KeyRecord>> = None;
        loop {
            let page = page(&service, owner.as_ref(), last.as_deref()).await?;
            let shown: Vec<KeyShown> = page.iter().map(|key| KeyShown::at(key, now)).collect();
            list.page(&shown)?;
            if page.len() < PAGE {
                break;
            }
            last = page.into_iter().last();
        }
        list.end();
        Ok(())
    }

    async fn owner(&self, service: &Service) -> Result<Option<Subject>, Failure> {
        match &self.owner {
            Some(owner) => Ok(Some(owner.find(service).await?)),
            None => Ok(None),
        }
    }
}

/// Those of an owner, oldest first, or of all owners, by their ids.
async fn page(
    service: &Service,
    owner: Option<&Subject>,
    last: Option<&KeyRecord>,
) -> Result<Vec<Arc<KeyRecord>>, StoreError> {
    match owner {
        Some(owner) => service.store.list_keys(owner, last, PAGE).await,
        None => {
            let after = last.map(|last| &*last.id);
            service.store.list_all_keys(after, PAGE).await
        }
    }
}
