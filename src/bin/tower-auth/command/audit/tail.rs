use crate::console;
use crate::failure::Failure;
use crate::settings::Settings;
use crate::shown::AuditShown;
use clap::Args;
use std::time::Duration;
use tokio::time::sleep;
use tower_auth::store::AuditStore;

/// How many records are read at once.
const PAGE: usize = 100;
/// How often it is looked for more.
const EVERY: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Tail {
    #[arg(
        short = 'n',
        long,
        value_name = "NUMBER",
        default_value_t = 20,
        value_parser = clap::value_parser!(u16).range(1..=10_000),
        help = "Prints so many records."
    )]
    lines: u16,
    #[arg(
        long,
        value_name = "NUMBER",
        conflicts_with = "lines",
        help = "Prints all records after this one, by its number, and not the last ones."
    )]
    after: Option<u64>,
    #[arg(
        short = 'f',
        long,
        help = "Goes on printing what happens, until it is stopped."
    )]
    follow: bool,
}

impl Tail {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let mut list = console::List::new(settings.console());
        let mut last = self.after.unwrap_or(0);
        if self.after.is_none() {
            let records = service
                .store
                .list_audit(None, usize::from(self.lines))
                .await?;
            let shown: Vec<AuditShown> = records.iter().map(AuditShown::from).collect();
            list.page(&shown)?;
            if let Some(record) = records.last() {
                last = record.number;
            }
        }
        if self.after.is_none() && !self.follow {
            list.end();
            return Ok(());
        }
        loop {
            let records = service.store.list_audit(Some(last), PAGE).await?;
            let shown: Vec<AuditShown> = records.iter().map(AuditShown::from).collect();
            list.page(&shown)?;
            if let Some(record) = records.last() {
                last = record.number;
            }
            // A full page may have more behind it, which nobody should wait a second for. Without
            // `--follow` it is the page that is not full which tells where the end was.
            let is_whole = records.len() == PAGE;
            match (is_whole, self.follow) {
                (true, _) => {}
                (false, true) => sleep(EVERY).await,
                (false, false) => break,
            }
        }
        list.end();
        Ok(())
    }
}
