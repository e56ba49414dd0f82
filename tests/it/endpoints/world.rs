//! A service with every endpoint, over a store that counts, fails or hangs as told.

use crate::support::{Reply, SECRET, bearer, reply, send};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tower::ServiceExt;
use tower_auth::api_key::NewKey;
use tower_auth::clock::Clock;
use tower_auth::endpoint::{
    ChangePassword, Endpoints, EndpointsBuilder, Jwks, KeysEndpoint, PrivateTokensEndpoint,
    Refresh, SignIn, SignOut, SignOutEverywhere, UsersEndpoint, Verify,
};
use tower_auth::event::Action;
use tower_auth::jwt::NewPrivateToken;
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::password::hash_password;
use tower_auth::store::{
    ManagedKeyStore, ManagedUserStore, Memory, PrivateTokenStore, Stores, TokenStore, UserRecord,
};
use tower_auth::test_util::{Intercept, Intercepted, ManualClock};
use tower_auth::{
    ApiKeys, AuthLayer, Grant, KeyIssuer, KeyRequest, PasswordPolicy, Realm, Subject, TokenIssuer,
    TokenPair, Tokens, Users,
};

/// Everybody's. For tests only.
pub(crate) const PASSWORD: &str = "tests only: Pferd-Batterie";
pub(crate) const ANNA: &str = "anna@example.com";
pub(crate) const BEN: &str = "ben@example.com";
/// 2027-01-15T08:00:00Z: when each test begins.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ISSUER: &str = "https://api.example.com";
pub(crate) const PREFIX: &str = "egret";

/// How a service departs from the usual one.
pub(crate) struct Plan {
    pub(crate) tokens: fn(Tokens) -> Tokens,
    pub(crate) keys: fn(ApiKeys) -> ApiKeys,
    pub(crate) layer: fn(AuthLayerBuilder) -> AuthLayerBuilder,
    pub(crate) endpoints: fn(EndpointsBuilder, &Services) -> EndpointsBuilder,
    pub(crate) stores: fn(&Script, &Memory) -> Stores,
}

/// What the layer accepts and the endpoints use.
pub(crate) struct Services {
    pub(crate) users: Users,
    pub(crate) tokens: TokenIssuer,
    pub(crate) keys: KeyIssuer,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            tokens: |tokens| tokens,
            keys: |keys| keys,
            layer: |layer| layer,
            endpoints: every,
            stores: |script, memory| script.over(memory).into(),
        }
    }
}

/// Every endpoint under its usual name.
pub(crate) fn every(endpoints: EndpointsBuilder, services: &Services) -> EndpointsBuilder {
    let Services {
        users,
        tokens,
        keys,
    } = services;
    let people = UsersEndpoint::of(users)
        .profile_field("first_name")
        .administrator("admin");
    endpoints
        .mount("/token/", SignIn::of(tokens))
        .mount("/refresh/", Refresh::of(tokens))
        .mount("/verify/", Verify::of(tokens))
        .mount("/logout/", SignOut::of(tokens))
        .mount("/logout-everywhere/", SignOutEverywhere::of(tokens))
        .mount("/password/", ChangePassword::of(users, tokens))
        .mount("/users/", people)
        .mount("/api-keys/", KeysEndpoint::of(keys))
        .mount("/private-tokens/", PrivateTokensEndpoint::of(tokens))
        .mount("/jwks/", Jwks::of(tokens))
}

