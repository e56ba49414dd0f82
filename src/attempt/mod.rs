//! Step 2: how often may somebody be wrong.
//!
//! It is counted before costly work, for every scheme alike, and given back when the credential
//! turned out right:
//!
//! ```text
//! source    an address, whatever it presents; entered for each answer that has to be waited for
//! account   by its id, alone and with the source; entered by a scheme that has learned whose password it is to check
//! ```
//!
//! An attempt that is under way counts; whoever goes away in the middle has tried.

#![cfg_attr(
    not(feature = "basic"),
    allow(dead_code, unused_imports, reason = "only passwords name an account")
)]

mod attempt;
mod attempt_limits;
mod attempts;
mod origin;
mod ticket;

pub use attempt::Attempt;
pub use attempt_limits::AttemptLimits;
pub(crate) use attempts::Attempts;
pub(crate) use origin::{Origin, Target};
