//! How the body of a refusal looks.
//!
//! [`Problem`] is the default; [`Drf`], [`DrfStandardized`] and [`Coded`] are the forms of other
//! systems, and an application can bring its own by implementing [`ErrorFormat`].

mod coded;
mod drf;
mod drf_standardized;
mod format;
mod problem;

pub use coded::Coded;
pub use drf::Drf;
pub use drf_standardized::DrfStandardized;
pub use format::ErrorFormat;
pub use problem::Problem;
