use super::form::KeyForm;
use super::new_key;
use crate::failure::Failure;
use crate::input::{OwnerArgument, Period, date, json, rate, role, scope};
use crate::settings::Settings;
use clap::Args;
use serde_json::Value;
use std::time::SystemTime;
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::throttle::Rate;
use tower_auth::{KeyRequest, Role, Scope, Subject};

#[derive(Args)]
pub(crate) struct Create {
    #[command(flatten)]
    owner: OwnerArgument,
    #[arg(long, value_name = "NAME", help = "Says what the owner calls the key.")]
    name: String,
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        value_parser = scope,
        help = "Grants a scope; there may be several."
    )]
    scopes: Vec<Scope>,
    #[arg(
        long = "role",
        value_name = "ROLE",
        value_parser = role,
        help = "Gives a role; there may be several."
    )]
    roles: Vec<Role>,
    #[arg(
        long,
        value_name = "RATE",
        value_parser = rate,
        help = "Gives the key a rate of its own, such as 2000/day."
    )]
    rate: Option<Rate>,
    #[arg(
        long,
        value_name = "DATE",
        value_parser = date,
        conflicts_with = "expires_in",
        help = "Says when the key expires, such as 2027-01-31T00:00:00Z; it never does by default."
    )]
    expires: Option<SystemTime>,
    #[arg(
        long,
        value_name = "LENGTH",
        help = "Says after how long the key expires, such as 90d."
    )]
    expires_in: Option<Period>,
    #[arg(
        long,
        value_name = "JSON",
        value_parser = json,
        help = "Keeps data of the application's own with the key, such as '{\"team\": 7}'."
    )]
    metadata: Option<Value>,
    #[command(flatten)]
    form: KeyForm,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let service = settings.service().await?;
        let keys = self.form.of_new(&service)?;
        let owner = self.owner.find(&service).await?;
        let now = SystemClock.now();
        let request = self.request(owner, now)?;
        let issued = keys.issue(request).await;
        let new = issued.map_err(|rejection| Failure::refused(&rejection, "key"))?;
        new_key::print(&new, &keys, now, settings.console()).await
    }

    fn request(self, owner: Subject, now: SystemTime) -> Result<KeyRequest, Failure> {
        let mut request = KeyRequest::new(owner, self.name);
        request = self.scopes.into_iter().fold(request, KeyRequest::scope);
        request = self.roles.into_iter().fold(request, KeyRequest::role);
        if let Some(rate) = self.rate {
            request = request.rate(rate);
        }
        if let Some(at) = self.expires {
            request = request.expires(at);
        }
        if let Some(Period(length)) = self.expires_in {
            let end = now.checked_add(length);
            let end =
                end.ok_or_else(|| Failure::usage("The end of --expires-in is too far away."))?;
            request = request.expires(end);
        }
        if let Some(metadata) = &self.metadata {
            let kept = request.metadata(metadata);
            request = kept.map_err(|error| Failure::usage(format!("The metadata: {error}.")))?;
        }
        Ok(request)
    }
}
