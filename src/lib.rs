#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// In the order in which a request meets them.
mod pipeline;

pub mod layer;

pub mod credential;

mod attempt;

pub mod scheme;

mod principal;

pub mod throttle;

mod authorize;

mod reject;

mod issue;

pub mod store;

#[cfg(feature = "endpoints")]
pub mod endpoint;

pub mod guide;
mod integration;

mod address;
#[cfg(feature = "api-key")]
pub mod api_key;
mod chain;
pub mod clock;
mod config;
mod digest_hasher;
pub mod event;
#[cfg(feature = "jwt")]
pub mod fetch;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod framework;
mod intern;
#[cfg(feature = "jwt")]
pub mod jwt;
#[cfg(feature = "jwt")]
mod key_set;
mod login;
mod metrics;
#[cfg(feature = "openapi")]
pub mod openapi;
#[cfg(feature = "basic")]
pub mod password;
mod random;
mod rate;
mod realm;
mod rehearsal;
mod secret;
#[cfg(feature = "server")]
pub mod server;
#[cfg(any(feature = "jwt", feature = "api-key"))]
mod sha256;
#[cfg(feature = "test-util")]
pub mod test_util;
mod turns;
#[cfg(any(feature = "jwt", feature = "api-key"))]
mod upkeep;
#[cfg(feature = "basic")]
mod users;

// What a service meets in its first hour. The rest is named by its module.
pub use authorize::Requirement;
pub use config::{ConfigError, ConfigProblem};
#[cfg(feature = "jwt")]
pub use issue::{Grant, TokenIssuer, TokenPair, Tokens};
#[cfg(feature = "api-key")]
pub use issue::{KeyIssuer, KeyRequest};
pub use layer::auth_layer::AuthLayer;
#[cfg(feature = "basic")]
pub use password::policy::PasswordPolicy;
pub use principal::{ClaimsError, Method, Principal, Role, Roles, Scope, Scopes, Subject};
pub use random::{RandomError, random_secret};
pub use realm::Realm;
pub use reject::{Rejection, RejectionKind, format};
#[cfg(feature = "api-key")]
pub use scheme::api_key::ApiKeys;
#[cfg(feature = "jwt")]
pub use scheme::jwt::Jwt;
pub use secret::Secret;
#[cfg(feature = "basic")]
pub use users::{Basic, NewUser, Users};
