use crate::credential::{cookie, hide_cookies};
use crate::endpoint::reply::Reply;
use crate::issue::TokenPair;
use crate::reject::{Rejection, RejectionKind};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

/// The longest cookie that browsers keep, name and value, in bytes (RFC 6265 §6.1).
const LONGEST_COOKIE: usize = 4096;

/// The two cookies of a page. `__Host-`: browsers take them from this host alone, over a secure
/// connection (RFC 6265bis §4.1.3.2).
pub(in crate::endpoint) struct Cookies {
    access: String,
    refresh: String,
}

impl Cookies {
    /// `None` where the name is no part of a cookie's name.
    pub(super) fn named(name: &str) -> Option<Self> {
        if name.is_empty() || name.len() > 64 || !name.bytes().all(is_in_name) {
            return None;
        }
        Some(Self {
            access: format!("__Host-{name}-access"),
            refresh: format!("__Host-{name}-refresh"),
        })
    }

    /// Presents the access token in a cookie as a Bearer, which it is.
    pub(in crate::endpoint) fn present(&self, headers: &mut HeaderMap) -> Result<(), Rejection> {
        // Two credentials are refused. What stands in other places is found by the layer's reader,
        // beside the Bearer that this becomes.
        if headers.contains_key(AUTHORIZATION) {
            return Err(Rejection::new(
                RejectionKind::MultipleCredentials,
                "beside cookies",
            ));
        }
        let Some(token) = value_of(headers, &self.access)? else {
            // No other credential gets its turn: these routes are for cookies alone.
            return Err(Rejection::new(
                RejectionKind::MissingCredential,
                "no cookie",
            ));
        };
        let Ok(bearer) = HeaderValue::try_from(format!("Bearer {token}")) else {
            let kind = RejectionKind::MalformedCredential;
            return Err(Rejection::new(kind, "cookie"));
        };
        // Hooks get to see the head of the request, in which the token stands now twice.
        hide_cookies(headers);
        headers.insert(AUTHORIZATION, bearer);
        Ok(())
    }

    /// The refresh token in a cookie.
    pub(super) fn refresh<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, Rejection> {
        let token = value_of(headers, &self.refresh)?;
        token.ok_or_else(|| Rejection::new(RejectionKind::MissingCredential, "no cookie"))
    }

    pub(super) fn set(&self, mut reply: Reply, pair: &TokenPair) -> Result<Reply, Rejection> {
        let refresh = pair.refresh().map(|token| (&self.refresh, token));
        for (name, token) in [(&self.access, pair.access())].into_iter().chain(refresh) {
            reply = reply.cookie(&with_attributes(name, token.expose())?)?;
        }
        Ok(reply)
    }

    pub(super) fn clear(&self, reply: Reply) -> Result<Reply, Rejection> {
        [&self.access, &self.refresh]
            .into_iter()
            .try_fold(reply, |reply, name| {
                reply.cookie(&format!(
                    // With the same attributes as it was set, or browsers would refuse it because
                    // of `__Host-`.
                    "{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
                ))
            })
    }
}

fn with_attributes(name: &str, token: &str) -> Result<String, Rejection> {
    // Browsers drop a longer cookie without a word, and nobody would know why the sign-in does not
    // last.
    if name.len() + token.len() > LONGEST_COOKIE {
        let too_long = "token too long for a cookie";
        return Err(Rejection::new(RejectionKind::Failed, too_long));
    }
    // `__Host-` demands `Secure` and `Path=/`. No script can read it, and no request that another
    // site causes brings it.
    Ok(format!(
        "{name}={token}; Path=/; Secure; HttpOnly; SameSite=Strict"
    ))
}

fn is_in_name(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')
}

/// The value of a cookie. One that is empty is one that is gone.
fn value_of<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Rejection> {
    let value = cookie(headers, name).map_err(|kind| Rejection::new(kind, "cookie"))?;
    let Some(value) = value.filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    match std::str::from_utf8(value) {
        Ok(value) => Ok(Some(value)),
        Err(_) => Err(Rejection::new(RejectionKind::NonAsciiCredential, "cookie")),
    }
}
