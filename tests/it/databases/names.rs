//! Names that read alike are one name, in every store, at every door, and for whoever guesses.

use super::support::*;
use crate::minimal::Minimal;
use crate::support::*;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use serde_json::json;
use std::sync::Arc;
use tower::ServiceExt;
use tower_auth::endpoint::{
    ChangePassword, Endpoints, KeysEndpoint, Page, Refresh, SignIn, SignOut, UsersEndpoint,
};
use tower_auth::password::hash_password;
use tower_auth::store::{ManagedUserStore, Memory, Store, Stores, UserRecord};
use tower_auth::test_util::ManualClock;
use tower_auth::throttle::Peer;
use tower_auth::{
    ApiKeys, AuthLayer, NewUser, PasswordPolicy, Realm, Secret, Subject, Tokens, Users,
};

const NAME: &str = "user@example.com";
const PASSWORD: &str = "Klammer-Heftung-7";
const OF_THE_TWIN: &str = "Locher-Heftung-9";

/// A store with no step for changes of several roles.
fn by_role(store: &Arc<Minimal>) -> Stores {
    Stores::new()
        .managed_keys(Arc::clone(store))
        .managed_users(Arc::clone(store))
        .private_tokens(Arc::clone(store))
}

/// How `NAME` may be written so that it reads alike.
const SPELLINGS: [&str; 16] = [
    "user@example.com",
    "USER@example.com",
    "User@Example.Com",
    "us er@example.com",
    " user@example.com ",
    "us\u{a0}er@example.com",
    "us\u{2009}er@example.com",
    "us\u{3000}er@example.com",
    "us\u{200b}er@example.com",
    "us\u{200d}er@example.com",
    "user\u{feff}@example.com",
    "us\u{ad}er@example.com",
    "\u{202e}user@example.com",
    "user\u{fe0f}@example.com",
    "ｕｓｅｒ@example.com",
    "ⓤser＠example．com",
];

async fn stores(dir: &Dir) -> Vec<(&'static str, Stores, Arc<dyn ManagedUserStore>)> {
    let memory = Memory::new();
    let minimal = Arc::new(Minimal::default());
    let (postgres, sqlite) = (postgres().await, sqlite(dir).await);
    vec![
        ("memory", memory.clone().into(), Arc::new(memory)),
        ("minimal", by_role(&minimal), minimal),
        (
            "PostgreSQL",
            Store::from(postgres.clone()).into(),
            Arc::new(postgres),
        ),
        (
            "SQLite",
            Store::from(sqlite.clone()).into(),
            Arc::new(sqlite),
        ),
    ]
}

/// A realm with every door to its passwords.
struct House {
    users: Users,
    auth: AuthLayer,
    endpoints: Endpoints,
    token: String,
}

#[derive(Clone, Copy, Debug)]
enum Door {
    SignIn,
    Page,
    Basic,
    ChangeOfPassword,
}

const DOORS: [Door; 4] = [
    Door::SignIn,
    Door::Page,
    Door::Basic,
    Door::ChangeOfPassword,
];

impl House {
    async fn over(stores: Stores) -> Self {
        let realm = Realm::new(stores).clock(ManualClock::new(1_705_190_400));
        let users = realm.users(PasswordPolicy::new());
        let tokens = realm.tokens(Tokens::hs256(SECRET).issuer(ISSUER));
        let keys = realm.api_keys(ApiKeys::prefix("egret"));
        let auth = AuthLayer::builder()
            .accept(&tokens)
            .accept(&keys)
            .accept(users.basic())
            .build()
            .unwrap();
        let endpoints = auth
            .endpoints()
            .mount("/token/", SignIn::of(&tokens))
            .mount("/token/refresh/", Refresh::of(&tokens))
            .mount("/token/end/", SignOut::of(&tokens))
            .mount("/users/", UsersEndpoint::of(&users).name_field("name"))
            .mount("/password/", ChangePassword::of(&users, &tokens))
            .mount("/keys/", KeysEndpoint::of(&keys))
            .mount("/settings/", Page::new().cookies("test"))
            .build()
            .unwrap();
        let mut house = Self {
            users,
            auth,
            endpoints,
            token: String::new(),
        };
        house.register(NAME).await.unwrap();
        let signed_in = house.sign_in(NAME, PASSWORD, "192.0.2.200").await;
        house.token = signed_in.json()["access"].as_str().unwrap().to_owned();
        house
    }

