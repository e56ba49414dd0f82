//! What outsiders once tried with success against systems of this kind, over sockets: none of it
//! lets anybody in or keeps anybody out.

use super::client::{Answer, PASSWORD, System, bearer, in_days};
use super::paths::{Paths, systems};
use crate::databases::support::{schema, until};
use crate::dir::Dir;
use http::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tower_auth::store::{ManagedUserStore, Sqlite, UserChange, UserStore};

const USERS: &str = "/users/user/";
/// Tests ask again and again until something is so.
const UNTHROTTLED: (&str, &str) = ("THROTTLE_RATE", "1000000000/hour");
const PASSWORDS: &str = "/api/v1/auth/password/";

impl Paths {
    fn of(name: &str) -> Self {
        let mut systems = systems().into_iter();
        systems.find(|system| system.name == name).unwrap()
    }

    async fn sign_in(&self, system: &System, name: &str, password: &str) -> Answer {
        let (path, field, _) = self.sign_in;
        let body = json!({ field: name, "password": password });
        system.post(path, "", body).await
    }
}

/// A client at an address of its own, of which this machine has many.
#[derive(Clone)]
struct Neighbour {
    http: reqwest::Client,
    url: String,
}

impl Neighbour {
    fn at(address: [u8; 4], system: &System) -> Self {
        let http = reqwest::Client::builder();
        Self {
            http: http.local_address(Some(address.into())).build().unwrap(),
            url: system.example.url.clone(),
        }
    }

    async fn post(&self, path: &str, body: &Value) -> u16 {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        request.send().await.unwrap().status().as_u16()
    }

    async fn get(&self, path: &str, auth: &str) -> u16 {
        let request = self.http.get(format!("{}{path}", self.url));
        let request = request.header("authorization", auth);
        request.send().await.unwrap().status().as_u16()
    }
}

/// How a name may be written so that it reads alike.
fn spellings(name: &str) -> Vec<String> {
    let (first, rest) = name.split_at(1);
    let wide = char::from_u32(u32::from(first.chars().next().unwrap()) + 0xfee0).unwrap();
    let mut all = vec![
        name.to_owned(),
        name.to_uppercase(),
        format!(" {name} "),
        format!("{wide}{rest}"),
    ];
    let invisible = [
        "\u{a0}", "\u{2009}", "\u{3000}", "\u{200b}", "\u{ad}", "\u{feff}",
    ];
    all.extend(invisible.map(|between| format!("{first}{between}{rest}")));
    all
}

#[tokio::test]
async fn twins_of_a_name_are_taken_and_lift_no_limit_of_guesses() {
    for system in systems() {
        let running = System::start(system.name);
        let (_, _, name) = system.sign_in;
        let all = spellings(name);
        if system.name == "jina_connect" {
            for name in &all {
                let body = json!({ "email": name, "password": "Klammer-Heftung-7" });
                let refused = running.post(USERS, "", body).await.is(400).json();
                assert!(refused.get("email").is_some(), "{name:?} {refused}");
            }
        }
        let other = name.replace("user", "other");
        let mut judged = 0;
        for n in 0..190 {
            if n % 40 == 9 {
                system.sign_in(&running, &other, PASSWORD).await.is(200);
            }
            let name = &all[n % all.len()];
            let guess = system.sign_in(&running, name, "guess").await;
            match guess.status.as_u16() {
                401 => judged += 1,
                429 => {}
                status => panic!("{status}, {}, {name:?}", system.name),
            }
        }
        assert_eq!(judged, 10, "{}", system.name);
        running.stop().await;
    }
}

/// Another node over the store of a system: what an operator has.
struct Operator(Sqlite);

impl Operator {
    async fn change(&self, name: &str, change: UserChange) {
        let user = self.0.find_user(name).await.unwrap().unwrap();
        self.0.change_user(&user.id, change).await.unwrap();
    }

