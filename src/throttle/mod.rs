//! Step 4: how often.

#![allow(dead_code)]
mod address;
mod algorithm;
mod call;
mod key;
mod rate;
mod table;

pub use address::{Addresses, Peer};
pub use call::Call;
pub use rate::{Rate, RateError};
