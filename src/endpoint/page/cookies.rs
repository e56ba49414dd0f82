use crate::endpoint::call::{Call, host};
use crate::endpoint::caller;
use crate::endpoint::input::Input;
use crate::endpoint::reply::Reply;
use crate::endpoint::route::Handler;
use crate::endpoint::session::{SignInEndpoint, tokens};
use crate::issue::TokenPair;
use crate::layer::AuthLayer;
use crate::reject::{Rejection, RejectionKind};
use async_trait::async_trait;
use http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use std::sync::Arc;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The longest cookie that browsers keep, name and value, in bytes (RFC 6265 §6.1).
const LONGEST_COOKIE: usize = 4096;

/// The two cookies of a page. `__Host-`: browsers take them from this host alone, over a secure connection (RFC 6265bis §4.1.3.2).
pub(in crate::endpoint) struct Cookies {
    access: String,
    refresh: String,
}

impl Cookies {
    /// `None` where the name is no part of a cookie's name.
    pub(super) fn named(name: &str) -> Option<Self> {
        let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        (!name.is_empty() && name.len() <= 64 && name.bytes().all(good)).then(|| Self {
            access: format!("__Host-{name}-access"),
            refresh: format!("__Host-{name}-refresh"),
        })
    }

    /// Presents the access token in a cookie as a Bearer, which it is.
    pub(in crate::endpoint) fn present(&self, headers: &mut HeaderMap) -> Result<(), Rejection> {
        if headers.contains_key(AUTHORIZATION) || headers.contains_key(X_API_KEY) {
            return Err(Rejection::new(
                RejectionKind::MultipleCredentials,
                "beside cookies",
            ));
        }
        let Some(token) = value_of(headers, &self.access)? else {
            return Ok(());
        };
        let malformed = |_| Rejection::new(RejectionKind::MalformedCredential, "cookie");
        let bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(malformed)?;
        let lines = headers.iter_mut().filter(|(name, _)| **name == COOKIE);
        lines.for_each(|(_, line)| line.set_sensitive(true));
        headers.insert(AUTHORIZATION, bearer);
        Ok(())
    }

    fn set(&self, mut reply: Reply, pair: &TokenPair) -> Result<Reply, Rejection> {
        let refresh = pair.refresh().map(|token| (&self.refresh, token));
        for (name, token) in [(&self.access, pair.access())].into_iter().chain(refresh) {
            if name.len() + token.expose().len() > LONGEST_COOKIE {
                return Err(Rejection::new(
                    RejectionKind::Failed,
                    "token too long for a cookie",
                ));
            }
            reply = reply.cookie(&format!(
                "{name}={}; Path=/; Secure; HttpOnly; SameSite=Strict",
                token.expose()
            ))?;
        }
        Ok(reply)
    }

    fn clear(&self, reply: Reply) -> Result<Reply, Rejection> {
        [&self.access, &self.refresh]
            .into_iter()
            .try_fold(reply, |reply, name| {
                reply.cookie(&format!(
                    "{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"
                ))
            })
    }
}

/// The value of a cookie. One that came twice is refused, as every credential is.
fn value_of<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Rejection> {
    // HTTP/2 may spread them over several fields (RFC 9113 §8.2.3).
    let lines = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok());
    let pairs = lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs
        .filter(|(other, _)| *other == name)
        .map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Rejection::new(RejectionKind::RepeatedField, "cookie")),
        (value, None) => Ok(value.filter(|value| !value.is_empty())),
    }
}

/// Whether a page of the same origin sent it: cookies come with whatever request a browser sends, whoever made it do so.
///
/// `Sec-Fetch-Site` says it, and no script can set that field; browsers that do not know it say `Origin` with every request that is not
/// safe. What says neither is refused unless it is safe: what it answers no other origin can read.
pub(in crate::endpoint) fn check_same_origin(
    head: &Request<()>,
    public_url: Option<&str>,
) -> Result<(), Rejection> {
    let says = |name: HeaderName| head.headers().get(name).map(HeaderValue::as_bytes);
    let same = match (says(SEC_FETCH_SITE), says(ORIGIN)) {
        (Some(site), _) => site == b"same-origin",
        (None, Some(origin)) => is_ours(origin, head, public_url),
        (None, None) => head.method().is_safe(),
    };
    if same {
        Ok(())
    } else {
        Err(Rejection::permission_denied("not from the page"))
    }
}

fn is_ours(origin: &[u8], head: &Request<()>, public_url: Option<&str>) -> bool {
    let Ok(origin) = std::str::from_utf8(origin) else {
        return false;
    };
    match public_url {
        Some(ours) => origin.eq_ignore_ascii_case(ours),
        None => origin.split_once("://").is_some_and(|(_, authority)| {
            host(head.headers(), head.uri())
                .is_some_and(|host| host.as_str().eq_ignore_ascii_case(authority))
        }),
    }
}

/// `POST {email, password}` → 204, with cookies.
pub(in crate::endpoint) struct SignIn(
    pub(in crate::endpoint) SignInEndpoint,
    pub(in crate::endpoint) Arc<Cookies>,
);

#[async_trait]
impl Handler for SignIn {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let (_, pair) = self.0.sign_in(auth, call, &mut input).await?;
        self.1.set(Reply::nothing(), &pair)
    }
}

/// `POST` → 204, with new cookies.
pub(in crate::endpoint) struct Refresh(pub(in crate::endpoint) Arc<Cookies>);

#[async_trait]
impl Handler for Refresh {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let token = value_of(&call.head.headers, &self.0.refresh)?;
        let token =
            token.ok_or_else(|| Rejection::new(RejectionKind::MissingCredential, "no cookie"))?;
        self.0.set(
            Reply::nothing(),
            &tokens(auth)?.refresh(token, call.now).await?,
        )
    }
}

/// `POST` → 204: the family is dead, and the cookies are gone.
pub(in crate::endpoint) struct SignOut(pub(in crate::endpoint) Arc<Cookies>);

#[async_trait]
impl Handler for SignOut {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        tokens(auth)?.sign_out(caller(call)?, call.now).await?;
        self.0.clear(Reply::nothing())
    }
}
