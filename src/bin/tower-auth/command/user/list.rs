use crate::console;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::shown::UserShown;
use clap::Args;
use tower_auth::{PasswordPolicy, Subject};

/// How many users are read at once.
const PAGE: usize = 100;

#[derive(Args)]
pub(crate) struct List {}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let users = service.realm.users(PasswordPolicy::new());
        let mut list = console::List::new(settings.console());
        let mut after: Option<Subject> = None;
        loop {
            let listed = users.list(after.as_ref(), PAGE).await;
            let page = listed.map_err(|rejection| Failure::refused(&rejection, "user"))?;
            let shown: Vec<UserShown> = page.iter().map(|user| UserShown::from(&**user)).collect();
            list.page(&shown)?;
            match page.last() {
                Some(last) if page.len() == PAGE => after = Some(last.id.clone()),
                _ => break,
            }
        }
        list.end();
        Ok(())
    }
}
