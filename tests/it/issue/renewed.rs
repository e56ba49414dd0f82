//! A layer that is replaced while its service runs: another secret, another issuer and another
//! limit, over the same realm.

use crate::endpoints::world::{NOW, access, basic, bearing, refresh};
use crate::support::{AUDIENCE, FAR, Reply, SECRET, get, send};
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::JoinSet;
use tower_auth::clock::Clock;
use tower_auth::jwt::{JwtKey, SigningKey};
use tower_auth::password::hash_password;
use tower_auth::store::{ManagedUserStore, Memory, UserRecord};
use tower_auth::test_util::{ManualClock, TokenMint};
use tower_auth::throttle::{Peer, Throttle};
use tower_auth::{
    ApiKeys, AuthLayer, Grant, Jwt, KeyIssuer, KeyRequest, PasswordPolicy, Realm, Subject,
    TokenIssuer, Tokens, Users,
};

const ISSUER: &str = "https://api.example.com";
const LOGIN: &str = "https://login.example.com";
const OTHER_LOGIN: &str = "https://login.example.org";
/// For tests only.
const LOGIN_SECRET: &str = "u4Zq7Kw2xRm9of the login services 0123456789";
const NEW_SECRET: &str = "u4Zq7Kw2xRm9jihgfedcba9876543210 renewed";
const PASSWORD: &str = "tests only: Pferd-Batterie";
/// How many requests a day a caller may make before and after the change.
const BEFORE: u32 = 300;
const AFTER: u32 = 200;
/// How many of these each caller makes while the layer is replaced.
const MEANWHILE: u32 = 150;
/// How many wrong passwords of one account are judged from one address.
const GUESSES: usize = 10;

/// What stays as it is, whatever the layer.
struct World {
    realm: Realm,
    clock: ManualClock,
    users: Users,
    keys: KeyIssuer,
}

impl World {
    async fn new() -> Self {
        let store = Memory::new();
        let clock = ManualClock::new(NOW);
        let hash = hash_password(PASSWORD).unwrap();
        let anna = UserRecord::new(Subject::user("7"), "anna").password_hash(hash);
        store.insert_user(anna).await.unwrap();
        let realm = Realm::new(store).clock(clock.clone());
        Self {
            users: realm.users(PasswordPolicy::new()),
            keys: realm.api_keys(ApiKeys::prefix("egret")),
            realm,
            clock,
        }
    }

    fn layer(&self, tokens: &TokenIssuer, login: &str, limit: u32) -> AuthLayer {
        let login = Jwt::hs256(LOGIN_SECRET).issuer(login).audience(AUDIENCE);
        AuthLayer::builder()
            .accept(tokens)
            .accept(&self.keys)
            .accept(self.users.basic())
            .accept(login)
            .throttle(Throttle::per_principal(&*format!("{limit}/day")))
            .build()
            .unwrap()
    }

    async fn key(&self, owner: &str) -> String {
        let request = KeyRequest::new(Subject::user(owner), "ci");
        let new = self.keys.issue(request).await.unwrap();
        new.key.expose().clone()
    }

    fn tomorrow(&self) -> SystemTime {
        self.clock.now() + Duration::from_secs(86_400)
    }
}

/// A token of a login service.
fn login_token(issuer: &str, subject: &str) -> String {
    let claims = serde_json::json!({ "iss": issuer, "aud": AUDIENCE, "sub": subject, "exp": FAR });
    TokenMint::hs256(LOGIN_SECRET).sign(&claims)
}

/// A service that asks for its layer anew with each request.
#[derive(Clone)]
struct Server(Arc<RwLock<Current>>);

#[derive(Clone)]
struct Current {
    layer: AuthLayer,
    limit: u32,
}

impl Server {
    fn start(layer: AuthLayer, limit: u32) -> Self {
        Self(Arc::new(RwLock::new(Current { layer, limit })))
    }

    fn replace(&self, layer: AuthLayer, limit: u32) {
        *self.0.write().unwrap() = Current { layer, limit };
    }

    fn current(&self) -> Current {
        self.0.read().unwrap().clone()
    }

    /// The answer, and the limit of the layer that gave it.
    async fn ask(&self, credential: &str) -> (Reply, u32) {
        let Current { layer, limit } = self.current();
        let reply = send(&layer, get(&[("authorization", credential)])).await;
        (reply, limit)
    }

    async fn status(&self, credential: &str) -> u16 {
        self.ask(credential).await.0.status.as_u16()
    }

    /// The status of a sign-in of anna's from there.
    async fn sign_in(&self, password: &str, from: [u8; 4]) -> u16 {
        let mut request = get(&[("authorization", &basic("anna", password))]);
        request.extensions_mut().insert(Peer(from.into()));
        send(&self.current().layer, request).await.status.as_u16()
    }

