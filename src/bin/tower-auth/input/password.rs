use super::secret::read_secret;
use crate::failure::Failure;
use clap::Args;
use std::io::{self, IsTerminal};
use std::path::PathBuf;
use tower_auth::{PasswordPolicy, Secret};

/// A new password, and what it has to satisfy.
#[derive(Args)]
pub(crate) struct PasswordInput {
    #[arg(
        long,
        value_name = "PATH",
        help = "Reads the password from the first line of this file, such as /dev/fd/3, and not \
                from stdin."
    )]
    password_file: Option<PathBuf>,
    #[arg(
        long,
        value_name = "CHARACTERS",
        default_value_t = 8,
        help = "Refuses a password that has fewer characters."
    )]
    least_length: usize,
}

impl PasswordInput {
    /// The policy that programs have by default, with the list of common passwords.
    pub(crate) fn policy(&self) -> PasswordPolicy {
        PasswordPolicy::new()
            .least_length(self.least_length)
            .common_list()
    }

    /// Reads it. Whoever types it sees nothing of it, and so types it twice.
    pub(crate) fn read(&self) -> Result<Secret<String>, Failure> {
        let file = self.password_file.as_deref();
        let password = read_secret(file, "password")?;
        let is_typed = file.is_none() && io::stdin().is_terminal();
        if is_typed && *read_secret(file, "password again")?.expose() != *password.expose() {
            return Err(Failure::usage(
                "The two passwords differ; nothing has changed.",
            ));
        }
        Ok(password)
    }
}
