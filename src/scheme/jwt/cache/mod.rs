//! Tokens that were verified before: what they say is kept, so that a signature is judged once.
//!
//! ```text
//! start of the signature ─ keyed mix ─ set ─ tag ─ SHA-256 of the whole token ─ what it says
//!                                           └ none: nothing was hashed, and nothing written
//! ```
//!
//! - Kept are facts about a token, never a decision: whether it is still good is judged each time.
//! - Only what was verified is kept, so that nobody without a key makes room, or collisions.
//! - The token itself is not kept, only its digest.

mod cache;
mod entry;
mod presented;
mod set;

pub(super) use cache::Cache;
pub(super) use entry::Entry;
pub(super) use presented::Presented;
