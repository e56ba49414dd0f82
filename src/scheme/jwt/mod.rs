//! JWTs (RFC 7519): those that others sign, verified with local keys, and those that we issue.
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
mod ours;
mod policy;
mod public_key;
mod secret_key;
mod strict;

pub use key::{JwtAlgorithm, JwtKey};
pub use policy::Jwt;

pub(crate) use header::LONGEST_KID;
pub(crate) use ours::{IssuedIds, Ours, TokenUse, revoked};
pub(crate) use policy::KeySet;
pub(crate) use secret_key::SecretKey;

use super::{Answer, Scheme};
use crate::config::ConfigProblem;
use crate::credential::Credential;
use crate::principal::{Principal, Subject};
use crate::reject::{Rejection, RejectionKind};
use base64_simd::{Out, URL_SAFE_NO_PAD};
use policy::{Policy, Verified};
use std::sync::Arc;
use std::time::SystemTime;

/// The three parts of a compact JWS (RFC 7515 §3.1), still encoded.
#[derive(Clone, Copy)]
struct Parts<'a> {
    /// `header.payload`: what was signed.
    message: &'a [u8],
    header: &'a [u8],
    payload: &'a [u8],
    signature: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(token: &'a [u8]) -> Result<Self, Rejection> {
        let last = memchr::memrchr(b'.', token).ok_or_else(|| refused("segments"))?;
        let (message, signature) = (&token[..last], &token[last + 1..]);
        // A fourth segment would leave a dot in the payload, which base64url does not know.
        let first = memchr::memchr(b'.', message).ok_or_else(|| refused("segments"))?;
        Ok(Self { message, header: &message[..first], payload: &message[first + 1..], signature })
    }
}

/// All [`Jwt`]s of a layer, and the tokens that it issues: one policy for each issuer.
#[derive(Debug)]
pub(crate) struct Jwts(Vec<Arc<Policy>>);

impl Jwts {
    pub(crate) fn build(jwts: Vec<Jwt>, ours: Option<Arc<Policy>>) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let mut policies: Vec<Arc<Policy>> = ours.into_iter().collect();
        for jwt in jwts {
            match jwt.build(None) {
                Err(found) => problems.extend(found),
                Ok(policy) if policies.iter().any(|other| other.issuer() == policy.issuer()) => {
                    problems.push(ConfigProblem::DuplicateIssuer(policy.issuer().to_owned()));
                }
                Ok(policy) => policies.push(Arc::new(policy)),
            }
        }
        if problems.is_empty() { Ok(Self(policies)) } else { Err(problems) }
    }

    fn verify(&self, token: &[u8], now: SystemTime) -> Result<Answer, Rejection> {
        let parts = Parts::split(token)?;
        let policy = self.policy(parts)?;
        let principal = |token| Principal::from_token(Arc::new(token));
        Ok(match policy.verify(parts, now)? {
            Verified::Live(token) => Answer::Verified(principal(token)),
            Verified::Ask(token, ids) => {
                let policy = Arc::clone(policy);
                Answer::Pending(Box::pin(async move {
                    if let Some(ours) = policy.ours() {
                        ours.ask(&ids, now).await?;
                    }
                    Ok(principal(token))
                }))
            }
        })
    }

    /// With several issuers the token says which one to hold it against. What it says is not believed yet.
    fn policy(&self, parts: Parts<'_>) -> Result<&Arc<Policy>, Rejection> {
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

/// Verifies the tokens that we issue, for those who issue them.
#[derive(Clone, Debug)]
pub(crate) struct OurPolicy(Arc<Policy>);

impl OurPolicy {
    pub(crate) fn build(jwt: Jwt, ours: Ours) -> Result<Self, Vec<ConfigProblem>> {
        jwt.build(Some(ours)).map(|policy| Self(Arc::new(policy)))
    }

    pub(crate) fn shared(&self) -> Arc<Policy> {
        Arc::clone(&self.0)
    }

    /// Whose token of these uses it is, and its ids. Whether it was revoked is not asked.
    pub(crate) fn read(
        &self,
        token: &str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<(Subject, IssuedIds), Rejection> {
        self.0.issued(Parts::split(token.as_bytes())?, uses, now)
    }
}

/// Whether a claim's name is taken, so that an application cannot set it.
pub(crate) fn is_reserved(name: &str) -> bool {
    claims::registered(name).is_some() || name == "sid"
}

impl Scheme for Jwts {
    fn name(&self) -> &'static str {
        "Bearer"
    }

    fn authenticate(&self, credential: &Credential<'_>, now: SystemTime) -> Answer {
        match credential {
            Credential::Token(token) => self.verify(token.as_bytes(), now).unwrap_or_else(Answer::Refused),
            _ => Answer::NotPresented,
        }
    }
}

/// base64url without padding and with canonical last bits (RFC 7515 §2), of UTF-8 text.
fn decoded(segment: &[u8]) -> Result<String, Rejection> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(segment).map_err(|_| refused("base64url"))?;
    String::from_utf8(bytes).map_err(|_| refused("utf-8"))
}

/// The same of bytes, into a buffer; `None` also where that is too small.
fn decoded_into<'b>(segment: &[u8], buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    // The decoder takes a buffer that is too small for a mistake of the program, and panics.
    let fits = segment.len().saturating_mul(3) / 4 <= buffer.len();
    let decoded = fits.then(|| URL_SAFE_NO_PAD.decode(segment, Out::from_slice(buffer)));
    decoded?.ok().map(|decoded| &*decoded)
}

fn refused(reason: &'static str) -> Rejection {
    Rejection::new(RejectionKind::InvalidToken, reason)
}
