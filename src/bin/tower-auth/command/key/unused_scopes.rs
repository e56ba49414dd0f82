use super::form::any_keys;
use crate::console::{self, Record};
use crate::failure::Failure;
use crate::input::OwnerArgument;
use crate::settings::Settings;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;
use tower_auth::Scopes;
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::store::KeyRecord;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Args)]
pub(crate) struct UnusedScopes {
    #[command(flatten)]
    owner: OwnerArgument,
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 30,
        value_parser = clap::value_parser!(u32).range(1..=3_650),
        help = "Looks back so many days."
    )]
    days: u32,
}

/// Scopes that a key has and has not used.
#[derive(Serialize, JsonSchema)]
pub(crate) struct UnusedShown {
    /// The id of the key.
    id: String,
    /// What its owner calls it.
    name: String,
    /// The scopes that it has and has not used.
    unused: Vec<String>,
    /// All scopes that it has.
    scopes: Vec<String>,
}

impl UnusedShown {
    fn of(key: &KeyRecord, unused: &Scopes) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.to_string(),
            unused: unused.iter().map(str::to_owned).collect(),
            scopes: key.scopes.iter().map(str::to_owned).collect(),
        }
    }
}

impl UnusedScopes {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let owner = self.owner.find(&service).await?;
        let since = SystemClock.now().checked_sub(DAY * self.days);
        let keys = any_keys(&service);
        let found = keys
            .unused_scopes(&owner, since.unwrap_or(std::time::UNIX_EPOCH))
            .await;
        let found = found.map_err(|rejection| Failure::refused(&rejection, "owner"))?;
        let shown = found
            .iter()
            .map(|(key, unused)| UnusedShown::of(key, unused));
        let shown: Vec<UnusedShown> = shown.collect();
        let mut list = console::List::new(settings.console());
        list.page(&shown)?;
        list.end();
        Ok(())
    }
}

impl Record for UnusedShown {
    const COLUMNS: &'static [&'static str] = &["id", "name", "unused", "scopes"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.id.clone(),
            self.name.clone(),
            self.unused.join(" "),
            self.scopes.join(" "),
        ]
    }
}
