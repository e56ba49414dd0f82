//! A small service with the page, on a socket.

use axum::Router;
use axum::routing::get;
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::endpoint::{
    EndpointsBuilder, KeysEndpoint, Page, PrivateTokensEndpoint, SignInEndpoint,
};
use tower_auth::store::Memory;
use tower_auth::test_util::ManualClock;
use tower_auth::{
    ApiKeys, AuthLayer, AuthLayerBuilder, Basic, Clock, NewUser, Principal, Scope, Secret,
    SystemClock, Tokens,
};

pub(super) const PASSWORD: &str = "correct-horse-battery";
pub(super) const ACCESS: Duration = Duration::from_secs(15 * 60);
pub(super) const REFRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// A service, its clock, and its users `anna@example.com` (company 1) and `ben@example.com`.
pub(super) struct Site {
    pub(super) auth: AuthLayer,
    pub(super) clock: ManualClock,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(super) async fn with(more: impl FnOnce(AuthLayerBuilder) -> AuthLayerBuilder) -> Self {
        // Near the browser's own time, from which it counts the expiry of a new key.
        let clock = ManualClock::new(
            SystemClock
                .now()
                .duration_since(UNIX_EPOCH)
                .unwrap()
                .as_secs(),
        );
        let store = Memory::new();
        let tokens = Tokens::hs256(crate::support::SECRET)
            .store(store.clone())
            .issuer("https://api.example.com")
            .access_lifetime(ACCESS)
            .refresh_lifetime(REFRESH);
        let builder = AuthLayer::builder()
            .users(store.clone())
            .tokens(tokens)
            .api_keys(ApiKeys::new(store.clone()).prefix("egret"))
            .basic(Basic::new(store))
            .clock(clock.clone());
        let auth = more(builder).build().unwrap();
        for (name, company) in [("anna@example.com", 1), ("ben@example.com", 2)] {
            let user = NewUser::new(name, Secret::new(String::from(PASSWORD)))
                .scope("reports:read")
                .profile(&json!({ "company_id": company }))
                .unwrap();
            auth.users()
                .unwrap()
                .register(user, clock.now())
                .await
                .unwrap();
        }
        Self { auth, clock }
    }

    /// Sign-in, refresh, sign-out and API keys.
    pub(super) fn with_api_keys(&self) -> EndpointsBuilder {
        let keys = KeysEndpoint::prefixed("egret")
            .request(|_, request| Ok(request.scope(Scope::new("reports:read"))));
        self.signing_in().api_keys("/api-keys/", keys)
    }

    pub(super) fn with_private_tokens(&self) -> EndpointsBuilder {
        self.signing_in()
            .private_tokens("/private-tokens/", PrivateTokensEndpoint::new())
    }

    fn signing_in(&self) -> EndpointsBuilder {
        let builder = self.auth.endpoints();
        builder
            .sign_in("/token/", SignInEndpoint::new())
            .refresh("/refresh/")
            .sign_out("/logout/")
    }

    pub(super) fn router(&self, endpoints: EndpointsBuilder) -> Router {
        let whoami = async |caller: Principal| caller.subject().to_string();
        Router::new()
            .route("/whoami", get(whoami))
            .layer(self.auth.clone())
            .merge(endpoints.build().unwrap())
    }

    /// Serves until the test ends; the URL of the page.
    pub(super) async fn serve(&self, endpoints: EndpointsBuilder) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/settings/", listener.local_addr().unwrap());
        let router = self.router(endpoints);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        url
    }
}

pub(super) fn page() -> Page {
    Page::new().fact("Company ID", "company_id")
}
