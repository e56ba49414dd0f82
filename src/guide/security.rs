//! What the crate promises, and where its promises end.
//!
//! - The first scheme that recognises a credential decides. A bad credential never falls through to
//!   another scheme and never becomes anonymous, not even on optional routes. Two credentials in
//!   one request are refused (400).
//! - A store that fails, is slow or panics is 503, never 401, never a pass.
//! - No input panics or makes it allocate without bound. Credential fields are marked sensitive; no
//!   secret is in a log, an error, a `Debug` or a response.
//! - The caller cannot tell an unknown user from a wrong password, an unknown key from a revoked or
//!   expired one, or a forged token from an expired one. The page [`design`](super::design) names
//!   what is told all the same.
//! - `none` and algorithm confusion cannot be configured: the key fixes the algorithm.
//! - Every 401 lists every accepted scheme in `WWW-Authenticate`, with an `error` only where a
//!   Bearer token (RFC 6750 §3.1) or one bound by DPoP (RFC 9449 §7.1) was presented. A gRPC
//!   request gets its answer as a gRPC status, a `HEAD` without a body.
//!
//! The challenges stand in the order in which schemes were accepted, a field line each, with the
//! realm's name:
//!
//! ```text
//! www-authenticate: Bearer realm="api"
//! www-authenticate: Api-Key realm="api"
//! www-authenticate: Basic realm="api", charset="UTF-8"
//! ```
//!
//! A 403 for want of a scope has `Bearer realm="api", error="insufficient_scope", scope="…"`, where
//! the layer reads Bearer tokens at all; one for want of a role or of anything else has none.
//!
//! Bodies are RFC 9457 problems, or one of three other formats, or your own
//! ([`format`](crate::format)). Credentials are read from `Authorization` and `X-API-Key`. A
//! cookie, a query, a WebSocket protocol or a key in Basic is read only where the `sources` of a
//! scheme say so ([`Source`](crate::credential::Source)), and cookies by the routes of the
//! self-service page, where they are switched on. A connection or stream that stays open outlives
//! the expiry of the credential that opened it.
//!
//! A CORS layer belongs outside of the [`AuthLayer`](crate::AuthLayer): then preflights never reach
//! it, and refusals carry the CORS fields. Behind a shared cache,
//! [`AuthLayerBuilder::vary`](crate::layer::AuthLayerBuilder::vary) has answers say which fields
//! they depend on.
//!
//! Floods of frames are met below a layer, by the server: h2 0.4.16 or later (RUSTSEC-2024-0332,
//! RUSTSEC-2026-0258), tonic 0.12.3 or later (RUSTSEC-2024-0376).