    async fn take_roles(&self, name: &str) {
        let mut change = UserChange::default();
        change.roles = Some(Default::default());
        self.change(name, change).await;
    }

    async fn disable(&self, name: &str) {
        let mut change = UserChange::default();
        change.active = Some(false);
        self.change(name, change).await;
    }
}

async fn operated(name: &str, dir: &Dir) -> (System, Operator) {
    let database = format!("sqlite:{}", dir.file().display());
    let system = System::start_with(name, &[("DATABASE_URL", &database), UNTHROTTLED]);
    let operator = Operator(Sqlite::open(dir.file()).await.unwrap());
    (system, operator)
}

fn basic(name: &str, password: &str) -> String {
    use base64::Engine;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    format!("Basic {pair}")
}

#[tokio::test]
async fn rights_that_are_taken_away_end_in_credentials_that_were_made_before() {
    let admin = "admin@example.com";
    let dir = Dir::new();
    let (jina, operator) = operated("jina_connect", &dir).await;
    let (access, refresh) = jina.sign_in("/token/", "email", admin).await;
    let credentials = [bearer(&access), basic(admin, PASSWORD)];
    let is_administrator = async |auth: &str| {
        let answer = jina.get(USERS, auth).await.is(200).json();
        answer.is_array()
    };
    for auth in &credentials {
        assert!(is_administrator(auth).await);
    }
    let users = jina.get(USERS, &credentials[0]).await.json();
    let mut users = users.as_array().unwrap().iter();
    let user = users.find(|user| user["email"] == "user@example.com");
    let other = format!("{USERS}{}/", user.unwrap()["id"].as_str().unwrap());
    operator.take_roles(admin).await;
    for auth in &credentials {
        until("the role is taken", async || !is_administrator(auth).await).await;
        let body = json!({ "first_name": "x" });
        let changed = jina.send(Method::PATCH, &other, auth, body).await;
        changed.is(404);
    }
    let again = jina
        .post("/refresh/", "", json!({ "refresh": refresh }))
        .await;
    let again = bearer(&again.is(200).text_of("access"));
    assert!(!is_administrator(&again).await);
    jina.stop().await;

    let dir = Dir::new();
    let (egret, operator) = operated("egret", &dir).await;
    let (access, _) = egret.sign_in("/auth/jwt/create/", "email", admin).await;
    let access = bearer(&access);
    let create = async |name: &str| {
        let body = json!({ "name": name });
        egret.post("/domains/", &access, body).await.status.as_u16()
    };
    assert_eq!(create("before").await, 201);
    operator.take_roles(admin).await;
    let mut n = 0;
    until("the role is taken", async || {
        n += 1;
        create(&format!("d{n}")).await == 403
    })
    .await;
    egret.delete("/domains/before/", &access).await.is(403);
    egret.stop().await;
}

#[tokio::test]
async fn a_disabled_user_is_out_with_every_credential_of_every_system() {
    for system in systems() {
        let dir = Dir::new();
        let (running, operator) = operated(system.name, &dir).await;
        let (_, _, name) = system.sign_in;
        let pair = system
            .sign_in(&running, name, PASSWORD)
            .await
            .is(200)
            .json();
        let access = bearer(pair["access"].as_str().unwrap());
        let (_, key) = system
            .new_key(&running, pair["access"].as_str().unwrap())
            .await;
        assert_eq!(system.status_of_key(&running, &key).await, 200);
        operator.disable(name).await;
        until("disabled", async || {
            running.get(system.guarded, &access).await.status == 401
        })
        .await;
        let body = json!({ "name": "late", "expires_at": in_days(30) });
        running.post(system.keys, &access, body).await.is(401);
        let refresh = json!({ "refresh": pair["refresh"] });
        running.post(system.refresh, "", refresh).await.is(401);
        system.sign_in(&running, name, PASSWORD).await.is(401);
        // Keys of a tenant or an agent are not the user's.
        let expected = match system.name {
            "jina_connect" | "rag_chats" => 200,
            _ => 401,
        };
        let status = system.status_of_key(&running, &key).await;
        assert_eq!(status, expected, "{}", system.name);
        running.stop().await;
    }
}

