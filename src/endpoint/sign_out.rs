#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::{Endpoint, signed_in};
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::caller;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use async_trait::async_trait;

/// Signs out: `POST` with an access token → 204. That token and its refresh token are refused from
/// now on.
///
/// - The access token says which session ends. No body is needed, and none is looked at: a refresh
///   token in it, without an access token beside it, is answered 401, as no credential is.
/// - A client whose access token has expired refreshes first, or ends its refresh token at
///   [`Revoke`](super::Revoke), which asks for nothing else.
///
/// ```
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_auth::endpoint::{Revoke, SignOut};
/// use tower_auth::{AuthLayer, Grant, Realm, Subject, Tokens, random_secret, store::Memory};
///
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let secret = random_secret()?; // a real service has it in its environment
/// let tokens = Tokens::hs256(secret.expose()).issuer("https://api.example.com");
/// let tokens = Realm::new(Memory::new()).tokens(tokens);
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let endpoints = auth
///     .endpoints()
///     .mount("/logout", SignOut::of(&tokens))
///     .mount("/revoke", Revoke::of(&tokens))
///     .build()?;
///
/// let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
/// let refresh = pair.refresh().ok_or("no refresh token")?.expose();
/// let alone = Request::post("/logout").body(format!(r#"{{"refresh":"{refresh}"}}"#))?;
/// assert_eq!(endpoints.clone().oneshot(alone).await?.status(), 401);
///
/// let access = format!("Bearer {}", pair.access().expose());
/// let sign_out = || Request::post("/logout").header("authorization", &access).body(String::new());
/// assert_eq!(endpoints.clone().oneshot(sign_out()?).await?.status(), 204);
/// assert_eq!(endpoints.clone().oneshot(sign_out()?).await?.status(), 401); // it has ended
/// assert!(tokens.refresh(refresh).await.is_err());
///
/// let other = tokens.issue(Grant::new(Subject::user("7"))).await?;
/// let refresh = other.refresh().ok_or("no refresh token")?.expose();
/// let revoke = Request::post("/revoke")
///     .header("content-type", "application/x-www-form-urlencoded")
///     .body(format!("token={refresh}"))?;
/// assert_eq!(endpoints.oneshot(revoke).await?.status(), 200);
/// assert!(tokens.refresh(refresh).await.is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct SignOut {
    tokens: TokenIssuer,
}

impl SignOut {
    /// For access tokens of this issuer.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for SignOut {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        self.tokens.sign_out(caller(call)?).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("sign_out", "Sign out");
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

impl From<SignOut> for Endpoint {
    fn from(endpoint: SignOut) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.landmarks.sign_out = Some(path.to_owned());
            mounting.act(path, Access::Caller(signed_in()), endpoint);
        })
    }
}

/// Signs out everywhere: `POST` with an access token → 204. All tokens of the user, private ones
/// too, are refused from now on.
#[derive(Clone, Debug)]
#[must_use]
pub struct SignOutEverywhere {
    tokens: TokenIssuer,
}

impl SignOutEverywhere {
    /// For access tokens of this issuer.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }
}

#[async_trait]
impl Handler for SignOutEverywhere {
    async fn handle(&self, call: &Call, _: Input) -> Result<Reply, Rejection> {
        self.tokens.sign_out_everywhere_by(caller(call)?).await?;
        Ok(Reply::nothing())
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("sign_out_everywhere", "Sign out everywhere");
        Some(about.refusing([RejectionKind::Unavailable]))
    }
}

impl From<SignOutEverywhere> for Endpoint {
    fn from(endpoint: SignOutEverywhere) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.act(path, Access::Caller(signed_in()), endpoint);
        })
    }
}
