//! The layers that rows measure, and credentials that they accept.

use super::fixtures::{AUDIENCE, ISSUER, SECRET};
use http::HeaderName;
use std::rc::Rc;
use tokio::runtime::Runtime;
use tower_auth::store::{ManagedUserStore, Memory, UserRecord};
use tower_auth::throttle::{QuotaFields, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, AuthLayerBuilder, Grant, Jwt, JwtKey, KeyIssuer, KeyRequest, NewUser,
    PasswordPolicy, Realm, Secret, Subject, Tokens, Users,
};

pub(crate) const KEYS: usize = 1000;
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

impl World {
    pub(crate) fn new() -> Self {
        let runtime = Rc::new(
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap(),
        );
        let realm = Realm::new(Memory::new());
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
        self.tokens_and_keys()
            .accept(self.users.basic())
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

    /// Issues tokens to users of ours and accepts them; and access tokens of so many users.
    pub(crate) fn issued(&self, users: usize) -> (AuthLayer, Vec<String>) {
        let store = Memory::new();
        let realm = Realm::new(store.clone());
        let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE));
        let issue = async |user: usize| {
            let subject = Subject::user(user.to_string());
            let record = UserRecord::new(subject.clone(), format!("user-{user}"));
            store.insert_user(record).await.unwrap();
            let grant = Grant::new(subject)
                .scope("orders:read")
                .scope("orders:write");
            let pair = tokens.issue(grant).await.unwrap();
            pair.access().expose().clone()
        };
        let access = (0..users).map(|user| self.runtime.block_on(issue(user)));
        let access = access.collect();
        let auth = AuthLayer::builder().accept(&tokens).build().unwrap();
        (auth, access)
    }
}
