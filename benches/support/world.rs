//! The layers that rows measure, and credentials that they accept.

use super::fixtures::{AUDIENCE, ISSUER, SECRET};
use http::HeaderName;
use metrics_exporter_prometheus::PrometheusBuilder;
use std::hint::black_box;
use std::rc::Rc;
use tokio::runtime::Runtime;
use tower_auth::event::Audit;
use tower_auth::jwt::JwtKey;
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::store::{ManagedUserStore, Memory, UserRecord};
use tower_auth::throttle::{QuotaFields, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, Grant, Jwt, KeyIssuer, KeyRequest, NewUser, PasswordPolicy, Realm, Secret,
    Subject, TokenIssuer, Tokens, Users,
};

pub(crate) const KEYS: usize = 1000;
/// Of ours.
pub(crate) const USERS: usize = 64;
/// Of memory for tokens, in bytes.
pub(crate) const LITTLE: u64 = 64 << 10;
pub(crate) const SLIDING: &str = "100000000/day";

/// One realm: keys and users are in the same memory, so the account of a key's owner is looked at.
pub(crate) struct World {
    pub(crate) runtime: Rc<Runtime>,
    /// `anna`, whose password is `correct horse`, is one of them.
    users: Users,
    pub(crate) keys: KeyIssuer,
    /// What `keys` accepts.
    pub(crate) raw: Vec<String>,
}

pub(crate) fn jwt(key: JwtKey) -> Jwt {
    Jwt::new().issuer(ISSUER).audience(AUDIENCE).key(key)
}

pub(crate) fn shared_secret() -> Jwt {
    jwt(JwtKey::hs256(SECRET).id("k1"))
}

/// The name is a constant: looked up by text it would be read anew for each request, at three times
/// the price, and none of it the layer's.
fn by_text() -> Throttle {
    const KEY: HeaderName = HeaderName::from_static("x-api-key");
    Throttle::per(SLIDING, |call| {
        Some(call.headers().get(&KEY)?.as_bytes().into())
    })
}

pub(crate) fn tokens() -> Tokens {
    Tokens::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::over(Realm::new(Memory::new()))
    }

    /// One whose requests are counted for a recorder, whose events are kept, and told to a hook.
    pub(crate) fn observed() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            let realm = Realm::new(Memory::new()).audit(Audit::new());
            Self::over(realm.on_event(|event| {
                black_box(event);
            }))
        })
    }

    /// One whose requests are counted for a recorder.
    pub(crate) fn counted() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        metrics::with_local_recorder(&recorder, || Self::over(Realm::new(Memory::new())))
    }

    fn over(realm: Realm) -> Self {
        let runtime = Rc::new(
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        );
        let users = realm.users(PasswordPolicy::new());
        let anna = NewUser::new("anna", Secret::new("correct horse".into()));
        runtime.block_on(users.register(anna)).unwrap();
        let keys = realm.api_keys(ApiKeys::prefix("tak"));
        let raw = (0..KEYS).map(|owner| {
            let request = KeyRequest::new(Subject::user(owner.to_string()), "bench");
            let issued = keys.issue(request.scope("orders:read"));
            runtime.block_on(issued).unwrap().key.expose().clone()
        });
        let raw = raw.collect();
        Self {
            runtime,
            users,
            keys,
            raw,
        }
    }

    /// Accepts tokens of an issuer, API keys and Basic.
    pub(crate) fn all(&self) -> AuthLayer {
        self.all_and(shared_secret())
    }

    /// The same, with little memory for tokens: soon each place of it was used.
    pub(crate) fn all_with_little_memory(&self) -> AuthLayer {
        self.all_and(shared_secret().cache_bytes(LITTLE))
    }

    /// The same, with no memory for tokens.
    pub(crate) fn all_without_memory(&self) -> AuthLayer {
        self.all_and(shared_secret().cache_bytes(0))
    }

    fn all_and(&self, jwt: Jwt) -> AuthLayer {
        AuthLayer::builder()
            .accept(jwt)
            .accept(&self.keys)
            .accept(self.users.basic())
            .build()
            .unwrap()
    }

    /// Accepts tokens of an issuer, and verifies each whenever it comes.
    pub(crate) fn unremembered(&self) -> AuthLayer {
        AuthLayer::builder()
            .accept(shared_secret().cache_bytes(0))
            .build()
            .unwrap()
    }

    fn tokens_and_keys(&self) -> AuthLayerBuilder {
        AuthLayer::builder()
            .accept(shared_secret())
            .accept(&self.keys)
    }

    pub(crate) fn throttled(&self, rate: &str, fields: QuotaFields) -> AuthLayer {
        self.tokens_and_keys()
            .throttle(Throttle::per_principal(rate))
            .quota_fields(fields)
            .build()
            .unwrap()
    }

    /// Its only job is a throttle by the text of a key, which it does not accept as a credential.
    pub(crate) fn throttle_alone(&self, fields: QuotaFields) -> AuthLayer {
        AuthLayer::builder()
            .accept(shared_secret())
            .quota_fields(fields)
            .build()
            .unwrap()
            .throttle_public("bench", [by_text()])
            .unwrap()
    }

    /// Counts in the same way, but on behalf of handlers that may ask who calls.
    pub(crate) fn throttle_of_anybody(&self) -> AuthLayer {
        AuthLayer::builder()
            .accept(shared_secret())
            .optional()
            .throttle(by_text())
            .quota_fields(QuotaFields::Hidden)
            .build()
            .unwrap()
    }

    /// Issues tokens to users of ours, and accepts them.
    pub(crate) fn issuer(&self, tokens: Tokens) -> Issuer {
        let store = Memory::new();
        let realm = Realm::new(store.clone());
        for user in 0..USERS {
            let record = UserRecord::new(Subject::user(user.to_string()), format!("user-{user}"));
            self.runtime.block_on(store.insert_user(record)).unwrap();
        }
        let tokens = realm.tokens(tokens);
        Issuer {
            runtime: Rc::clone(&self.runtime),
            layer: AuthLayer::builder().accept(&tokens).build().unwrap(),
            tokens,
        }
    }
}

/// Issues tokens, and accepts them.
pub(crate) struct Issuer {
    runtime: Rc<Runtime>,
    pub(crate) layer: AuthLayer,
    tokens: TokenIssuer,
}

impl Issuer {
    /// An access token of that user.
    pub(crate) fn issue(&self, user: usize) -> String {
        let grant = Grant::new(Subject::user(user.to_string()))
            .scope("orders:read")
            .scope("orders:write");
        let pair = self.runtime.block_on(self.tokens.issue(grant)).unwrap();
        pair.access().expose().clone()
    }
}