pub(crate) struct World {
    pub(crate) memory: Memory,
    pub(crate) clock: ManualClock,
    pub(crate) script: Script,
    pub(crate) events: Heard,
    services: Services,
    pub(crate) auth: AuthLayer,
    pub(crate) endpoints: Endpoints,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Plan::default()).await
    }

    pub(crate) async fn of(plan: Plan) -> Self {
        let (memory, clock) = (Memory::new(), ManualClock::new(NOW));
        for user in [anna(), ben()] {
            memory.insert_user(user).await.unwrap();
        }
        let (script, events) = (Script::default(), Heard::default());
        let hear = events.clone();
        let realm = Realm::new((plan.stores)(&script, &memory))
            .store_deadline(Duration::from_millis(50))
            .clock(clock.clone())
            .on_event(move |event| hear.hear(event));
        let services = Services {
            users: realm.users(PasswordPolicy::new()),
            tokens: realm.tokens((plan.tokens)(Tokens::hs256(SECRET).issuer(ISSUER))),
            keys: realm.api_keys((plan.keys)(ApiKeys::prefix(PREFIX))),
        };
        let layer = AuthLayer::builder()
            .accept(services.users.basic())
            .accept(&services.tokens)
            .accept(&services.keys);
        let auth = (plan.layer)(layer).build().unwrap();
        let endpoints = (plan.endpoints)(auth.endpoints(), &services);
        Self {
            memory,
            clock,
            script,
            events,
            services,
            auth,
            endpoints: endpoints.build().unwrap(),
        }
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.clock.now()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) fn tokens(&self) -> &TokenIssuer {
        &self.services.tokens
    }

    pub(crate) fn users(&self) -> &Users {
        &self.services.users
    }

    pub(crate) fn keys(&self) -> &KeyIssuer {
        &self.services.keys
    }

    pub(crate) async fn user(&self, id: &str) -> Arc<UserRecord> {
        let found = self.memory.find_user_by_id(&Subject::user(id)).await;
        found.unwrap().unwrap()
    }

    /// What a sign-in gives, without its hash.
    pub(crate) async fn sign_in(&self, id: &str) -> TokenPair {
        let grant = Grant::from(&*self.user(id).await);
        self.tokens().issue(grant).await.unwrap()
    }

    /// A key of that user with all of the user's scopes.
    pub(crate) async fn key(&self, id: &str) -> NewKey {
        let user = self.user(id).await;
        let request = KeyRequest::new(user.id.clone(), "ci").rate("9/min");
        let request = request.metadata(&json!({ "team": 3 })).unwrap();
        let request = user.scopes.iter().fold(request, KeyRequest::scope);
        self.keys().issue(request).await.unwrap()
    }

    pub(crate) async fn private_token(&self, id: &str) -> NewPrivateToken {
        let grant = Grant::from(&*self.user(id).await);
        let expires = self.now() + Duration::from_secs(86_400);
        let made = self.tokens().issue_private(grant, "laptop", expires).await;
        made.unwrap()
    }

    pub(crate) async fn send<B>(&self, request: Request<B>) -> Reply
    where
        B: http_body::Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        reply(self.endpoints.clone().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, credential: &str, body: Value) -> Reply {
        self.send(asking("POST", path, credential, Some(&body)))
            .await
    }

    pub(crate) async fn get(&self, path: &str, credential: &str) -> Reply {
        self.send(asking("GET", path, credential, None)).await
    }

    /// What a guarded service behind the layer makes of a Bearer.
    pub(crate) async fn opens(&self, token: &str) -> bool {
        let reply = send(&self.auth, bearer(token)).await;
        assert!([200, 401].contains(&reply.status.as_u16()), "{reply:?}");
        reply.status == 200
    }

    pub(crate) async fn basic_opens(&self, name: &str, password: &str) -> bool {
        let request = crate::support::get(&[("authorization", &basic(name, password))]);
        send(&self.auth, request).await.status == 200
    }

    pub(crate) async fn refreshes(&self, token: &str) -> bool {
        let body = json!({ "refresh": token });
        let reply = self.post("/refresh/", "", body).await;
        assert!([200, 401].contains(&reply.status.as_u16()), "{reply:?}");
        reply.status == 200
    }

    /// All records that the store has, of families those of these tokens, with all that they hold.
    /// Two equal texts: nothing has changed.
    pub(crate) async fn dump(&self, tokens: &[&str]) -> String {
        let mut text = format!("{:?}\n", self.memory);
        for user in self.memory.list_users(None, 100).await.unwrap() {
            let hash = user.password_hash.as_ref().map(|hash| hash.expose());
            let rights = (&user.scopes, user.rate, user.created);
            writeln!(
                text,
                "{user:?} {:?} {hash:?} {:?} {rights:?}",
                user.names, user.profile
            )
            .unwrap();
            let keys = self.memory.list_keys(&user.id, None, 1_000).await.unwrap();
            for key in keys {
                let digest = (&key.digest, key.digest.bytes());
                let rights = (&key.roles, &key.metadata, key.rate);
                let life = (key.lineage(), &key.successor, key.created);
                writeln!(
                    text,
                    "{key:?} {:?} {digest:x?} {rights:?} {life:?}",
                    key.name
                )
                .unwrap();
            }
            let private = self.memory.list_private_tokens(&user.id, None, 1_000);
            for token in private.await.unwrap() {
                writeln!(text, "{token:?} {:?} {:?}", token.name, token.created).unwrap();
            }
        }
        for token in tokens {
            let claims = claims(token);
            let Some(sid) = claims["sid"].as_str() else {
                continue;
            };
            let family = self.memory.find_family(sid).await.unwrap().unwrap();
            let place = (&family.current, &family.previous);
            let times = (family.expires, family.created);
            writeln!(text, "{family:?} {:?} {place:?} {times:?}", family.grants).unwrap();
        }
        text
    }
}

fn hash() -> &'static str {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| hash_password(PASSWORD).unwrap())
}

fn anna() -> UserRecord {
    let anna = UserRecord::new(Subject::user("7"), ANNA)
        .name("anna")
        .password_hash(hash());
    let anna = anna
        .scope("reports:read")
        .scope("reports:write")
        .role("staff");
    anna.with_profile(&json!({ "first_name": "Anna", "company": 3 }))
        .unwrap()
}

fn ben() -> UserRecord {
    UserRecord::new(Subject::user("8"), BEN)
        .password_hash(hash())
        .role("admin")
}

