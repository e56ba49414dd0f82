#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// In the order in which a request meets them.
mod pipeline;

mod layer;

mod credential;

mod scheme;

mod principal;

pub mod throttle;

mod authorize;

mod reject;

pub mod store;

mod integration;

mod clock;
mod config;
#[cfg(feature = "basic")]
mod password;
mod secret;
mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;

pub use authorize::{RequireFuture, RequireLayer, RequireService, Requirement};
pub use clock::{Clock, SystemClock};
pub use config::{ConfigError, ConfigProblem};
pub use credential::{ApiKeyCredential, BasicCredential, Credential, OtherCredential, TokenCredential};
pub use layer::{AuthLayer, AuthLayerBuilder, AuthService, ResponseFuture};
#[cfg(feature = "basic")]
pub use password::{PasswordError, hash_password};
pub use principal::{ClaimsError, Method, Principal, PrincipalBuilder, Role, Roles, Scope, Scopes, Subject};
pub use reject::{Rejection, RejectionKind, ResponseBody, format};
#[cfg(feature = "basic")]
pub use scheme::Basic;
pub use scheme::{Answer, PendingAnswer, Scheme};
#[cfg(feature = "api-key")]
pub use scheme::{ApiKeys, MintError, NewKey};
#[cfg(feature = "jwt")]
pub use scheme::{Jwt, JwtAlgorithm, JwtKey};
pub use secret::Secret;
pub use throttle::{ThrottleLayer, ThrottleService};
