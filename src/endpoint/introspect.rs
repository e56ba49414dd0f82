#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::Reply;
use super::route::{Access, Handler};
#[cfg(feature = "openapi")]
use super::shown_schema::said_of_a_token;
use crate::authorize::Requirement;
use crate::issue::TokenIssuer;
use crate::principal::Scope;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use async_trait::async_trait;
use serde_json::{Map, Value};

/// What other services ask about a token of ours (RFC 7662, token introspection): `POST` of a form
/// with `token` → what it says, or `{"active": false}`.
///
/// ```text
/// POST /introspect
/// token=eyJ…&token_type_hint=access_token
///
/// 200 {"active": true, "sub": "anna", "scope": "reports:read", "exp": …}
/// 200 {"active": false}
/// ```
///
/// - A token is active if a request with it would pass now: it is an access or private token of
///   this issuer, neither expired nor revoked, and its user is not disabled. Everything else is not
///   active, refresh tokens among it, and why is not said (§2.2).
/// - `scope` and the roles are without what the user has lost since.
/// - Who asks needs the scope `introspect`, or what [`require`](Self::require) says: §2.1 wants it,
///   lest anybody tries tokens out.
///
/// ```
/// # use tower_auth::endpoint::Introspect;
/// # use tower_auth::store::Memory;
/// # use tower_auth::{ApiKeys, AuthLayer, Realm, Role, Tokens, random_secret};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let realm = Realm::new(Memory::new());
/// let secret = random_secret()?; // a real service has it in its environment
/// let tokens = Tokens::hs256(secret.expose()).issuer("https://api.example.com");
/// let tokens = realm.tokens(tokens);
/// let keys = realm.api_keys(ApiKeys::prefix("service"));
/// let auth = AuthLayer::builder().accept(&tokens).accept(&keys).build()?;
/// let endpoints = auth
///     .endpoints()
///     .mount("/introspect", Introspect::of(&tokens).require(Role::new("service")))
///     .build()?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Introspect {
    tokens: TokenIssuer,
    requirement: Requirement,
}

impl Introspect {
    /// The endpoint that tells of the tokens of this issuer, and of no others.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
            requirement: Scope::new("introspect").into(),
        }
    }

    /// What whoever asks must be or have.
    pub fn require(mut self, requirement: impl Into<Requirement>) -> Self {
        self.requirement = requirement.into();
        self
    }
}

#[async_trait]
impl Handler for Introspect {
    async fn handle(&self, _: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let token = read(&mut input);
        input.check()?;
        // A token that is no good and text that is none get one answer (RFC 7662, section 2.2).
        // Only a store that fails is an error.
        let said = self.tokens.introspect(&token).await?;
        Ok(Reply::ok(answer(said)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("introspect_token", "What a token says (RFC 7662)");
        let about = about.ok(said_of_a_token()).reading(|input| {
            read(input);
        });
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

/// Whether the token is active, and what it says then.
fn answer(said: Option<Map<String, Value>>) -> Map<String, Value> {
    let active = Value::Bool(said.is_some());
    let mut members = said.unwrap_or_default();
    // Last, because a claim of the application's own may have that name too. The other members that
    // RFC 7662 defines are names that no such claim can have, or that say what the token says.
    members.insert("active".into(), active);
    members
}

/// The token. What it is said to be changes nothing (RFC 7662 §2.1).
fn read(input: &mut Input) -> String {
    input.ignored("token_type_hint");
    input.text("token")
}

impl From<Introspect> for Endpoint {
    fn from(endpoint: Introspect) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            let access = Access::Caller(endpoint.requirement.clone());
            mounting.post_form(path, access, endpoint);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn no_claim_of_the_applications_says_whether_a_token_is_active() {
        for active in [json!(false), json!("no"), Value::Null] {
            let said = json!({ "active": active, "sub": "anna" });
            let answer = answer(said.as_object().cloned());
            assert_eq!(
                Value::Object(answer),
                json!({ "active": true, "sub": "anna" })
            );
        }
        assert_eq!(Value::Object(answer(None)), json!({ "active": false }));
    }
}
