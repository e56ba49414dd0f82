//! Whoever is dead by the time that a body has come, or that a store writes, changes nothing.

use super::cases::{By, Case, Held, cases};
use super::world::*;
use crate::support::{Reply, get, send};
use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame};
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use tower::ServiceExt;
use tower_auth::clock::Clock;
use tower_auth::store::{
    ManagedKeyStore, ManagedUserStore, Memory, PrivateTokenStore, Stores, TokenStore, UserChange,
    UserRecord, UserState, UserStore,
};
use tower_auth::test_util::ManualClock;
use tower_auth::{
    Grant, KeyRequest, NewUser, Principal, Rejection, Requirement, Roles, Scope, Secret, Subject,
    Users,
};

/// How a credential dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    SignedOut,
    SignedOutEverywhere,
    KeyRevoked,
    PrivateTokenRevoked,
    Disabled,
    Removed,
    Expired,
}

const DEATHS: [Death; 7] = [
    Death::SignedOut,
    Death::SignedOutEverywhere,
    Death::KeyRevoked,
    Death::PrivateTokenRevoked,
    Death::Disabled,
    Death::Removed,
    Death::Expired,
];

impl Death {
    /// Whether it is that of a credential of this kind.
    fn ends(self, by: By) -> bool {
        match self {
            Self::SignedOut => by == By::Access,
            Self::SignedOutEverywhere => matches!(by, By::Access | By::Private),
            Self::KeyRevoked => by == By::Key,
            Self::PrivateTokenRevoked => by == By::Private,
            Self::Disabled | Self::Removed => by != By::Nobody,
            Self::Expired => matches!(by, By::Access | By::Private | By::Key),
        }
    }
}

/// What it takes for one of anna's credentials to die.
#[derive(Clone)]
struct Reaper {
    memory: Memory,
    clock: ManualClock,
    family: String,
    key: String,
    private: String,
}

impl Reaper {
    fn of(world: &World, held: &Held) -> Self {
        Self {
            memory: world.memory.clone(),
            clock: world.clock.clone(),
            family: claims(access(&held.pair))["sid"].as_str().unwrap().into(),
            key: (*held.key.record.id).into(),
            private: (*held.private.record.id).into(),
        }
    }

    fn strike(&self, death: Death) {
        let anna = Subject::user("7");
        let memory = &self.memory;
        let now = self.clock.now();
        let later = now + std::time::Duration::from_secs(900);
        let done = match death {
            Death::SignedOut => at_once(memory.revoke_family(&self.family, later, now)),
            Death::SignedOutEverywhere => at_once(memory.revoke_subject(&anna, later, now)),
            Death::KeyRevoked => at_once(memory.revoke_key(&anna, &self.key, now)),
            Death::PrivateTokenRevoked => {
                at_once(memory.revoke_private_token(&anna, &self.private, now))
            }
            Death::Disabled => {
                let mut change = UserChange::default();
                change.active = Some(false);
                at_once(memory.change_user(&anna, change)).map(drop)
            }
            Death::Removed => at_once(memory.remove_user(&anna)),
            Death::Expired => {
                self.clock.advance(std::time::Duration::from_secs(90_000));
                Ok(())
            }
        };
        done.unwrap();
    }
}

/// A body of which nothing has come when the head is judged. Right before it comes, something
/// happens.
struct Late {
    before: Option<Box<dyn FnOnce() + Send>>,
    text: Option<Bytes>,
}

impl Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(before) = self.before.take() {
            before();
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(self.text.take().map(|text| Ok(Frame::data(text))))
    }
}

fn late(case: &Case, held: &Held, before: impl FnOnce() + Send + 'static) -> Request<Late> {
    let text = Bytes::from(case.body.as_ref().unwrap().to_string());
    case.request(held).map(|_| Late {
        before: Some(Box::new(before)),
        text: Some(text),
    })
}

/// A world in which anna's key ends as well, one day later.
async fn world(plan: Plan) -> (World, Held) {
    let world = World::of(plan).await;
    let mut held = Held::by_anna(&world).await;
    let request = tower_auth::KeyRequest::new(Subject::user("7"), "ci");
    let request = request.scope("reports:read").scope("reports:write");
    let request = request.expires(world.now() + std::time::Duration::from_secs(86_400));
    held.key = world.keys().issue(request).await.unwrap();
    (world, held)
}

