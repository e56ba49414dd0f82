//! Rows: what stores keep. None of them holds anything that could be presented.

mod account;
mod audit;
mod family;
mod key;
mod key_digest;
mod last_use;
mod room;
mod rotation;
mod signing_key;
mod taken_rights;
mod token;
mod token_ids;
mod user;
mod user_change;
mod user_state;
mod warrant;
mod write;

pub use account::Account;
pub use audit::AuditRecord;
pub use family::FamilyRecord;
pub use key::KeyRecord;
pub use key_digest::KeyDigest;
#[cfg(feature = "api-key")]
pub(crate) use key_digest::{DJANGO, SHA512};
pub use last_use::LastUse;
pub use room::Room;
pub use rotation::{Rotated, Rotation};
pub use signing_key::SigningKeyRecord;
pub use taken_rights::TakenRights;
pub use token::TokenRecord;
pub use token_ids::TokenIds;
pub use user::UserRecord;
pub use user_change::UserChange;
pub use user_state::UserState;
pub use warrant::Warrant;
pub use write::Write;
