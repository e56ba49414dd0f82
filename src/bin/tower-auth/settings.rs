use crate::console::Console;
use crate::failure::Failure;
use crate::service::Service;
use clap::Args;
use std::time::Duration;

/// What every command can be told.
#[derive(Args)]
pub(crate) struct Settings {
    #[arg(
        long,
        global = true,
        display_order = 900,
        help = "Prints lines of JSON, one object each, instead of a table."
    )]
    json: bool,
    #[arg(
        long,
        global = true,
        display_order = 900,
        value_name = "SECONDS",
        default_value_t = 10,
        value_parser = clap::value_parser!(u64).range(1..=600),
        help = "Says how long the store may take to answer."
    )]
    timeout: u64,
}

impl Settings {
    pub(crate) fn console(&self) -> Console {
        Console::new(self.json)
    }

    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// The service whose store the environment names, with tables that are up to date.
    pub(crate) async fn service(&self) -> Result<Service, Failure> {
        let service = Service::existing(self.patience()).await?;
        service.check_tables().await?;
        Ok(service)
    }
}
