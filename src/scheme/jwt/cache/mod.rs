//! Tokens that were verified before: what they say is kept, so that a signature is judged once.
//!
//! ```text
//! start of the signature ─ keyed mix ─ set ─ tag ─ digest of the signature ─ what was signed ─ found
//!                                           └ none: nothing was hashed, and nothing written
//! ```
//!
//! - Kept are facts about a token, never a decision: whether it is still good is judged each time.
//! - Only what was verified is kept, so that nobody without a key makes room, or collisions.
//! - Of a signature its digest is kept, so that what is kept is of no use to whoever reads it.

mod cache;
mod entry;
mod set;
mod sought;
mod tags;
mod trace;

pub(super) use cache::Cache;
pub(super) use entry::Entry;
pub(super) use sought::Sought;
pub(super) use trace::Trace;