/// Which calls a store gets, and what becomes of them.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<Scripted>>);

#[derive(Default)]
struct Scripted {
    calls: Vec<&'static str>,
    /// Synchronous look-ups know nothing, as with a database.
    forgetful: bool,
    fault: Option<(&'static str, Intercept)>,
    meanwhile: Option<Meanwhile>,
}

/// What is done right before a call, the first of that name or a later one.
struct Meanwhile {
    call: &'static str,
    still: usize,
    act: Box<dyn FnOnce() + Send>,
}

impl Scripted {
    fn due(&mut self, call: &str) -> Option<Box<dyn FnOnce() + Send>> {
        let meanwhile = self
            .meanwhile
            .as_mut()
            .filter(|meanwhile| meanwhile.call == call)?;
        meanwhile.still -= 1;
        if meanwhile.still > 0 {
            return None;
        }
        self.meanwhile.take().map(|meanwhile| meanwhile.act)
    }
}

impl Script {
    pub(crate) fn over(&self, memory: &Memory) -> Intercepted<Memory> {
        let script = self.clone();
        Intercepted::new(memory.clone(), move |call| script.hear(call))
    }

    fn hear(&self, call: &'static str) -> Intercept {
        let (intercept, meanwhile) = {
            let mut script = self.0.lock().unwrap();
            script.calls.push(call);
            let meanwhile = script.due(call);
            let intercept = match script.fault {
                Some((at, fault)) if at == call => fault,
                _ if script.forgetful && call.starts_with("peek") => Intercept::Fail,
                _ => Intercept::Pass,
            };
            (intercept, meanwhile)
        };
        if let Some(act) = meanwhile {
            act();
        }
        intercept
    }

    /// The calls since the last time.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.0.lock().unwrap().calls)
    }

    pub(crate) fn forget(&self) {
        self.0.lock().unwrap().forgetful = true;
    }

    pub(crate) fn break_at(&self, call: &'static str, fault: Intercept) {
        self.0.lock().unwrap().fault = Some((call, fault));
    }

    pub(crate) fn mend(&self) {
        self.0.lock().unwrap().fault = None;
    }

    /// Does this right before the call of that name that is the next, or the so manieth from now.
    pub(crate) fn meanwhile(
        &self,
        call: &'static str,
        nth: usize,
        act: impl FnOnce() + Send + 'static,
    ) {
        self.0.lock().unwrap().meanwhile = Some(Meanwhile {
            call,
            still: nth,
            act: Box::new(act),
        });
    }
}

/// What the event hook was told.
#[derive(Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<(Vec<Action>, String, bool)>>);

impl Heard {
    fn hear(&self, event: &tower_auth::event::Event<'_>) {
        let panics = {
            let mut heard = self.0.lock().unwrap();
            heard.0.push(event.action());
            writeln!(
                heard.1,
                "{event:?} {:?}",
                event.rejection().map(ToString::to_string)
            )
            .unwrap();
            heard.2
        };
        assert!(!panics, "planted in the hook");
    }

    pub(crate) fn take(&self) -> Vec<Action> {
        std::mem::take(&mut self.0.lock().unwrap().0)
    }

    /// All of them since the beginning, in `Debug`.
    pub(crate) fn text(&self) -> String {
        self.0.lock().unwrap().1.clone()
    }

    pub(crate) fn panic(&self, panics: bool) {
        self.0.lock().unwrap().2 = panics;
    }
}

/// A request with that `Authorization`, none where it is empty.
pub(crate) fn asking(
    method: &str,
    path: &str,
    credential: &str,
    body: Option<&Value>,
) -> Request<Full<Bytes>> {
    let mut builder = Request::builder().method(method).uri(path);
    if !credential.is_empty() {
        builder = builder.header("authorization", credential);
    }
    match body {
        Some(body) => builder
            .header("content-type", "application/json")
            .body(Full::from(body.to_string()))
            .unwrap(),
        None => builder.body(Full::default()).unwrap(),
    }
}

pub(crate) fn bearing(token: &str) -> String {
    format!("Bearer {token}")
}

pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

pub(crate) fn access(pair: &TokenPair) -> &str {
    pair.access().expose()
}

pub(crate) fn refresh(pair: &TokenPair) -> &str {
    pair.refresh().unwrap().expose()
}

/// What a token says, unverified.
pub(crate) fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD
        .decode(token.split('.').nth(1).unwrap())
        .unwrap();
    serde_json::from_slice(&payload).unwrap()
}

pub(crate) fn seconds(at: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(at)
}

/// The answer of the store in memory, which waits for nothing.
pub(crate) fn at_once<T>(call: impl Future<Output = T>) -> T {
    match tokio_test::task::spawn(call).poll() {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("it waits"),
    }
}

/// The same token with another signature.
pub(crate) fn tampered(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{message}.{first}{}", &signature[1..])
}

/// How often each call was made.
pub(crate) fn counted(calls: Vec<&'static str>) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call).or_default() += 1;
    }
    counts
}