    async fn register(&self, name: &str) -> Result<Arc<UserRecord>, tower_auth::Rejection> {
        let password = Secret::new(PASSWORD.to_owned());
        self.users.register(NewUser::new(name, password)).await
    }

    async fn post(&self, path: &str, body: serde_json::Value, peer: &str) -> Reply {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("host", "localhost")
            .header("sec-fetch-site", "same-origin")
            .header("authorization", format!("Bearer {}", self.token));
        let mut request = request.body(Full::<Bytes>::from(body.to_string())).unwrap();
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        reply(self.endpoints.clone().oneshot(request).await.unwrap()).await
    }

    async fn sign_in(&self, name: &str, password: &str, peer: &str) -> Reply {
        let body = json!({ "email": name, "password": password });
        self.post("/token/", body, peer).await
    }

    async fn basic(&self, name: &str, password: &str, peer: &str) -> Reply {
        let mut request = basic(name, password);
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        send(&self.auth, request).await
    }

    async fn guess(&self, door: Door, name: &str, peer: &str) -> u16 {
        let reply = match door {
            Door::SignIn => self.sign_in(name, "guess", peer).await,
            Door::Page => {
                let body = json!({ "email": name, "password": "guess" });
                self.post("/settings/session/", body, peer).await
            }
            Door::Basic => self.basic(name, "guess", peer).await,
            Door::ChangeOfPassword => {
                let new = "Heftung-Klammer-8";
                let body = json!({ "current_password": "guess", "new_password": new });
                self.post("/password/", body, peer).await
            }
        };
        reply.status.as_u16()
    }
}

#[tokio::test]
async fn a_taken_name_is_taken_in_every_spelling_that_reads_alike() {
    let dir = Dir::new();
    for (store, stores, _) in stores(&dir).await {
        let house = House::over(stores).await;
        let other = house.register("other").await.unwrap();
        let renamed = async |name: &str| house.users.change(&other.id, names(&[name])).await;
        for name in SPELLINGS {
            let body = json!({ "name": name, "password": PASSWORD });
            let status = house.post("/users/", body, "192.0.2.1").await.status;
            assert_eq!(status, 400, "{store}, {name:?}");
            assert!(house.register(name).await.is_err(), "{store}, {name:?}");
            assert!(renamed(name).await.is_err(), "{store}, {name:?}");
        }
        for name in SPELLINGS {
            let status = house.sign_in(name, PASSWORD, "192.0.2.2").await.status;
            assert_eq!(status, 200, "{store}, {name:?} signs in");
        }
        let user = house.register("Zoe\u{308}-OTHER").await.unwrap();
        assert_eq!(&*user.names[0], "zoë-other", "kept in its one form");
    }
}

/// A user whom something else has written into the store, under a name that reads like another's.
async fn write_twin(store: &dyn ManagedUserStore, name: &str, password: &str) {
    let hash = hash_password(password).unwrap();
    let twin = UserRecord::new(Subject::user("twin"), name).password_hash(hash);
    store.insert_user(twin).await.unwrap();
}

