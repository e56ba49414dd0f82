//! Step 2: how often may somebody be wrong.
//!
//! It is counted before costly work, for every scheme alike, and given back when the credential
//! turned out right:
//!
//! ```text
//! source    an address, whatever it presents; entered for each answer that has to be waited for
//! account   by its id, alone and with the source; entered by a scheme that has learned whose password it is to check
//! look-up   of a key, which nobody guesses: charged to its source where nothing good is found
//! ```
//!
//! An attempt that is under way counts; whoever goes away in the middle has tried. What was good
//! when it was asked about last is not refused for what else comes from its address.

#![cfg_attr(
    not(all(feature = "api-key", feature = "basic")),
    allow(
        dead_code,
        unused_imports,
        reason = "only passwords name an account, only keys are looked up"
    )
)]

mod attempt;
mod attempt_limits;
mod attempts;
mod look_up;
mod look_ups;
mod origin;
mod ticket;
mod until;
mod wrong;

pub use attempt::Attempt;
pub use attempt_limits::AttemptLimits;
pub(crate) use attempts::Attempts;
pub(crate) use look_up::LookUp;
pub(crate) use origin::{Origin, Target};