#[tokio::test]
async fn a_key_without_scopes_that_expires_makes_none_that_outlives_it_and_rotates_no_other() {
    let rate = [("THROTTLE_RATE", "30/hour")];
    let egret = System::start_with("egret", &rate);
    let (access, _) = egret
        .sign_in("/auth/jwt/create/", "email", "user@example.com")
        .await;
    let access = bearer(&access);
    let expires = in_days(1);
    let make = async |auth: &str, expires_at: Value| {
        let body = json!({ "name": "ci", "expires_at": expires_at });
        egret.post("/api-keys/", auth, body).await
    };
    let strong = make(&access, Value::Null).await.is(201).json();
    let poor = make(&access, json!(expires)).await.is(201).json();
    let key = bearer(poor["key"].as_str().unwrap());
    let rotate = async |id: &Value| {
        let path = format!("/api-keys/{}/rotate/", id.as_str().unwrap());
        egret.post(&path, &key, json!({})).await
    };
    rotate(&strong["id"]).await.is(403);
    let strong = bearer(strong["key"].as_str().unwrap());
    egret.get("/domains/", &strong).await.is(200);
    make(&key, json!(in_days(2))).await.is(400);
    let child = make(&key, Value::Null).await.is(201).json();
    assert_eq!(
        child["expires_at"], poor["expires_at"],
        "it ends with its maker"
    );

    // However many it makes, they count together.
    let mut passed = 0;
    let mut newest = child["key"].as_str().unwrap().to_owned();
    for _ in 0..60 {
        let made = make(&bearer(&newest), Value::Null).await;
        if made.status == 201 {
            passed += 1;
            newest = made.text_of("key");
        }
    }
    assert!(passed < 30, "{passed}");
    egret.get("/domains/", &bearer(&newest)).await.throttled();
    egret.stop().await;
}

#[tokio::test]
async fn a_key_or_a_private_token_makes_no_other_where_that_is_not_allowed_and_renames_nobody() {
    for system in systems()
        .into_iter()
        .filter(|system| system.name != "egret")
    {
        let running = System::start(system.name);
        let (path, field, name) = system.sign_in;
        let (access, _) = running.sign_in(path, field, name).await;
        let (id, key) = system.new_key(&running, &access).await;
        let (_, _, before) = &system.keyed;
        let key = format!("{before}{key}");
        // Where keys are for another part of the system, they are not even looked at.
        let refused = match system.name {
            "jina_connect" => 401,
            _ => 403,
        };
        let body = json!({ "name": "more", "expires_at": in_days(2) });
        running.post(system.keys, &key, body).await.is(refused);
        if system.name != "private_tokens" {
            let rotate = format!("{}{id}/rotate/", system.keys);
            running.post(&rotate, &key, json!({})).await.is(refused);
        }
        if system.name == "jina_connect" {
            let own = running
                .get(USERS, &bearer(&access))
                .await
                .is(200)
                .text_of("id");
            let body = json!({ "email": "eve@example.com" });
            let own = format!("{USERS}{own}/");
            running.send(Method::PATCH, &own, &key, body).await.is(401);
        }
        running.stop().await;
    }
}

