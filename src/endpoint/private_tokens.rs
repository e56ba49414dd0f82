use super::api_keys::time;
use super::call::Call;
use super::caller;
#[cfg(feature = "openapi")]
use super::describe::About;
use super::input::Input;
use super::reply::Reply;
use super::route::Handler;
use super::session::{GrantOf, granted, tokens, users};
use crate::issue::NewPrivateToken;
use crate::layer::AuthLayer;
use crate::principal::Subject;
use crate::reject::{Rejection, RejectionKind};
use crate::store::TokenRecord;
use async_trait::async_trait;
use http::StatusCode;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::SystemTime;

/// Private tokens of the caller, who signed in:
///
/// ```text
/// POST   PATH                     {name, expires_at}   201, the token, once
/// GET    PATH                                          200, those that are not revoked, without the tokens
/// POST   PATH{token_id}/rotate/   {expires_at?}        201, a new token in its place, once, by default for as long again
/// DELETE PATH{token_id}/                               204, refused from now on
/// ```
///
/// Only an access token of ours makes, rotates or revokes one: neither a private token nor an API key does. What it grants is what the user has,
/// and no more than what that access token grants.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct PrivateTokensEndpoint {
    _private: (),
}

impl PrivateTokensEndpoint {
    /// With the fields `name` and `expires_at`.
    pub fn new() -> Self {
        Self::default()
    }
}

fn shown(token: &TokenRecord) -> Map<String, Value> {
    [
        ("id", token.id().into()),
        ("name", token.name().into()),
        ("created", time(Some(token.created()))),
        ("expires_at", time(Some(token.expires()))),
        ("last_used", time(token.last_used())),
    ]
    .map(|(name, value): (&str, Value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

pub(super) struct Create(pub(super) Option<GrantOf>);

#[async_trait]
impl Handler for Create {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let (name, expires) = (input.text("name"), input.time("expires_at"));
        input.check()?;
        let new = issue(self.0.as_ref(), auth, call, &name, expires).await?;
        Ok(Reply::created(with_token(&new)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(
            About::new(StatusCode::CREATED, "Create a private token")
                .text("name")
                .time("expires_at"),
        )
    }
}

async fn issue(
    grant: Option<&GrantOf>,
    auth: &AuthLayer,
    call: &Call,
    name: &str,
    expires: SystemTime,
) -> Result<NewPrivateToken, Rejection> {
    let caller = caller(call)?;
    let user = users(auth)?.find(caller.subject(), call.now).await?;
    let grant = granted(grant, &user)?.shrunk_to(caller.scopes(), caller.roles());
    tokens(auth)?
        .issue_private(grant, name, expires, call.now)
        .await
}

fn with_token(new: &NewPrivateToken) -> Map<String, Value> {
    let mut members = shown(&new.record);
    members.insert("token".into(), new.token.expose().as_str().into());
    members
}

pub(super) struct Rotate(pub(super) Option<GrantOf>);

#[async_trait]
impl Handler for Rotate {
    async fn handle(
        &self,
        auth: &AuthLayer,
        call: &Call,
        mut input: Input,
    ) -> Result<Reply, Rejection> {
        let (owner, former) = (caller(call)?.subject(), find(auth, call).await?);
        let expires = input.optional_time("expires_at");
        input.check()?;
        let lifetime = former
            .expires()
            .duration_since(former.created())
            .unwrap_or_default();
        let expires = expires
            .or_else(|| call.now.checked_add(lifetime))
            .unwrap_or(call.now);
        let new = issue(self.0.as_ref(), auth, call, former.name(), expires).await?;
        let tokens = tokens(auth)?;
        if let Err(refusal) = tokens.revoke_private(owner, former.id(), call.now).await {
            // Nobody gets to know the new one, so it goes as well; should that fail it can be revoked from the list.
            let _ = tokens
                .revoke_private(owner, new.record.id(), call.now)
                .await;
            return Err(refusal);
        }
        Ok(Reply::created(with_token(&new)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::CREATED, "Rotate a private token").optional_time("expires_at"))
    }
}

async fn live(
    auth: &AuthLayer,
    call: &Call,
    owner: &Subject,
) -> Result<Vec<Arc<TokenRecord>>, Rejection> {
    let mut records = tokens(auth)?.private_tokens(owner, call.now).await?;
    records.retain(|token| token.revoked_at().is_none());
    Ok(records)
}

/// The one that the path names.
async fn find(auth: &AuthLayer, call: &Call) -> Result<Arc<TokenRecord>, Rejection> {
    let id = call.parameter("token_id").unwrap_or_default();
    let found = live(auth, call, caller(call)?.subject())
        .await?
        .into_iter()
        .find(|token| token.id() == id);
    found.ok_or_else(|| Rejection::new(RejectionKind::NotFound, "missing"))
}

pub(super) struct List;

#[async_trait]
impl Handler for List {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let records = live(auth, call, caller(call)?.subject()).await?;
        let shown = records
            .iter()
            .map(|token| Value::Object(shown(token)))
            .collect();
        Ok(Reply::json(StatusCode::OK, &Value::Array(shown)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::OK, "List private tokens"))
    }
}

pub(super) struct Revoke;

#[async_trait]
impl Handler for Revoke {
    async fn handle(&self, auth: &AuthLayer, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let (owner, token) = (caller(call)?.subject(), find(auth, call).await?);
        tokens(auth)?
            .revoke_private(owner, token.id(), call.now)
            .await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        Some(About::new(StatusCode::NO_CONTENT, "Revoke a private token"))
    }
}
