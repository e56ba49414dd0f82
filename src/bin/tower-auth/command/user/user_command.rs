use super::add::Add;
use super::list::List;
use super::password::Password;
use super::show::Show;
use super::state::{Disable, Enable, Remove};
use crate::failure::Failure;
use crate::settings::Settings;
use clap::Subcommand;

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    #[command(about = "Adds a user, whose password is read from stdin.")]
    Add(Add),
    #[command(about = "Lists all users, disabled ones included.")]
    List(List),
    #[command(about = "Shows a user.")]
    Show(Show),
    #[command(
        about = "Sets the password of a user, read from stdin, and ends all of the user's sessions \
                 and private tokens."
    )]
    Password(Password),
    #[command(
        about = "Disables a user: every credential of theirs is refused from the next request on."
    )]
    Disable(Disable),
    #[command(about = "Takes back what disable did.")]
    Enable(Enable),
    #[command(
        about = "Removes a user for good: all credentials are refused, and the id stays taken."
    )]
    Remove(Remove),
}

impl UserCommand {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(settings).await,
            Self::List(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::Password(command) => command.run(settings).await,
            Self::Disable(command) => command.run(settings).await,
            Self::Enable(command) => command.run(settings).await,
            Self::Remove(command) => command.run(settings).await,
        }
    }
}
