use crate::console;
use crate::failure::Failure;
use crate::input::OwnerArgument;
use crate::settings::Settings;
use crate::shown::KeyShown;
use clap::Args;
use std::sync::Arc;
use tower_auth::store::{KeyRecord, ManagedKeyStore};
use tower_auth::{Clock, SystemClock};

/// How many keys are read at once.
const PAGE: usize = 100;

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    owner: OwnerArgument,
}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let owner = self.owner.find(&service).await?;
        let now = SystemClock.now();
        let mut list = console::List::new(settings.console());
        let mut after: Option<Arc<KeyRecord>> = None;
        loop {
            let page = service
                .store
                .list_keys(&owner, after.as_deref(), PAGE)
                .await?;
            let shown: Vec<KeyShown> = page.iter().map(|key| KeyShown::at(key, now)).collect();
            list.page(&shown)?;
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(Arc::clone(last)),
                _ => break,
            }
        }
        list.end();
        Ok(())
    }
}