    /// Calls again and again, one request at a time, and says so each time. That each answer tells
    /// how many were counted before shows that none is lost.
    async fn call(self, credential: String, answered: Sender<()>) {
        for count in 1..=MEANWHILE {
            let (reply, limit) = self.ask(&credential).await;
            assert_eq!(reply.status, 200, "request {count} of {credential}");
            let told = reply.headers["ratelimit"].to_str().unwrap();
            let left = format!("\"principal\";r={};", limit - count);
            assert!(told.starts_with(&left), "request {count}: {told}");
            answered.send(()).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_layer_that_is_replaced_under_way_fails_nobody_and_forgets_no_count() {
    let world = World::new().await;
    let tokens = world.realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let server = Server::start(world.layer(&tokens, LOGIN, BEFORE), BEFORE);
    let user = |id: &str| Grant::new(Subject::user(id));
    let pair = tokens.issue(user("1")).await.unwrap();
    let private = tokens.issue_private(user("2"), "laptop", world.tomorrow());
    let private = private.await.unwrap();
    let credentials = [
        bearing(access(&pair)),
        bearing(private.token.expose()),
        bearing(&world.key("3").await),
        format!("Api-Key {}", world.key("4").await),
    ];
    let old_login = bearing(&login_token(LOGIN, "5"));
    let new_login = bearing(&login_token(OTHER_LOGIN, "6"));
    assert_eq!(server.status(&old_login).await, 200);
    assert_eq!(server.status(&new_login).await, 401);
    let home = [192, 0, 2, 1];
    let mut guesses = Vec::new();
    for _ in 0..3 {
        guesses.push(server.sign_in("wrong", home).await);
    }

    // Who calls waits until it was heard, so that all are still calling when the layer changes.
    let mut callers = JoinSet::new();
    let mut heard = Vec::new();
    for credential in &credentials {
        let (answered, hears) = channel(1);
        callers.spawn(server.clone().call(credential.clone(), answered));
        heard.push(hears);
    }
    for _ in 0..MEANWHILE / 2 {
        for caller in &mut heard {
            caller.recv().await.unwrap();
        }
    }
    let mut under_way = JoinSet::new();
    for _ in 0..3 {
        let server = server.clone();
        under_way.spawn(async move { server.sign_in("wrong", home).await });
    }
    let renewed = Tokens::new(SigningKey::hs256(NEW_SECRET).id("2027"))
        .retired_key(JwtKey::hs256(SECRET))
        .issuer(ISSUER);
    let renewed = world.realm.tokens(renewed);
    server.replace(world.layer(&renewed, OTHER_LOGIN, AFTER), AFTER);
    for mut caller in heard {
        while caller.recv().await.is_some() {}
    }
    callers.join_all().await;

    // What was called before the change counts after it, and nothing counts twice.
    for credential in &credentials {
        for _ in MEANWHILE..AFTER {
            assert_eq!(server.status(credential).await, 200);
        }
        assert_eq!(server.status(credential).await, 429);
    }

    // Wrong passwords are counted by the realm, whichever layer was asked.
    guesses.extend(under_way.join_all().await);
    for _ in 0..GUESSES {
        guesses.push(server.sign_in("wrong", home).await);
    }
    let judged = guesses.iter().filter(|status| **status == 401).count();
    let refused = guesses.iter().filter(|status| **status == 429).count();
    assert_eq!((judged, refused), (GUESSES, guesses.len() - GUESSES));
    assert_eq!(server.sign_in(PASSWORD, home).await, 429);
    assert_eq!(server.sign_in(PASSWORD, [192, 0, 2, 2]).await, 200);

    // The new issuer is asked, and no longer the old one.
    assert_eq!(server.status(&old_login).await, 401);
    assert_eq!(server.status(&new_login).await, 200);

    // A session goes on under the new secret, which the old layer never had.
    let next = renewed.refresh(refresh(&pair)).await.unwrap();
    assert!(tokens.verify(access(&next)).await.is_err());
    let late = tokens.issue(user("8")).await.unwrap();
    let fresh = renewed.issue(user("9")).await.unwrap();
    for (pair, subject) in [(&late, "8"), (&fresh, "9")] {
        let (reply, _) = server.ask(&bearing(access(pair))).await;
        assert_eq!(reply.text(), format!("Jwt {subject}"));
    }
    // Both handles end sessions for both.
    tokens
        .sign_out_everywhere(&Subject::user("9"))
        .await
        .unwrap();
    renewed
        .sign_out_everywhere(&Subject::user("8"))
        .await
        .unwrap();
    for pair in [&late, &fresh] {
        assert_eq!(server.status(&bearing(access(pair))).await, 401);
    }
}
