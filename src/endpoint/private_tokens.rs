#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
#[cfg(feature = "openapi")]
use super::known_schema::KnownSchema;
use super::member_form::MemberForm;
use super::mount::{Endpoint, KeyScopes, KeysLandmark, Mounting, signed_in};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::{Part, caller, map_of, part, time};
#[cfg(feature = "openapi")]
use super::shown_schema::{object_of, with};
use crate::authorize::Requirement;
use crate::clock::later;
use crate::issue::{Grant, NewPrivateToken, TokenIssuer};
use crate::password::policy::PasswordPolicy;
use crate::principal::Principal;
use crate::reject::{Rejection, RejectionKind};
use crate::store::TokenRecord;
use crate::users::Users;
use async_trait::async_trait;
use http::StatusCode;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::SystemTime;

/// Private tokens of the caller, who signed in: made, listed, rotated and revoked.
///
/// ```text
/// POST   PATH                     {name, expires_at}   201, the token, once
/// GET    PATH                                          200, those not revoked, no token
/// POST   PATH{token_id}/rotate/   {expires_at?}        201, a new token in its place, once;
///                                                      by default for as long again
/// DELETE PATH{token_id}/                               204, refused from now on
/// ```
///
/// `expires_at` is a time of RFC 3339, such as `2027-01-31T09:00:00Z`.
///
/// Only an access token of ours makes, rotates or revokes one: neither a private token nor an API
/// key does. What it grants is what the user has, and no more than what that access token grants.
#[derive(Clone, Debug)]
#[must_use]
pub struct PrivateTokensEndpoint {
    tokens: TokenIssuer,
    users: Users,
}

impl PrivateTokensEndpoint {
    /// Private tokens of this issuer, with the fields `name` and `expires_at`.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
            // Needed to find users alone: nobody chooses a password here, so any policy will do.
            users: tokens.realm().users(PasswordPolicy::new()),
        }
    }

    /// What the caller's user has: the issuer leaves out what the caller has not.
    async fn grant(&self, caller: &Principal) -> Result<Grant, Rejection> {
        let user = self.users.find(caller.subject()).await?;
        self.tokens.grant_for(&user)
    }

    /// The caller's own that are still there.
    async fn live(&self, call: &Call) -> Result<Vec<Arc<TokenRecord>>, Rejection> {
        let owner = caller(call)?.subject();
        let mut records = self.tokens.private_tokens(owner).await?;
        records.retain(|token| token.revoked.is_none());
        Ok(records)
    }

    /// The one that the path names.
    async fn find(&self, call: &Call) -> Result<Arc<TokenRecord>, Rejection> {
        let id = call.parameter("token_id").unwrap_or_default();
        let owner = caller(call)?.subject();
        let token = self.tokens.find_private(owner, id).await?;
        if token.revoked.is_some() {
            return Err(Rejection::new(RejectionKind::NotFound, "revoked"));
        }
        Ok(token)
    }

    fn routes(&self, path: &str, access: &dyn Fn(Requirement) -> Access, mounting: &mut Mounting) {
        let one = format!("{path}{{token_id}}/");
        let rotate = format!("{one}rotate/");
        // By a private token or a key none is made: whoever steals one could keep others when it is
        // revoked.
        mounting.post(path, access(signed_in()), Create(self.clone()));
        mounting.get(path, access(signed_in()), List(self.clone()));
        mounting.post(&rotate, access(signed_in()), Rotate(self.clone()));
        mounting.delete(&one, access(signed_in()), Revoke(self.clone()));
    }
}

impl From<PrivateTokensEndpoint> for Endpoint {
    fn from(endpoint: PrivateTokensEndpoint) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_private_tokens(&endpoint.tokens);
            mounting.uses_users(endpoint.tokens.realm());
            if !mounting.has_room_below(path) {
                return;
            }
            endpoint.routes(path, &Access::Caller, mounting);
            mounting.landmarks.keys.push(KeysLandmark {
                path: path.to_owned(),
                secret_field: "token".into(),
                // The page says so before it is sent: a private token must expire, and not later
                // than this.
                longest: Some(endpoint.tokens.longest_private().as_secs()),
                scopes: KeyScopes::OfUser,
                rates: Vec::new(),
                remount: Arc::new(move |path, access, mounting| {
                    endpoint.routes(path, access, mounting);
                }),
            });
        })
    }
}

