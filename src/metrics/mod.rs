//! Numbers for whoever runs the service, through the facade of the `metrics` crate: see the
//! page `guide::metrics` for their names. The feature stands in this file
//! alone.
//!
//! [`Meter`] counts, and without the feature it is one that counts nothing. What every request
//! counts is counted in a [`Tally`](tally::Tally), which no two cores write at once, and given to
//! the recorder once a second.

#[cfg(feature = "metrics")]
mod decisions;
mod measured;
#[cfg(feature = "metrics")]
mod meter;
#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod recorder;
#[cfg(feature = "metrics")]
mod tally;

#[cfg(feature = "metrics")]
pub(crate) use decisions::Decisions;
pub(crate) use measured::{Cache, Callee, Gauge, Outcome};
#[cfg(feature = "metrics")]
pub(crate) use meter::Meter;
#[cfg(not(feature = "metrics"))]
pub(crate) use off::{Decisions, Meter};