/// Every route that takes a body and a caller, by everybody who may ask.
fn all(held: &Held) -> Vec<Case> {
    let mut all = Vec::new();
    for case in cases(held) {
        let mut callers = vec![case.by];
        callers.extend(case.also);
        for by in callers {
            if case.takes_body() && by != By::Nobody {
                let again = cases(held).into_iter();
                let case = again.into_iter().find(|again| again.name == case.name);
                all.push(Case {
                    by,
                    ..case.unwrap()
                });
            }
        }
    }
    all
}

/// Of anna nothing has changed but what her death changes.
async fn is_as_before(world: &World, before: &UserRecord, death: Death, row: &str) {
    if death == Death::Removed {
        return;
    }
    let after = world.user("7").await;
    assert_eq!(after.names, before.names, "{row}");
    assert_eq!(after.profile, before.profile, "{row}");
    assert!(
        after.has_password_hash(before.password_hash.as_ref()),
        "{row}"
    );
}

async fn refuse(reply: &Reply, row: &str) {
    assert_eq!(reply.status, 401, "{row}: {reply:?}");
}

#[tokio::test]
async fn who_is_dead_when_the_body_comes_changes_nothing_on_any_route() {
    let (_, sample) = world(Plan::default()).await;
    let routes = all(&sample).len();
    let mut rows = 0;
    for at in 0..routes {
        for death in DEATHS {
            let (world, held) = world(Plan::default()).await;
            let case = all(&held).swap_remove(at);
            if !death.ends(case.by) {
                continue;
            }
            rows += 1;
            let row = format!("{} by {:?}, {death:?}", case.name, case.by);
            let before = world.user("7").await;
            let reaper = Reaper::of(&world, &held);
            let after = Arc::new(Mutex::new(None));
            let shown = Arc::clone(&after);
            let memory = world.memory.clone();
            let request = late(&case, &held, move || {
                reaper.strike(death);
                *shown.lock().unwrap() = Some(format!("{memory:?}"));
            });
            let reply = world.send(request).await;
            refuse(&reply, &row).await;
            let records_then = after.lock().unwrap().take().unwrap();
            assert_eq!(format!("{:?}", world.memory), records_then, "{row}");
            is_as_before(&world, &before, death, &row).await;
        }
    }
    assert!(rows > 30, "only {rows} rows");
}

#[tokio::test]
async fn who_stays_alive_is_served_however_late_the_body_comes() {
    let (_, sample) = world(Plan::default()).await;
    for at in 0..all(&sample).len() {
        let (world, held) = world(Plan::default()).await;
        let case = all(&held).swap_remove(at);
        let reply = world.send(late(&case, &held, || {})).await;
        let row = format!("{} by {:?}", case.name, case.by);
        assert_eq!(reply.status.as_u16(), case.status, "{row}: {reply:?}");
    }
}

/// The routes that make or change something: each writes in one step.
fn mints(case: &Case) -> bool {
    let minting = [
        "change a user",
        "new key",
        "rotate a key",
        "new private token",
        "rotate a private token",
    ];
    minting.contains(&case.name)
}

/// Stores of each role of its own, which know nothing of a common step.
fn apart(script: &Script, memory: &Memory) -> Stores {
    Stores::new()
        .managed_keys(script.over(memory))
        .managed_users(script.over(memory))
        .private_tokens(script.over(memory))
}

fn plan(is_apart: bool) -> Plan {
    let mut plan = Plan::default();
    if is_apart {
        plan.stores = apart;
    }
    plan
}

#[tokio::test]
async fn who_dies_right_before_the_store_writes_has_made_nothing_in_one_store_or_in_three() {
    let (_, sample) = world(Plan::default()).await;
    let mut rows = 0;
    for at in 0..all(&sample).len() {
        for death in DEATHS {
            for is_apart in [false, true] {
                let (world, held) = world(plan(is_apart)).await;
                let case = all(&held).swap_remove(at);
                // What the store compares is the time that it is given.
                if !death.ends(case.by) || death == Death::Expired || !mints(&case) {
                    continue;
                }
                rows += 1;
                let row = format!("{} by {:?}, {death:?}, {is_apart}", case.name, case.by);
                let before = world.user("7").await;
                let reaper = Reaper::of(&world, &held);
                let call = match (is_apart, case.name) {
                    (false, _) => "commit",
                    (true, "change a user") => "replace_user",
                    (true, "new key") => "insert_key",
                    (true, "rotate a key") => "replace_key",
                    (true, "new private token") => "insert_private_token",
                    (true, _) => "replace_private_token",
                };
                world
                    .script
                    .meanwhile(call, 1, move || reaper.strike(death));
                let reply = case.ask(&world, &held).await;
                assert!(
                    [401, 404].contains(&reply.status.as_u16()),
                    "{row}: {reply:?}"
                );
                nothing_is_left(&world, &held, death, &before, &row).await;
            }
        }
    }
    assert!(rows > 40, "only {rows} rows");
}

