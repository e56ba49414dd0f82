use crate::console::Console;
use crate::failure::Failure;
use crate::shown::KeyShown;
use schemars::JsonSchema;
use serde::Serialize;
use std::time::SystemTime;
use tower_auth::KeyIssuer;
use tower_auth::api_key::NewKey;

/// An API key that was just made.
#[derive(Serialize, JsonSchema)]
pub(crate) struct NewKeyShown<'k> {
    /// The key. It is shown here, and never again.
    key: &'k str,
    /// What is kept of it.
    record: KeyShown,
}

/// Prints a new key, and revokes it where that fails.
pub(super) async fn print(
    new: &NewKey,
    keys: &KeyIssuer,
    now: SystemTime,
    console: Console,
) -> Result<(), Failure> {
    let about = KeyShown::at(&new.record, now);
    let shown = NewKeyShown {
        key: new.key.expose(),
        record: KeyShown::at(&new.record, now),
    };
    if console.reveal(new.key.expose(), &about, &shown).is_ok() {
        return Ok(());
    }
    // A key that nobody has seen would stay good for ever, because nobody knows that it is to be
    // revoked.
    let id = &new.record.id;
    Err(Failure::failed(
        match keys.revoke(&new.record.owner, id).await {
            Ok(()) => format!("The key could not be printed, and was revoked: {id}."),
            Err(_) => format!("The key could not be printed, nor revoked: revoke {id} by hand."),
        },
    ))
}
