use super::tail::Tail;
use crate::failure::Failure;
use crate::settings::Settings;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    #[command(about = "Prints what happened last, where the service keeps it.")]
    Tail(Tail),
}

impl AuditCommand {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let Self::Tail(tail) = self;
        tail.run(settings).await
    }
}