/// Whatever anna has besides what she held, nobody can use: it is revoked.
async fn nothing_is_left(world: &World, held: &Held, death: Death, before: &UserRecord, row: &str) {
    let anna = Subject::user("7");
    let keys = world.memory.list_keys(&anna, None, 100).await.unwrap();
    for key in keys.iter().filter(|key| key.name != held.key.record.name) {
        assert!(key.revoked.is_some(), "{row}: {key:?}");
    }
    let lineage = held.key.record.lineage();
    for key in keys.iter().filter(|key| key.lineage() == lineage) {
        let is_held = key.id == held.key.record.id;
        assert!(is_held || key.revoked.is_some(), "{row}: {key:?}");
    }
    let tokens = world.memory.list_private_tokens(&anna, None, 100);
    for token in tokens.await.unwrap() {
        let is_held = token.id == held.private.record.id;
        assert!(is_held || token.revoked.is_some(), "{row}: {token:?}");
    }
    is_as_before(world, before, death, row).await;
}

#[tokio::test]
async fn what_was_begun_ends_though_its_client_goes() {
    let (_, sample) = world(Plan::default()).await;
    let changing = cases(&sample).into_iter();
    let changing = changing.filter(|case| case.method != "GET" && case.name != "verify");
    for name in changing.map(|case| case.name) {
        let (world, held) = world(Plan::default()).await;
        let all = cases(&held).into_iter();
        let case = all.into_iter().find(|case| case.name == name).unwrap();
        world.events.take();
        let request = world.send(case.request(&held));
        let mut asking = tokio_test::task::spawn(request);
        assert!(asking.poll().is_pending(), "{name}");
        drop(asking);
        let heard = async {
            loop {
                match world.events.take().first() {
                    Some(first) => return *first,
                    None => tokio::task::yield_now().await,
                }
            }
        };
        let heard = tokio::time::timeout(std::time::Duration::from_secs(60), heard).await;
        let heard = heard.unwrap_or_else(|_| panic!("{name}: never done"));
        assert_ne!(heard, tower_auth::event::Action::Refused, "{name}");
        if name == "change password" {
            assert!(
                !world.opens(access(&held.pair)).await,
                "the sessions are over"
            );
        }
    }
}

/// Who a credential says that it is.
async fn verified(world: &World, credential: &str) -> Principal {
    let seen = Arc::new(Mutex::new(None));
    let found = Arc::clone(&seen);
    let inner = tower::service_fn(move |request: Request<()>| {
        *found.lock().unwrap() = Principal::from_extensions(request.extensions()).ok();
        async { Ok::<_, Infallible>(http::Response::new(String::new())) }
    });
    let request = Request::get("/").header("authorization", credential);
    let guarded = tower_layer::Layer::layer(&world.auth, inner);
    guarded.oneshot(request.body(()).unwrap()).await.unwrap();
    seen.lock().unwrap().take().unwrap()
}

#[tokio::test]
async fn who_is_dead_before_the_first_of_three_stores_is_written_has_nothing_written() {
    let mut rows = 0;
    for by in [By::Access, By::Private, By::Key] {
        for death in DEATHS {
            let plan = Plan {
                stores: apart,
                ..Plan::default()
            };
            let (world, held) = world(plan).await;
            // An expired credential is judged by the time that the caller came.
            if !death.ends(by) || death == Death::Expired {
                continue;
            }
            rows += 1;
            let row = format!("{by:?}, {death:?}");
            let caller = verified(&world, &held.credential(by)).await;
            Reaper::of(&world, &held).strike(death);
            world.script.take();
            let request = KeyRequest::new(Subject::user("7"), "late");
            let keys = world.keys().on_behalf_of(&caller);
            let refused = keys.issue(request).await.unwrap_err();
            assert_eq!(refused.status(), 401, "{row}: {refused}");
            let mut calls = world.script.take();
            calls.retain(|call| {
                ["insert", "replace", "revoke"]
                    .iter()
                    .any(|w| call.starts_with(w))
            });
            assert!(calls.is_empty(), "{row}: {calls:?}");
        }
    }
    assert!(rows > 8, "only {rows} rows");
}

