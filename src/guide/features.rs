//! The features of the crate, and what each brings.
//!
//! | feature | default | brings |
//! |---|---|---|
//! | `jwt` | yes | [`Jwt`], [`Tokens`]; alone with shared secrets (HS256, HS384, HS512) |
//! | `jwks` | | [`fetch::HttpClient`]: the keys of other issuers over HTTPS, TLS by AWS-LC; without it an application brings its own [`fetch::Fetch`] |
//! | `dpop` | | [`Jwt::dpop`] and [`Jwt::certificate_bound`]: tokens that are bound to their sender (RFC 9449, RFC 8705) |
//! | `aws-lc-rs` | yes | a back end for public and private keys: AWS-LC, which needs a C compiler; preferred where both are on |
//! | `rust-crypto` | | another back end, in pure Rust |
//! | `pem` | | keys in PEM files |
//! | `api-key` | yes | [`ApiKeys`] |
//! | `basic` | yes | [`Basic`], argon2id, [`PasswordPolicy`] |
//! | `django-hashes` | | password hashes that Django wrote: PBKDF2 (SHA-256), bcrypt, argon2; API keys that were hashed as passwords |
//! | `common-passwords` | | [`PasswordPolicy::common_list`]: 100,000 passwords to refuse, 4.7 MB in the binary |
//! | `endpoints` | | ready-made HTTP: sign-in, refresh, users, API keys, private tokens, JWKS, metadata of issuer and resource, the self-service page |
//! | `server` | | settings from the environment, and a server that finishes what is in flight |
//! | `openapi` | | layers, gates and endpoints in an OpenAPI 3.1 document of `utoipa`: schemas of all answers and refusals, limits, scopes |
//! | `sqlite` | | [`store::Sqlite`]; builds SQLite from C source |
//! | `postgres` | | [`store::Postgres`], TLS by AWS-LC |
//! | `metrics` | | numbers through the facade of the `metrics` crate, for Prometheus and others: page [`metrics`](../metrics/index.html) |
//! | `tracing` | yes | what happens as events of target `tower_auth` |
//! | `axum` | | extractors, [`Rejection`] as a response, endpoints as a `Router` |
//! | `tonic` | | [`Rejection`] as a `tonic::Status` |
//! | `redis` | | [`RedisLimiter`]: limits that several machines share, on Redis or Valkey |
//! | `redis-tls` | | the same over TLS (`rediss://`), by AWS-LC |
//! | `cli` | | the command `tower-auth` (`cargo install tower-auth --features cli`): users, keys, tokens and the state of a store from a shell: page [`command`](../command/index.html) |
//! | `test-util` | | a manual clock, a token mint, the conformance suite for stores |
//!
//! Basic, and stores that have to be asked, need a tokio runtime with its timer.
//!
//! Public and private keys need a back end, `aws-lc-rs` or `rust-crypto`, and with them whatever
//! uses such keys: `Jwt::oidc` and `Jwt::jwks`, `KeyRotation`, the proofs of `dpop`, PEM files, the
//! keys of leak reports. Without one each of these is a mistake that `build()` names, and of a JWK
//! set the public keys are skipped. Tokens under shared secrets need none.
//!
//! # What it costs to build
//!
//! A cold debug build of a crate that has this one and nothing else, in processor seconds (one
//! measurement each, as `.ci/build-cost` makes it, on a machine that others used too), beside what
//! it takes to verify tokens by hand:
//!
//! | dependencies | seconds | packages |
//! |---|---|---|
//! | the default features | 91 | 82 |
//! | `default-features = false, features = ["jwt", "api-key"]`: shared secrets and API keys | 48 | 55 |
//! | jsonwebtoken on AWS-LC, serde, http, tower-layer, tower-service | 57 | 34 |
//! | the same with jsonwebtoken on RustCrypto | 40 | 67 |
//!
//! # Versions of other crates
//!
//! Types of these stand in this crate's signatures, so an application has the same ones:
//!
//! | crate | version | where |
//! |---|---|---|
//! | `http`, `bytes` | 1 | requests, [`fetch::Fetch`] |
//! | `tower-layer`, `tower-service` (`tower` 0.5) | 0.3 | [`AuthLayer`], [`AuthService`] |
//! | `axum` | 0.8 | feature `axum` |
//! | `tonic` | 0.14 | feature `tonic` |
//! | `sqlx` | 0.9 | [`Sqlite::from_pool`], [`Postgres::from_pool`] |
//! | `metrics` | 0.24 | the recorder that feature `metrics` writes to |
//! | `utoipa` | 6 | feature `openapi` |
//! | `http-body` | 1 | bodies of [`AuthService`] and of endpoints |
//! | `serde_json`, `zeroize` | 1 | maps of claims and metadata; [`Secret`](crate::Secret) |
//!
//! # Versions of Rust
//!
//! | features | need Rust |
//! |---|---|
//! | `sqlite`, `postgres`, `cli` | 1.94, for sqlx |
//! | all others | 1.91, for the standard library |
//!
//! The package says `rust-version = "1.94"`, so Cargo refuses an older one unless it is told
//! `--ignore-rust-version`. The table is computed by `.ci/msrv`, from the items of the standard
//! library that the crate uses and from what its dependencies say, as they stand in the lock file
//! of its repository: later versions of them may need more. The tests run with the stable Rust of
//! their day.
//!
//! [`ApiKeys`]: ../../struct.ApiKeys.html
//! [`AuthLayer`]: crate::AuthLayer
//! [`AuthService`]: crate::layer::AuthService
//! [`Basic`]: ../../struct.Basic.html
//! [`Jwt::certificate_bound`]: ../../struct.Jwt.html#method.certificate_bound
//! [`Jwt::dpop`]: ../../struct.Jwt.html#method.dpop
//! [`Jwt`]: ../../struct.Jwt.html
//! [`PasswordPolicy::common_list`]: ../../struct.PasswordPolicy.html#method.common_list
//! [`PasswordPolicy`]: ../../struct.PasswordPolicy.html
//! [`Postgres::from_pool`]: ../../store/struct.Postgres.html#method.from_pool
//! [`RedisLimiter`]: ../../throttle/struct.RedisLimiter.html
//! [`Rejection`]: crate::Rejection
//! [`Sqlite::from_pool`]: ../../store/struct.Sqlite.html#method.from_pool
//! [`Tokens`]: ../../struct.Tokens.html
//! [`fetch::Fetch`]: ../../fetch/trait.Fetch.html
//! [`fetch::HttpClient`]: ../../fetch/struct.HttpClient.html
//! [`store::Postgres`]: ../../store/struct.Postgres.html
//! [`store::Sqlite`]: ../../store/struct.Sqlite.html
