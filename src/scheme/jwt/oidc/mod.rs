//! Where the keys of other issuers are loaded from: their JWK set, by its URL, or by what OpenID
//! Connect Discovery and RFC 8414 say of the issuer.
//!
//! ```text
//!  OidcSource:  {issuer}/.well-known/openid-configuration   ─ issuer is the one that was asked for?
//!               …/.well-known/oauth-authorization-server {path}, where that is 404     │ jwks_uri
//!                                                                                      ▼
//!  JwksSource:  jwks_uri ─ ETag, Cache-Control ─ PublishedKeys ─ JwtKeys ─ KeySet ─ LiveKeys
//! ```

mod cache_control;
mod discovery;
mod failure;
mod jwks_source;
mod oidc_source;
mod published_keys;
mod remote;

pub(crate) use {jwks_source::JwksSource, oidc_source::OidcSource, remote::Remote};

#[cfg(test)]
mod tests;