/// What a caller asks of users.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Register,
    Remove,
    Disable,
    SetPassword,
}

impl Asked {
    async fn of(self, users: &Users, whom: &Subject) -> Result<(), Rejection> {
        let password = || Secret::new(String::from("tests only: Klammer-Heftung"));
        match self {
            Self::Register => {
                let new = NewUser::new("late@example.com", password());
                users.register(new).await.map(drop)
            }
            Self::Remove => users.remove(whom).await,
            Self::Disable => users.disable(whom).await,
            Self::SetPassword => users.set_password(whom, password()).await,
        }
    }
}

const ASKED: [Asked; 4] = [
    Asked::Register,
    Asked::Remove,
    Asked::Disable,
    Asked::SetPassword,
];

#[tokio::test]
async fn who_dies_right_before_users_are_written_has_registered_removed_and_changed_nobody() {
    let mut rows = 0;
    for is_apart in [false, true] {
        for asked in ASKED {
            for by in [By::Access, By::Private, By::Key] {
                for death in DEATHS {
                    // What the store compares is the time that it is given.
                    if !death.ends(by) || death == Death::Expired {
                        continue;
                    }
                    rows += 1;
                    let row = format!("{asked:?} by {by:?}, {death:?}, {is_apart}");
                    let (world, held) = world(plan(is_apart)).await;
                    let caller = verified(&world, &held.credential(by)).await;
                    let reaper = Reaper::of(&world, &held);
                    let call = match (is_apart, asked) {
                        (false, _) => "commit",
                        (true, Asked::Register) => "insert_user",
                        (true, _) => "replace_user",
                    };
                    world
                        .script
                        .meanwhile(call, 1, move || reaper.strike(death));
                    let ben = world.user("8").await;
                    let users = world.users().on_behalf_of(&caller);
                    let refused = asked.of(&users, &ben.id).await.unwrap_err();
                    assert_eq!(refused.status(), 401, "{row}: {refused}");
                    let after = world.user("8").await;
                    assert_eq!(
                        (&after.names, after.state),
                        (&ben.names, ben.state),
                        "{row}"
                    );
                    assert!(after.has_password_hash(ben.password_hash.as_ref()), "{row}");
                    let late = world.memory.find_user("late@example.com").await.unwrap();
                    assert!(late.is_none(), "{row}");
                }
            }
        }
    }
    assert!(rows > 40, "only {rows} rows");
}

#[tokio::test]
async fn who_disables_or_removes_themselves_has_done_so_in_one_store_or_in_three() {
    for is_apart in [false, true] {
        for (asked, state) in [
            (Asked::Disable, UserState::Disabled),
            (Asked::Remove, UserState::Removed),
        ] {
            let (world, held) = world(plan(is_apart)).await;
            let caller = verified(&world, &held.credential(By::Access)).await;
            let users = world.users().on_behalf_of(&caller);
            let done = asked.of(&users, caller.subject()).await;
            assert!(done.is_ok(), "{asked:?}: {done:?}");
            assert_eq!(world.user("7").await.state, state, "{asked:?}");
            let again = asked.of(&users, &Subject::user("8")).await.unwrap_err();
            assert_eq!(again.status(), 401, "{asked:?}: {again}");
        }
    }
}

