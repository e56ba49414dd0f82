#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

// In the order in which a request meets them.
mod pipeline;

mod layer;

mod credential;

mod attempt;

mod scheme;

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
mod chain;
mod clock;
mod config;
mod digest_hasher;
mod event;
#[cfg(feature = "jwt")]
pub mod fetch;
#[cfg(any(feature = "axum", feature = "tonic"))]
mod framework;
mod intern;
#[cfg(feature = "jwt")]
mod key_set;
mod login;
mod metrics;
#[cfg(feature = "basic")]
mod password;
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

pub use attempt::Attempt;
pub use authorize::{Requirement, ScopeGaps};
pub use clock::{Clock, SystemClock};
pub use config::{ConfigError, ConfigProblem};
#[cfg(feature = "dpop")]
pub use credential::ClientCertificate;
pub use credential::{
    ApiKeyCredential, BasicCredential, Credential, OtherCredential, Source, TokenCredential,
};
pub use event::{Action, Audit, Event};
#[cfg(feature = "openapi")]
pub use integration::SecuritySchemes;
#[cfg(feature = "jwt")]
pub use issue::{Grant, KeyRotation, NewPrivateToken, SimpleJwt, TokenIssuer, TokenPair, Tokens};
#[cfg(feature = "api-key")]
pub use issue::{KeyIssuer, KeyRequest, NewKey};
#[cfg(feature = "jwt")]
pub use key_set::{JwtAlgorithm, JwtKey, JwtKeys, SigningKey, SkippedKey};
pub use layer::{Accept, AuthLayer, AuthLayerBuilder, AuthService, ResponseFuture};
#[cfg(feature = "basic")]
pub use login::name_form;
#[cfg(feature = "basic")]
pub use password::{
    PasswordError, PasswordPolicy, PasswordProblem, hash_password, reads_password_hash,
};
pub use pipeline::Explanation;
pub use principal::{
    ClaimsError, Method, Principal, PrincipalBuilder, Role, Roles, Scope, Scopes, Subject,
};
pub use random::{RandomError, random_secret};
pub use realm::Realm;
pub use reject::{FieldError, Rejection, RejectionKind, ResponseBody, format};
#[cfg(feature = "dpop")]
pub use scheme::Dpop;
pub use scheme::{Answer, PendingAnswer, Readiness, Scheme};
#[cfg(feature = "api-key")]
pub use scheme::{ApiKeys, KeyIds, SecretScanner};
#[cfg(feature = "jwt")]
pub use scheme::{ClaimPath, Introspection, Jwt, TokenFacts};
pub use secret::Secret;
#[cfg(feature = "basic")]
pub use users::{Basic, NewUser, Users};
