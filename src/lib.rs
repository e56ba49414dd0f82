#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// In the order in which a request meets them.
mod pipeline;

mod layer;

mod credential;

mod scheme;

mod principal;

mod account;
pub mod throttle;

mod authorize;

mod reject;

mod issue;

pub mod store;

#[cfg(feature = "endpoints")]
pub mod endpoint;

mod integration;

mod clock;
mod config;
mod event;
#[cfg(feature = "jwt")]
mod key_set;
#[cfg(feature = "basic")]
mod password;
mod random;
mod rate;
mod secret;
#[cfg(feature = "server")]
pub mod server;
mod telemetry;
#[cfg(feature = "test-util")]
pub mod test_util;
#[cfg(any(feature = "jwt", feature = "api-key"))]
mod upkeep;
#[cfg(feature = "basic")]
mod users;

pub use authorize::{RequireFuture, RequireLayer, RequireService, Requirement};
pub use clock::{Clock, SystemClock};
pub use config::{ConfigError, ConfigProblem};
pub use credential::{
    ApiKeyCredential, BasicCredential, Credential, OtherCredential, TokenCredential,
};
pub use event::{Action, Event};
#[cfg(feature = "openapi")]
pub use integration::SecuritySchemes;
#[cfg(feature = "api-key")]
pub use issue::KeyRequest;
#[cfg(feature = "jwt")]
pub use issue::{Grant, NewPrivateToken, TokenIssuer, TokenPair, Tokens};
#[cfg(feature = "jwt")]
pub use key_set::{JwtAlgorithm, JwtKey, SigningKey};
pub use layer::{AuthLayer, AuthLayerBuilder, AuthService, ResponseFuture};
#[cfg(feature = "basic")]
pub use password::{PasswordError, PasswordPolicy, PasswordProblem, hash_password};
pub use principal::{
    ClaimsError, Method, Principal, PrincipalBuilder, Role, Roles, Scope, Scopes, Subject,
};
pub use random::{RandomError, random_secret};
pub use reject::{FieldError, Rejection, RejectionKind, ResponseBody, format};
#[cfg(feature = "basic")]
pub use scheme::Basic;
#[cfg(feature = "jwt")]
pub use scheme::Jwt;
pub use scheme::{Answer, PendingAnswer, Scheme};
#[cfg(feature = "api-key")]
pub use scheme::{ApiKeys, KeyIds, NewKey};
pub use secret::Secret;
pub use throttle::{ThrottleLayer, ThrottleService};
#[cfg(feature = "basic")]
pub use users::{NewUser, Users};