#[tokio::test]
async fn a_session_that_begins_while_the_password_is_changed_ends_with_the_others() {
    for stores in [Plan::default().stores, apart] {
        let plan = Plan {
            stores,
            ..Plan::default()
        };
        let (world, held) = world(plan).await;
        let tokens = world.tokens().clone();
        let begun = Arc::new(Mutex::new(None));
        let meanwhile = Arc::clone(&begun);
        let grant = Grant::from(&*world.user("7").await);
        world.script.meanwhile("replace_user", 1, move || {
            let pair = at_once(tokens.issue(grant)).unwrap();
            *meanwhile.lock().unwrap() = Some(pair);
        });
        let body = serde_json::json!({
            "current_password": PASSWORD,
            "new_password": "tests only: Klammer-Heftung",
        });
        let annas = held.credential(By::Access);
        let changed = world.post("/password/", &annas, body).await;
        assert!(changed.status.is_success(), "{changed:?}");
        // In one step there is no meanwhile.
        let begun = begun.lock().unwrap().take();
        for pair in begun.iter().chain([&held.pair]) {
            assert!(!world.opens(access(pair)).await);
            assert!(!world.refreshes(refresh(pair)).await);
        }
        let in_one_step = begun.is_none();
        assert_eq!(in_one_step, world.script.take().contains(&"commit"));
    }
}

#[tokio::test]
async fn what_a_route_requires_is_asked_again_when_the_body_has_come() {
    let plan = Plan {
        endpoints: |endpoints, Services { keys, .. }| {
            let staff = Requirement::from(tower_auth::Role::new("staff"));
            endpoints.mount(
                "/api-keys/",
                tower_auth::endpoint::KeysEndpoint::of(keys).require(staff),
            )
        },
        ..Plan::default()
    };
    let (world, held) = world(plan).await;
    let case = cases(&held).into_iter().find(|case| case.name == "new key");
    let case = case.unwrap();
    let made = world.send(late(&case, &held, || {})).await;
    assert_eq!(made.status, 201, "{made:?}");

    let anna = Subject::user("7");
    let before = world
        .memory
        .list_keys(&anna, None, 100)
        .await
        .unwrap()
        .len();
    let memory = world.memory.clone();
    let request = late(&case, &held, move || {
        let mut change = UserChange::default();
        change.roles = Some(Roles::default());
        at_once(memory.change_user(&Subject::user("7"), change)).unwrap();
    });
    let refused = world.send(request).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    let annas = world.memory.list_keys(&Subject::user("7"), None, 100).await;
    assert_eq!(annas.unwrap().len(), before, "nothing was made");
}

/// What memory does not say of an account, the store is asked, and what it says holds alike.
#[tokio::test]
async fn an_account_that_memory_does_not_know_is_judged_by_what_the_store_says() {
    for by in [By::Access, By::Private, By::Key] {
        for death in [None, Some(Death::Disabled), Some(Death::Removed)] {
            let (world, held) = world(Plan::default()).await;
            world.script.forget();
            if let Some(death) = death {
                Reaper::of(&world, &held).strike(death);
            }
            let credential = held.credential(by);
            world.script.take();
            let reply = send(&world.auth, get(&[("authorization", &credential)])).await;
            let expected = if death.is_none() { 200 } else { 401 };
            assert_eq!(reply.status, expected, "{by:?}, {death:?}: {reply:?}");
            assert!(
                world.script.take().contains(&"account"),
                "{by:?}, {death:?}"
            );
        }
        let (world, held) = world(Plan::default()).await;
        world.script.forget();
        let before = verified(&world, &held.credential(by)).await;
        assert!(before.has_scope("reports:write"), "{by:?}");
        let mut change = UserChange::default();
        change.scopes = Some([Scope::new("reports:read")].into_iter().collect());
        let anna = Subject::user("7");
        world.memory.change_user(&anna, change).await.unwrap();
        let after = verified(&world, &held.credential(by)).await;
        assert!(after.has_scope("reports:read"), "{by:?}");
        assert!(!after.has_scope("reports:write"), "{by:?}");
    }
}

/// A body of which a part never comes.
struct Stalled(Option<Bytes>);

impl Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(text) => Poll::Ready(Some(Ok(Frame::data(text)))),
            None => Poll::Pending,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_in_time_is_408_on_every_route_that_reads_one() {
    let (world, held) = world(Plan::default()).await;
    let mut rows = 0;
    for case in cases(&held).into_iter().filter(Case::takes_body) {
        rows += 1;
        world.events.take();
        let request = case.request(&held).map(|_| Stalled(Some("{".into())));
        let reply = world.send(request).await;
        let told = (reply.status.as_u16(), reply.code());
        assert_eq!(told, (408, "body_too_slow".to_owned()), "{}", case.name);
        assert_eq!(
            world.events.take(),
            [tower_auth::event::Action::Refused],
            "{}",
            case.name
        );
    }
    assert!(rows > 8, "only {rows} rows");
}