/// Sends a whole request and goes.
async fn ask_and_go(system: &System, auth: &str, body: &Value) {
    let address = system.example.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {PASSWORDS} HTTP/1.1\r\nhost: {address}\r\nauthorization: {auth}\r\n\
         content-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; 25];
    stream.read_exact(&mut goes_on).await.unwrap();
    stream.write_all(body.as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_password_change_whose_client_goes_is_made_whole_or_not_at_all() {
    let paths = Paths::of("private_tokens");
    let (_, _, name) = paths.sign_in;
    let mut changes = 0;
    for _ in 0..4 {
        // Each time anew: a change that is late meets nobody else's.
        let dir = Dir::new();
        let (system, _operator) = operated(paths.name, &dir).await;
        let pair = paths.sign_in(&system, name, PASSWORD).await.is(200).json();
        let access = pair["access"].as_str().unwrap();
        let (_, private) = paths.new_key(&system, access).await;
        let access = bearer(access);
        let new = "another-horse-battery";
        let body = json!({ "current_password": PASSWORD, "new_password": new });
        ask_and_go(&system, &access, &body).await;
        // That the client has gone may have been seen before its body was.
        let changed = async { while system.get(paths.guarded, &access).await.status != 401 {} };
        let _ = tokio::time::timeout(Duration::from_secs(60), changed).await;
        let signed_in = paths.sign_in(&system, name, new).await.status;
        if signed_in == 401 {
            continue;
        }
        assert_eq!(signed_in, 200);
        changes += 1;
        system.get(paths.guarded, &access).await.is(401);
        system.get(paths.guarded, &bearer(&private)).await.is(401);
        let refresh = json!({ "refresh": pair["refresh"] });
        system.post(paths.refresh, "", refresh).await.is(401);
        paths.sign_in(&system, name, PASSWORD).await.is(401);
        system.stop().await;
    }
    assert!(changes > 0, "none was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_that_registers_or_signs_in_without_end_keeps_nobody_elsewhere_out() {
    let jina = System::start("jina_connect");
    let over = Arc::new(AtomicBool::new(false));
    let mut flood = JoinSet::new();
    for n in 0..16 {
        let registers = n % 2 == 0;
        let address = if registers {
            [127, 0, 0, 2]
        } else {
            [127, 0, 0, 3]
        };
        let neighbour = Neighbour::at(address, &jina);
        let over = Arc::clone(&over);
        flood.spawn(async move {
            let mut statuses = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let status = if registers {
                    let email = format!("u{n}-{}@example.com", statuses.len());
                    let body = json!({ "email": email, "password": "Klammer-Heftung-7" });
                    neighbour.post(USERS, &body).await
                } else {
                    let body = json!({ "email": "other@example.com", "password": PASSWORD });
                    neighbour.post("/token/", &body).await
                };
                statuses.push(status);
            }
            (registers, statuses)
        });
    }
    let victim = Neighbour::at([127, 0, 0, 4], &jina);
    let mut refused = Vec::new();
    let right = json!({ "email": "user@example.com", "password": PASSWORD });
    for _ in 0..20 {
        match victim.post("/token/", &right).await {
            200 => {}
            status => refused.push(status),
        }
    }
    over.store(true, Ordering::Relaxed);
    assert_eq!(refused, [0; 0]);
    while let Some(done) = flood.join_next().await {
        let (registers, statuses) = done.unwrap();
        let good = if registers { 201 } else { 200 };
        assert!(statuses.iter().all(|status| [good, 429].contains(status)));
        assert!(!statuses.is_empty());
    }
    jina.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_of_a_neighbour_lock_no_good_key_out() {
    let dir = Dir::new();
    let (egret, _operator) = operated("egret", &dir).await;
    let paths = Paths::of("egret");
    let (access, _) = egret
        .sign_in("/auth/jwt/create/", "email", "user@example.com")
        .await;
    let mut good = Vec::new();
    for _ in 0..20 {
        let (_, key) = paths.new_key(&egret, &access).await;
        good.push(bearer(&key));
    }
    let (removed_id, removed) = paths.new_key(&egret, &access).await;
    let removed_path = format!("/api-keys/{removed_id}/");
    egret
        .delete(&removed_path, &bearer(&access))
        .await
        .nothing();

    let neighbour = Neighbour::at([127, 0, 0, 1], &egret);
    for key in &good {
        assert_eq!(neighbour.get("/domains/", key).await, 200);
    }
    let mut flood = JoinSet::new();
    for n in 0..30 {
        let keys = unknown(100).await;
        let neighbour = neighbour.clone();
        let good = good[n % good.len()].clone();
        flood.spawn(async move {
            for key in keys {
                let status = neighbour.get("/domains/", &bearer(&key)).await;
                assert!([401, 429].contains(&status), "{status}");
            }
            neighbour.get("/domains/", &good).await
        });
    }
    while let Some(status) = flood.join_next().await {
        assert_eq!(status.unwrap(), 200);
    }
    for key in &good {
        assert_eq!(neighbour.get("/domains/", key).await, 200);
    }
    egret.stop().await;

    // One removed key, again and again, keeps no key out that the process has not seen yet.
    let (egret, _operator) = operated("egret", &dir).await;
    let neighbour = Neighbour::at([127, 0, 0, 1], &egret);
    for _ in 0..1_000 {
        let status = neighbour.get("/domains/", &bearer(&removed)).await;
        assert_eq!(status, 401);
    }
    for key in &good {
        assert_eq!(neighbour.get("/domains/", key).await, 200);
    }
    egret.stop().await;
}

/// Well-formed keys that nobody has.
async fn unknown(count: usize) -> Vec<String> {
    use tower_auth::{ApiKeys, KeyRequest, Realm, Subject, store::Memory};
    let elsewhere = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    let mut keys = Vec::new();
    for _ in 0..count {
        let request = KeyRequest::new(Subject::user("7"), "ci");
        keys.push(elsewhere.issue(request).await.unwrap().key.expose().clone());
    }
    keys
}

/// Rounds in which all sessions end while their tokens are used for the first time on every node.
async fn ends_all_while_uses_are_noted(nodes: &[System]) {
    let paths = Paths::of("private_tokens");
    let (_, _, name) = paths.sign_in;
    let mut password = String::from(PASSWORD);
    for round in 0..6 {
        let pair = paths
            .sign_in(&nodes[0], name, &password)
            .await
            .is(200)
            .json();
        let access = pair["access"].as_str().unwrap().to_owned();
        let mut tokens = Vec::new();
        for _ in 0..16 {
            tokens.push(bearer(&paths.new_key(&nodes[0], &access).await.1));
        }
        let mut uses = JoinSet::new();
        for node in nodes {
            let neighbour = Neighbour::at([127, 0, 0, 2], node);
            for token in tokens.clone() {
                let neighbour = neighbour.clone();
                uses.spawn(async move { neighbour.get(paths_of_private(), &token).await });
            }
        }
        let new = format!("another-horse-battery-{round}");
        let body = json!({ "current_password": password, "new_password": new });
        let changed = nodes[0].post(PASSWORDS, &bearer(&access), body).await;
        changed.is(204);
        while let Some(status) = uses.join_next().await {
            let status = status.unwrap();
            assert!([200, 401].contains(&status), "{status}");
        }
        for token in &tokens {
            nodes[0].get(paths.guarded, token).await.is(401);
        }
        for node in nodes {
            until("heard", async || {
                let mut dead = true;
                for token in &tokens {
                    dead &= node.get(paths.guarded, token).await.status == 401;
                }
                dead
            })
            .await;
        }
        password = new;
    }
}

fn paths_of_private() -> &'static str {
    Paths::of("private_tokens").guarded
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_all_sessions_fails_beside_no_noting_of_last_uses() {
    let database = schema().await;
    let variables = [("DATABASE_URL", database.as_str()), UNTHROTTLED];
    let start = || System::start_with("private_tokens", &variables);
    ends_all_while_uses_are_noted(&[start(), start()]).await;

    let dir = Dir::new();
    let (system, _operator) = operated("private_tokens", &dir).await;
    ends_all_while_uses_are_noted(&[system]).await;
}