#[tokio::test]
async fn at_most_the_limit_of_wrong_passwords_is_judged_whoever_else_signs_in_under_a_like_name() {
    let dir = Dir::new();
    for twin in ["us\u{a0}er@example.com", "ｕｓｅｒ@example.com"] {
        for door in DOORS {
            for (store, stores, written) in stores(&dir).await {
                let house = House::over(stores).await;
                write_twin(&*written, twin, OF_THE_TWIN).await;
                let mut judged = 0;
                for n in 0..190 {
                    if n % 40 == 9 {
                        let signed_in = house.sign_in(twin, OF_THE_TWIN, "192.0.2.1").await;
                        assert_eq!(signed_in.status, 200, "{store}, the twin");
                    }
                    // The twin's own name is the twin's account.
                    let others = SPELLINGS.iter().filter(|name| **name != twin);
                    let name = others.cycle().nth(n).unwrap();
                    let status = house.guess(door, name, "192.0.2.1").await;
                    match status {
                        400 | 401 => judged += 1,
                        429 => {}
                        other => panic!("{other}, {store}, {door:?}"),
                    }
                }
                // A change tries both passwords: its answer may have been lost.
                let most = match door {
                    Door::ChangeOfPassword => 5,
                    Door::SignIn | Door::Page | Door::Basic => 10,
                };
                assert_eq!(judged, most, "{store}, {door:?}, {twin:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_name_that_nobody_has_is_one_in_every_spelling_too() {
    for door in [Door::SignIn, Door::Page, Door::Basic] {
        let house = House::over(Memory::new().into()).await;
        let mut judged = 0;
        for n in 0..190 {
            let name = format!("no{}", SPELLINGS[n % SPELLINGS.len()]);
            judged += usize::from(house.guess(door, &name, "192.0.2.1").await == 401);
        }
        assert_eq!(judged, 10, "{door:?}");
    }
}

#[tokio::test]
async fn a_name_that_was_written_in_another_form_signs_in_as_it_is_written() {
    for name in ["Zo\u{308}e Lopez", "Anna@Example.com"] {
        let dir = Dir::new();
        for (store, stores, written) in stores(&dir).await {
            let house = House::over(stores).await;
            write_twin(&*written, name, PASSWORD).await;
            for _ in 0..2 {
                let signed_in = house.sign_in(name, PASSWORD, "192.0.2.1").await;
                assert_eq!(signed_in.status, 200, "{store}, {name}");
                let basic = house.basic(name, PASSWORD, "192.0.2.1").await;
                assert_eq!(
                    (basic.status.as_u16(), basic.text()),
                    (200, "Basic twin"),
                    "{store}, {name}"
                );
            }
            // It stays when another name of the same user is changed.
            let change = names(&[name, "ZOE@example.com"]);
            let changed = house.users.change(&Subject::user("twin"), change).await;
            let kept = &changed.unwrap().names;
            assert_eq!(&*kept[0], name);
            assert_eq!(&*kept[1], "zoe@example.com");
        }
    }
}

fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

/// A letter with its mark apart, and both as one.
const APART: &str = "Zoe\u{308} hat\u{a0}7 Klammern";
const COMPOSED: &str = "Zoë hat 7 Klammern";

#[tokio::test]
async fn passwords_are_one_however_a_keyboard_composes_them() {
    // So often one is longer than a password may be as it is typed, but not in its form.
    let long = [APART, COMPOSED].map(|password| password.repeat(50));
    assert!(long[0].len() > 1_024 && long[1].len() < 1_024);
    for (chosen, typed) in [
        (APART, COMPOSED),
        (COMPOSED, APART),
        (&long[0], &long[0]),
        (&long[1], &long[0]),
    ] {
        let house = House::over(Memory::new().into()).await;
        let new = NewUser::new("zoe", Secret::new(chosen.to_owned()));
        house.users.register(new).await.unwrap();
        let signed_in = house.sign_in("zoe", typed, "192.0.2.1").await;
        assert_eq!(signed_in.status, 200, "{typed}");
        let basic = house.basic("zoe", typed, "192.0.2.1").await;
        assert_eq!(basic.status, 200, "{typed}");
        assert_eq!(
            house.basic("zoe", typed, "192.0.2.1").await.status,
            200,
            "remembered"
        );
        let (chosen_one, typed_one) = (secret(chosen), secret(typed));
        let zoe = house.users.authenticate("zoe", &chosen_one).await.unwrap();
        let next = secret(&format!("{chosen}!"));
        let change = house.users.change_password(&zoe.id, &typed_one, next);
        change.await.unwrap();
        let changed = format!("{typed}!");
        assert_eq!(
            house.sign_in("zoe", &changed, "192.0.2.1").await.status,
            200
        );
    }
}

#[tokio::test]
async fn a_hash_that_other_software_made_of_what_was_typed_fits_and_is_replaced() {
    let memory = Memory::new();
    let house = House::over(memory.clone().into()).await;
    // Of `APART` as it is, by Django.
    let hash = "pbkdf2_sha256$1000$testsalt$sAZEzoCir7tFWjz5cV5Wi7NEYHizC8VEEMrqbOfMLH0=";
    let record = UserRecord::new(Subject::user("9"), "zoe").password_hash(hash);
    memory.insert_user(record).await.unwrap();
    assert_eq!(
        house.sign_in("zoe", COMPOSED, "192.0.2.1").await.status,
        401
    );
    assert_eq!(house.sign_in("zoe", APART, "192.0.2.1").await.status, 200);
    for typed in [COMPOSED, APART] {
        let signed_in = house.sign_in("zoe", typed, "192.0.2.1").await;
        assert_eq!(signed_in.status, 200, "hashed anew in its one form");
    }
}
