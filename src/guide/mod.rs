//! How to do it, page by page: what a service needs beyond the reference of each item.
//!
//! | page | for |
//! |---|---|
//! | [`choosing`](choosing/index.html) (features `jwks`, `api-key`, `redis`) | which credential for whom, which store, where limits are counted |
//! | [`start`] (features `axum`, `endpoints`) | a service with users, tokens, keys, limits and endpoints, in one piece |
//! | [`identity_providers`] (feature `jwks`) | a resource server: tokens that others issue, by OpenID Connect and JWKS |
//! | [`providers`](providers/index.html) (feature `jwt`) | Keycloak, Auth0, Entra, Okta, Cognito, Google, Firebase, Clerk, Zitadel, Supabase: the lines for each |
//! | [`issuing`] (feature `endpoints`) | users, tokens and API keys, and the endpoints for them |
//! | [`stores`] (features `sqlite`, `postgres`) | SQLite and PostgreSQL |
//! | [`throttling`] | rate limits |
//! | [`security`] | what is promised, and where that ends |
//! | [`deploying`](deploying/index.html) (feature `endpoints`) | proxies, TLS, several nodes, backups, and the rotation of what is secret |
//! | [`metrics`](metrics/index.html) (feature `metrics`) | numbers for a dashboard, and what to alert on |
//! | [`command`](command/index.html) (feature `cli`) | the command `tower-auth` |
//! | [`migrating_from_django`](migrating_from_django/index.html) (feature `django-hashes`) | users, tokens and keys of a Django REST service, which go on working |
//! | [`migrating_from_jwt_authorizer`](migrating_from_jwt_authorizer/index.html) (feature `jwt`) | tokens of the same issuer; what is judged and answered otherwise |
//! | [`migrating_from_tower_governor`](migrating_from_tower_governor/index.html) (feature `api-key`) | rate limits by address and by key; which rate is which |
//! | [`migrating_from_axum_login`](migrating_from_axum_login/index.html) (feature `endpoints`) | users with their passwords; tokens in the place of sessions, or beside them |
//! | [`troubleshooting`](troubleshooting/index.html) (features `jwt`, `api-key`) | why 401, 400, 403, 429, 503 or 500, and mistakes in the set-up |
//! | [`testing`](testing/index.html) (feature `test-util`) | an application's tests: callers, tokens, time, stores that fail |
//! | [`grpc`](grpc/index.html) (feature `tonic`) | tonic services, rights per method, statuses, gRPC-Web |
//! | [`browsers`](browsers/index.html) (features `jwt`, `api-key`) | cookies, CSRF, CORS, WebSockets, and where a page keeps its token |
//! | [`performance`] | what a request costs, measured |
//! | [`comparison`](comparison/index.html) (feature `jwt`) | seven other crates beside this one, and when not to take it |
//! | [`design`](design/index.html) (features `jwt`, `api-key`) | why it is as it is: decisions, what each costs, and what keeps it |
//! | [`features`] | the features of the crate |
//! | [`systems`] | five public APIs, reproduced |

#[cfg(all(feature = "jwt", feature = "api-key"))]
pub mod browsers;
#[cfg(all(feature = "jwks", feature = "api-key", feature = "redis"))]
pub mod choosing;
#[cfg(feature = "cli")]
pub mod command;
#[cfg(feature = "jwt")]
pub mod comparison;
#[cfg(all(feature = "api-key", feature = "jwt", feature = "endpoints"))]
pub mod deploying;
#[cfg(all(feature = "jwt", feature = "api-key"))]
pub mod design;
pub mod features;
#[cfg(all(feature = "tonic", feature = "api-key"))]
pub mod grpc;
pub mod identity_providers;
pub mod issuing;
#[cfg(all(feature = "metrics", feature = "api-key"))]
pub mod metrics;
#[cfg(feature = "endpoints")]
pub mod migrating_from_axum_login;
#[cfg(all(feature = "jwt", feature = "api-key", feature = "django-hashes"))]
pub mod migrating_from_django;
#[cfg(feature = "jwt")]
pub mod migrating_from_jwt_authorizer;
#[cfg(feature = "api-key")]
pub mod migrating_from_tower_governor;
pub mod performance;
#[cfg(feature = "jwt")]
pub mod providers;
pub mod security;
pub mod start;
pub mod stores;
pub mod systems;
#[cfg(all(
    feature = "test-util",
    feature = "jwt",
    feature = "api-key",
    feature = "basic"
))]
pub mod testing;
pub mod throttling;
#[cfg(all(feature = "jwt", feature = "api-key"))]
pub mod troubleshooting;
