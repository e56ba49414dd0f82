//! The way of a request. This room alone knows the order of the steps.
//!
//! ```text
//! request → credential → (attempts) → scheme → principal, account → throttle → authorize → inner service
//!               └────────────┴───────────┴─────────────┴──────────────┴────────────┴─ every "no" leaves by one door
//! ```
//!
//! A [`Gate`] says which of the steps a layer takes, [`Pipeline`] takes them and comes to a
//! [`Decision`], and [`Door`] stands around both: it answers what is refused, by whomever, and
//! tells of it once.

mod decision;
mod door;
mod explain;
mod explanation;
mod gate;
mod head;
mod pipeline;
mod route;
mod visit;

pub(crate) use decision::{By, Decision, Question};
pub(crate) use door::Door;
pub use explanation::Explanation;
pub(crate) use gate::{GATES, Gate, Mode};
pub(crate) use pipeline::{Pipeline, Preflight};
#[cfg(feature = "endpoints")]
pub(crate) use route::EndpointRoute;
pub(crate) use visit::{Refused, Visit};
