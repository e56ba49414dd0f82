//! A small service with the page, on a socket.

use axum::Router;
use axum::routing::get;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};
use tower_auth::clock::{Clock, SystemClock};
use tower_auth::endpoint::{
    EndpointsBuilder, KeysEndpoint, Page, PrivateTokensEndpoint, Refresh, SignIn, SignOut,
};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::store::{KeyRecord, Memory};
use tower_auth::test_util::ManualClock;
use tower_auth::{
    ApiKeys, AuthLayer, KeyIssuer, NewUser, PasswordPolicy, Principal, Realm, Scope, Secret,
    Subject, TokenIssuer, Tokens,
};

pub(super) const PASSWORD: &str = "correct-horse-battery";
pub(super) const ACCESS: Duration = Duration::from_secs(15 * 60);
pub(super) const REFRESH: Duration = Duration::from_secs(24 * 60 * 60);

/// A service, its clock, and its users `anna@example.com` (company 1) and `ben@example.com`.
pub(super) struct Site {
    pub(super) auth: AuthLayer,
    pub(super) tokens: TokenIssuer,
    pub(super) keys: KeyIssuer,
    pub(super) clock: ManualClock,
    pub(super) anna: Subject,
}

impl Site {
    pub(super) async fn new() -> Self {
        Self::of(|tokens| tokens, |builder| builder).await
    }

    pub(super) async fn with(more: impl FnOnce(AuthLayerBuilder) -> AuthLayerBuilder) -> Self {
        Self::of(|tokens| tokens, more).await
    }

    pub(super) async fn of(
        tokens: impl FnOnce(Tokens) -> Tokens,
        more: impl FnOnce(AuthLayerBuilder) -> AuthLayerBuilder,
    ) -> Self {
        // Near the browser's own time, from which it counts the expiry of a new key.
        let now = SystemClock.now().duration_since(UNIX_EPOCH).unwrap();
        let clock = ManualClock::new(now.as_secs());
        let realm = Realm::new(Memory::new()).clock(clock.clone());
        let users = realm.users(PasswordPolicy::new());
        let configured = Tokens::hs256(crate::support::SECRET)
            .issuer("https://api.example.com")
            .access_lifetime(ACCESS)
            .refresh_lifetime(REFRESH);
        let tokens = realm.tokens(tokens(configured));
        let keys = realm.api_keys(ApiKeys::prefix("egret"));
        let builder = AuthLayer::builder()
            .accept(&tokens)
            .accept(&keys)
            .accept(users.basic());
        let auth = more(builder).build().unwrap();
        let mut ids = Vec::new();
        for (name, company) in [("anna@example.com", 1), ("ben@example.com", 2)] {
            let user = NewUser::new(name, Secret::new(String::from(PASSWORD)))
                .scope("reports:read")
                .scope("reports:write")
                .profile(&json!({ "company_id": company }))
                .unwrap();
            ids.push(users.register(user).await.unwrap().id.clone());
        }
        Self {
            auth,
            tokens,
            keys,
            clock,
            anna: ids.remove(0),
        }
    }

    /// Sign-in, refresh, sign-out and API keys.
    pub(super) fn with_api_keys(&self) -> EndpointsBuilder {
        let keys = KeysEndpoint::of(&self.keys)
            .request(|_, request| Ok(request.scope(Scope::new("reports:read"))));
        self.signing_in().mount("/api-keys/", keys)
    }

    /// The same, whose keys have what whoever makes them chooses.
    pub(super) fn with_choices(&self) -> EndpointsBuilder {
        let keys = KeysEndpoint::of(&self.keys).rates(["100/hour", "2000/day"]);
        self.signing_in().mount("/api-keys/", keys)
    }

    pub(super) fn with_private_tokens(&self) -> EndpointsBuilder {
        self.signing_in()
            .mount("/private-tokens/", PrivateTokensEndpoint::of(&self.tokens))
    }

    fn signing_in(&self) -> EndpointsBuilder {
        self.auth
            .endpoints()
            .mount("/token/", SignIn::of(&self.tokens))
            .mount("/refresh/", Refresh::of(&self.tokens))
            .mount("/logout/", SignOut::of(&self.tokens))
    }

    /// Anna's only key that is not revoked.
    pub(super) async fn only_key(&self) -> Arc<KeyRecord> {
        let mut keys = self.keys.list(&self.anna).await.unwrap();
        keys.retain(|key| key.revoked.is_none());
        assert_eq!(keys.len(), 1);
        Arc::clone(&keys[0])
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
