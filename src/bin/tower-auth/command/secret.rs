use crate::failure::Failure;
use crate::settings::Settings;
use clap::{Args, Subcommand};
use schemars::JsonSchema;
use serde::Serialize;
use tower_auth::random_secret;

#[derive(Subcommand)]
pub(crate) enum SecretCommand {
    #[command(
        about = "Makes a secret for JWT_SECRET or for a pepper: 43 characters, 256 random bits."
    )]
    New(New),
}

#[derive(Args)]
pub(crate) struct New {}

/// A secret that was just made. Nobody else knows it.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewSecret {
    /// The secret.
    secret: String,
}

impl SecretCommand {
    pub(crate) fn run(self, settings: &Settings) -> Result<(), Failure> {
        let Self::New(New {}) = self;
        let secret = random_secret()?;
        let made = NewSecret {
            secret: secret.expose().clone(),
        };
        settings.console().say(secret.expose(), &made)
    }
}
