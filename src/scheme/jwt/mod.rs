//! JWTs (RFC 7519) that others sign, verified with local keys.
//!
//! ```text
//! token ─ split ─ policy by `iss` (where there are several) ─ header → key ─ signature ─ claims
//!                                                                  every "no" is the same answer
//! ```
//!
//! The signature is judged before the claims, the key fixes the algorithm, and every member name may stand once.

mod claims;
mod header;
mod key;
mod policy;
mod public_key;
mod strict;

pub use key::{JwtAlgorithm, JwtKey};
pub use policy::Jwt;

use super::{Answer, Scheme};
use crate::clock::unix_seconds;
use crate::config::ConfigProblem;
use crate::credential::Credential;
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy::Policy;
use std::sync::Arc;
use std::time::SystemTime;

/// The three parts of a compact JWS (RFC 7515 §3.1), still encoded.
#[derive(Clone, Copy)]
struct Parts<'a> {
    /// `header.payload`: what was signed.
    message: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    fn split(token: &'a str) -> Result<Self, Rejection> {
        let (message, signature) = token.rsplit_once('.').ok_or_else(|| refused("segments"))?;
        // A fourth segment would leave a dot in the payload, which base64url does not know.
        let (header, payload) = message.split_once('.').ok_or_else(|| refused("segments"))?;
        Ok(Self { message, header, payload, signature })
    }
}

/// All [`Jwt`]s of a layer: one policy for each issuer.
#[derive(Debug)]
pub(crate) struct Jwts(Vec<Policy>);

impl Jwts {
    pub(crate) fn build(jwts: Vec<Jwt>) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let mut policies: Vec<Policy> = Vec::new();
        for jwt in jwts {
            match jwt.build() {
                Err(found) => problems.extend(found),
                Ok(policy) if policies.iter().any(|other| other.issuer() == policy.issuer()) => {
                    problems.push(ConfigProblem::DuplicateIssuer(policy.issuer().to_owned()));
                }
                Ok(policy) => policies.push(policy),
            }
        }
        if problems.is_empty() { Ok(Self(policies)) } else { Err(problems) }
    }

    fn verify(&self, token: &str, now: SystemTime) -> Result<Principal, Rejection> {
        let parts = Parts::split(token)?;
        let token = self.policy(parts)?.verify(parts, unix_seconds(now))?;
        Ok(Principal::from_token(Arc::new(token)))
    }

    /// With several issuers the token says which one to hold it against. What it says is not believed yet.
    fn policy(&self, parts: Parts<'_>) -> Result<&Policy, Rejection> {
        match self.0.as_slice() {
            [only] => Ok(only),
            several => {
                let payload = decoded(parts.payload)?;
                let issuer = claims::claimed_issuer(&payload)?;
                several.iter().find(|policy| policy.issuer() == issuer).ok_or_else(|| refused("iss"))
            }
        }
    }
}

impl Scheme for Jwts {
    fn name(&self) -> &'static str {
        "Bearer"
    }

    fn authenticate(&self, credential: &Credential<'_>, now: SystemTime) -> Answer {
        match credential {
            Credential::Token(token) => self.verify(token.expose(), now).into(),
            _ => Answer::NotPresented,
        }
    }
}

/// base64url without padding and with canonical last bits (RFC 7515 §2), of UTF-8 text.
fn decoded(segment: &str) -> Result<String, Rejection> {
    let bytes = URL_SAFE_NO_PAD.decode(segment).map_err(|_| refused("base64url"))?;
    String::from_utf8(bytes).map_err(|_| refused("utf-8"))
}

fn refused(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidToken, reason)
}
