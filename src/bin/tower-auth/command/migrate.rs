use crate::failure::Failure;
use crate::service::Service;
use crate::settings::Settings;
use clap::Args;
use schemars::JsonSchema;
use serde::Serialize;

#[derive(Args)]
pub(crate) struct Migrate {}

/// The version of the tables.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Migration {
    /// Before; 0 where there were none.
    from: u64,
    /// Now.
    to: u64,
}

impl Migrate {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = Service::new_or_existing(settings.patience()).await?;
        // The version is asked for first, because that fails at once where the store does not
        // answer.
        let former = service.store.schema_version().await?;
        if former.lacks_steps() {
            service.store.migrate().await?;
        }
        service.check_tables().await?;
        let migration = Migration {
            from: former.found,
            // Tables of a later release are left as they are.
            to: former.found.max(former.known),
        };
        settings.console().say(&migration.told(), &migration)
    }
}

impl Migration {
    fn told(&self) -> String {
        match (self.from, self.to) {
            (from, to) if from == to => format!("The tables are up to date: version {to}."),
            (0, to) => format!("The tables were made: version {to}."),
            (from, to) => format!("The tables were brought from version {from} to version {to}."),
        }
    }
}
