//! For tests of services behind a layer: a clock that is moved by hand, a mint of tokens, callers
//! without credentials, stores that fail as told, and users to try things out with.
//!
//! Nothing here is for production: in particular, [`TokenMint`] signs whatever it is given, and
//! [`SignedIn`] lets everybody in.

#[cfg(feature = "basic")]
mod demo_users;
mod intercept;
mod manual_clock;
#[cfg(feature = "dpop")]
mod proof_mint;
mod signed_in;
#[cfg(feature = "jwt")]
mod token_mint;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use crate::store::LOOK_UPS;
pub use crate::throttle::BareRule;
#[cfg(feature = "basic")]
pub use demo_users::demo_users;
pub use intercept::{Intercept, Intercepted};
pub use manual_clock::ManualClock;
pub use signed_in::{SignedIn, SignedInService};
#[cfg(feature = "jwt")]
pub use token_mint::TokenMint;
