use super::check::Check;
use super::findings::Findings;
use super::{environment, redis, store};
use crate::failure::Failure;
use crate::service::{Service, read_environment};
use crate::settings::Settings;
use clap::Args;

#[derive(Args)]
pub(crate) struct Doctor {}

impl Doctor {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let mut findings = Findings::new(settings.console());
        match read_environment() {
            Ok(read) => {
                findings.add(environment::checks(&read))?;
                match Service::existing(settings.patience()).await {
                    Ok(service) => store::check(&service, settings, &mut findings).await?,
                    // A store that does not answer is one finding among others: Redis is looked at
                    // all the same.
                    Err(failure) => findings.add([Check::fault("store", failure.text())])?,
                }
                findings.add(redis::checks(&read, settings.patience()).await)?;
            }
            Err(failure) => findings.add([Check::fault("environment", failure.text())])?,
        }
        findings.end()
    }
}
