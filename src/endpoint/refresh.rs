#[cfg(feature = "openapi")]
use super::about::About;
use super::call::Call;
use super::input::Input;
use super::mount::Endpoint;
use super::reply::Reply;
use super::route::{Access, Handler};
use super::shown::pair_map;
#[cfg(feature = "openapi")]
use super::shown_schema::pair_object;
#[cfg(feature = "openapi")]
use crate::integration::BAD_TOKEN;
use crate::issue::TokenIssuer;
use crate::reject::Rejection;
#[cfg(feature = "openapi")]
use crate::reject::RejectionKind;
use async_trait::async_trait;
use serde_json::Map;
#[cfg(feature = "openapi")]
use utoipa::openapi::schema::ObjectBuilder;

/// The endpoint that refreshes tokens: `POST {refresh}` → 200 `{access}`, and with rotation a new
/// `refresh`; 401 where it is no good.
///
/// ```
/// use tower_auth::endpoint::Refresh;
/// use tower_auth::store::Memory;
/// use tower_auth::{AuthLayer, Grant, Realm, Subject, Tokens, random_secret};
/// # use http_body_util::{BodyExt, Full};
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let secret = random_secret()?;
/// let realm = Realm::new(Memory::new());
/// let tokens = realm.tokens(Tokens::hs256(secret.expose()).issuer("https://api.example.com"));
/// let auth = AuthLayer::builder().accept(&tokens).build()?;
/// let endpoints = auth.endpoints().mount("/refresh/", Refresh::of(&tokens)).build()?;
/// # let refresh = async |token: &str| {
/// #     let body = serde_json::json!({ "refresh": token }).to_string();
/// #     let request = http::Request::post("/refresh/").header("content-type", "application/json");
/// #     let request = request.body(Full::new(bytes::Bytes::from(body))).unwrap();
/// #     let answer = tower::ServiceExt::oneshot(endpoints.clone(), request).await.unwrap();
/// #     let status = answer.status().as_u16();
/// #     let body = answer.into_body().collect().await.unwrap().to_bytes();
/// #     let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
/// #     (status, body["refresh"].as_str().unwrap_or_default().to_owned())
/// # };
///
/// // `refresh` posts `{"refresh": …}`, and gives the status and the next refresh token.
/// let pair = tokens.issue(Grant::new(Subject::user("7"))).await?;
/// let first = pair.refresh().expect("rotation is on by default").expose();
/// let (status, second) = refresh(first).await;
/// assert_eq!(status, 200);
/// let (status, third) = refresh(&second).await;
/// assert_eq!(status, 200);
///
/// // Somebody has a copy of the first one: nobody refreshes in this family any more.
/// assert_eq!(refresh(first).await.0, 401);
/// assert_eq!(refresh(&third).await.0, 401);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Refresh {
    tokens: TokenIssuer,
}

impl Refresh {
    /// For refresh tokens of this issuer.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }

    fn read(input: &mut Input) -> String {
        input.text("refresh")
    }
}

#[async_trait]
impl Handler for Refresh {
    async fn handle(&self, _: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let refresh = Self::read(&mut input);
        input.check()?;
        Ok(Reply::ok(pair_map(&self.tokens.refresh(&refresh).await?)))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("refresh_token", "Refresh an access token");
        let about = about.ok(pair_object()).reading(|input| {
            Self::read(input);
        });
        Some(
            about
                .refusing(BAD_TOKEN)
                .refusing([RejectionKind::Unavailable]),
        )
    }
}

impl From<Refresh> for Endpoint {
    fn from(endpoint: Refresh) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.landmarks.refresh = Some(path.to_owned());
            mounting.post(path, Access::Anybody, endpoint);
        })
    }
}

/// Verifies: `POST {token}` → 200 `{}` where it is a token of ours that is good now; else 401.
#[derive(Clone, Debug)]
#[must_use]
pub struct Verify {
    tokens: TokenIssuer,
}

impl Verify {
    /// For tokens of this issuer, of whatever use.
    pub fn of(tokens: &TokenIssuer) -> Self {
        Self {
            tokens: tokens.clone(),
        }
    }

    fn read(input: &mut Input) -> String {
        input.text("token")
    }
}

#[async_trait]
impl Handler for Verify {
    async fn handle(&self, _: &Call, mut input: Input) -> Result<Reply, Rejection> {
        let token = Self::read(&mut input);
        input.check()?;
        self.tokens.verify(&token).await?;
        Ok(Reply::ok(Map::new()))
    }

    #[cfg(feature = "openapi")]
    fn about(&self) -> Option<About> {
        let about = About::new("verify_token", "Verify a token").ok(ObjectBuilder::new());
        let about = about.reading(|input| {
            Self::read(input);
        });
        Some(
            about
                .refusing(BAD_TOKEN)
                .refusing([RejectionKind::Unavailable]),
        )
    }
}

impl From<Verify> for Endpoint {
    fn from(endpoint: Verify) -> Self {
        Self::new(move |path, mounting| {
            mounting.uses_tokens(&endpoint.tokens);
            mounting.post(path, Access::Anybody, endpoint);
        })
    }
}