/// What answers show of a private token.
fn parts() -> [Part<TokenRecord>; 5] {
    use MemberForm as F;
    [
        part("id", F::Answer, |token| (*token.id).into()),
        part("name", F::Answer, |token| (*token.name).into()),
        part("created", F::Moment, |token| time(Some(token.created))),
        part("expires_at", F::Moment, |token| time(Some(token.expires))),
        part("last_used", F::Moment, |token| time(token.last_used.get())),
    ]
}

fn shown(token: &TokenRecord) -> Map<String, Value> {
    map_of(&parts(), token)
}

/// The same with the token, once.
#[cfg(feature = "openapi")]
fn new_object() -> KnownSchema {
    KnownSchema::new(with(object_of(&parts()), "token", MemberForm::Credential))
}

struct Create(PrivateTokensEndpoint);

#[async_trait]
impl Handler for Create {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let (name, expires) = Self::read(&mut input);
        input.check()?;
        let caller = caller(call)?;
        let grant = self.0.grant(caller).await?;
        let tokens = self.0.tokens.on_behalf_of(caller);
        let new = tokens.issue_private(grant, &name, expires).await?;
        Ok(Reply::created(with_token(&new)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("create_private_token", "Create a private token");
        let about = about.created(new_object()).reading(|input| {
            Self::read(input);
        });
        Some(about.refusing([RejectionKind::NotFound, RejectionKind::Unavailable]))
    }
}

impl Create {
    fn read(input: &mut Input) -> (String, SystemTime) {
        let name = input.text_as(MemberForm::KeyName, "name");
        (name, input.time("expires_at"))
    }
}

fn with_token(new: &NewPrivateToken) -> Map<String, Value> {
    let mut members = shown(&new.record);
    members.insert("token".into(), new.token.expose().as_str().into());
    members
}

struct Rotate(PrivateTokensEndpoint);

#[async_trait]
impl Handler for Rotate {
    async fn handle(&self, call: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let caller = caller(call)?;
        let former = self.0.find(call).await?;
        let expires = Self::read(&mut input);
        input.check()?;
        // Without an expiry of its own the new token lives as long as the former one was meant to.
        let lifetime = former
            .expires
            .duration_since(former.created)
            .unwrap_or_default();
        let expires = expires.unwrap_or_else(|| later(call.now, lifetime));
        let grant = self.0.grant(caller).await?;
        let tokens = self.0.tokens.on_behalf_of(caller);
        let new = tokens.rotate_private(&former, grant, expires).await?;
        Ok(Reply::created(with_token(&new)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("rotate_private_token", "Rotate a private token");
        let about = about.created(new_object()).reading(|input| {
            Self::read(input);
        });
        Some(about.refusing([RejectionKind::NotFound, RejectionKind::Unavailable]))
    }
}

impl Rotate {
    fn read(input: &mut Input) -> Option<SystemTime> {
        input.optional_time("expires_at")
    }
}

struct List(PrivateTokensEndpoint);

#[async_trait]
impl Handler for List {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let records = self.0.live(call).await?;
        let shown = records
            .iter()
            .map(|token| Value::Object(shown(token)))
            .collect();
        Ok(Reply::json(StatusCode::OK, &Value::Array(shown)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("list_private_tokens", "List private tokens");
        let about = about.list(&KnownSchema::new(object_of(&parts())));
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

struct Revoke(PrivateTokensEndpoint);

#[async_trait]
impl Handler for Revoke {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        let owner = caller(call)?.subject();
        let token = self.0.find(call).await?;
        self.0.tokens.revoke_private(owner, &token.id).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("revoke_private_token", "Revoke a private token");
        Some(about.refusing([RejectionKind::NotFound, RejectionKind::Unavailable]))
    }
}
