//! With a database everything survives a restart; with Redis two machines count as one.

use super::client::{System, bearer, in_days};
use super::paths::{Paths, systems};
use crate::databases::support::schema;
use crate::dir::Dir;
use crate::throttle::forwarder::Forwarder;
use crate::throttle::server::Server;
use serde_json::{Value, json};
use std::time::Duration;

impl Paths {
    pub(super) async fn new_key(&self, system: &System, access: &str) -> (String, String) {
        let body = json!({ "name": "kept", "expires_at": in_days(30) });
        let new = system
            .post(self.keys, &bearer(access), body)
            .await
            .is(201)
            .json();
        // An id is a text or a number.
        (
            new["id"].to_string().trim_matches('"').to_owned(),
            new[self.key_field].as_str().unwrap().to_owned(),
        )
    }

    pub(super) async fn status_of_key(&self, system: &System, key: &str) -> u16 {
        let (path, body, before) = &self.keyed;
        let auth = format!("{before}{key}");
        let mut headers = http::HeaderMap::new();
        headers.insert(
            "accept",
            "application/json, text/event-stream".parse().unwrap(),
        );
        system
            .request(path, &auth, body, headers)
            .await
            .status
            .as_u16()
    }

    async fn survives(&self, database: &str) {
        let variables = [("DATABASE_URL", database)];
        let system = System::start_with(self.name, &variables);
        let (path, field, name) = self.sign_in;
        let (access, refresh) = system.sign_in(path, field, name).await;
        let (_, kept) = self.new_key(&system, &access).await;
        let (id, revoked) = self.new_key(&system, &access).await;
        system
            .delete(&format!("{}{id}/", self.keys), &bearer(&access))
            .await
            .nothing();
        assert_eq!(
            self.status_of_key(&system, &kept).await,
            200,
            "{}",
            self.name
        );
        system.stop().await;

        let system = System::start_with(self.name, &variables);
        system.get(self.guarded, &bearer(&access)).await.is(200);
        let refreshed = system
            .post(self.refresh, "", json!({ "refresh": refresh }))
            .await
            .is(200);
        system
            .get(self.guarded, &bearer(&refreshed.text_of("access")))
            .await
            .is(200);
        assert_eq!(
            self.status_of_key(&system, &kept).await,
            200,
            "{}",
            self.name
        );
        assert_eq!(
            self.status_of_key(&system, &revoked).await,
            401,
            "{}",
            self.name
        );
        let list = system.get(self.keys, &bearer(&access)).await.is(200).json();
        assert_eq!(list.as_array().unwrap().len(), 1, "{}", self.name);
        let (another, _) = self.new_key(&system, &access).await;
        assert_ne!(another, id, "no id is given twice");
        system.stop().await;
    }
}

#[tokio::test]
async fn everything_survives_a_restart_on_sqlite() {
    for system in systems() {
        let dir = Dir::new();
        system
            .survives(&format!("sqlite:{}", dir.file().display()))
            .await;
    }
}

#[tokio::test]
async fn everything_survives_a_restart_on_postgresql() {
    for system in systems() {
        system.survives(&schema().await).await;
    }
}

#[tokio::test]
async fn who_has_signed_out_stays_so_after_a_restart() {
    let dir = Dir::new();
    let database = format!("sqlite:{}", dir.file().display());
    let variables = [("DATABASE_URL", database.as_str())];
    let system = System::start_with("rag_chats", &variables);
    let (access, refresh) = system
        .sign_in("/api/auth/login/", "email", "user@example.com")
        .await;
    system
        .post("/api/auth/logout/", &bearer(&access), Value::Null)
        .await
        .nothing();
    system.stop().await;

    let system = System::start_with("rag_chats", &variables);
    assert_eq!(
        system
            .get("/api/agents/", &bearer(&access))
            .await
            .is(401)
            .text_of("error"),
        "token_revoked"
    );
    let refused = system
        .post(
            "/api/auth/token/refresh/",
            "",
            json!({ "refresh": refresh }),
        )
        .await
        .is(401);
    assert_eq!(refused.text_of("error"), "token_revoked");
}

#[tokio::test]
async fn whoever_registered_can_sign_in_after_a_restart() {
    let dir = Dir::new();
    let database = format!("sqlite:{}", dir.file().display());
    let variables = [("DATABASE_URL", database.as_str())];
    let anna = json!({ "email": "anna@example.com", "password": "a-long-enough-secret" });
    let system = System::start_with("jina_connect", &variables);
    let new = system
        .post("/users/user/", "", anna.clone())
        .await
        .is(201)
        .json();
    system.stop().await;

    let system = System::start_with("jina_connect", &variables);
    let access = system
        .post("/token/", "", anna)
        .await
        .is(200)
        .text_of("access");
    assert_eq!(
        system
            .get("/users/user/", &bearer(&access))
            .await
            .is(200)
            .json(),
        new
    );
}

#[tokio::test]
async fn two_machines_count_together_on_redis() {
    let redis = Server::start();
    let url = redis.url();
    let variables = [("REDIS_URL", url.as_str()), ("THROTTLE_RATE", "3/hour")];
    let nodes = [
        System::start_with("ngenea_hub", &variables),
        System::start_with("ngenea_hub", &variables),
    ];
    let (access, _) = nodes[0]
        .sign_in("/api/auth/token/", "username", "user")
        .await;
    for node in [0, 1, 0] {
        nodes[node]
            .get("/api/health/", &bearer(&access))
            .await
            .is(200);
    }
    for node in &nodes {
        node.get("/api/health/", &bearer(&access)).await.throttled();
    }
}

#[tokio::test]
async fn a_namespace_keeps_services_on_one_redis_apart() {
    let redis = Server::start();
    let url = redis.url();
    let start = |namespace: &str| {
        let variables = [
            ("REDIS_URL", url.as_str()),
            ("REDIS_NAMESPACE", namespace),
            ("THROTTLE_RATE", "3/hour"),
        ];
        System::start_with("ngenea_hub", &variables)
    };
    for namespace in ["hub", "spare-hub"] {
        let hub = start(namespace);
        let (access, _) = hub.sign_in("/api/auth/token/", "username", "user").await;
        for _ in 0..3 {
            hub.get("/api/health/", &bearer(&access)).await.is(200);
        }
        hub.get("/api/health/", &bearer(&access)).await.throttled();
    }
    let again = start("hub");
    let (access, _) = again.sign_in("/api/auth/token/", "username", "user").await;
    again
        .get("/api/health/", &bearer(&access))
        .await
        .throttled();
}

/// The server of the limits is replaced while the service runs: it goes on counting on the new one.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_goes_on_counting_on_the_server_that_took_over() {
    let (first, second) = (Server::start(), Server::start());
    second.follow(first.port());
    let name = Forwarder::to(first.port()).await;
    let url = name.url();
    let variables = [("REDIS_URL", url.as_str()), ("THROTTLE_RATE", "100000/day")];
    let hub = System::start_with("ngenea_hub", &variables);
    let (access, _) = hub.sign_in("/api/auth/token/", "username", "user").await;
    let used = async || {
        let answer = hub.get("/api/health/", &bearer(&access)).await.is(200);
        let told = answer.headers["ratelimit"].to_str().unwrap();
        let left = told.split("r=").nth(1).unwrap().split(';').next().unwrap();
        100_000 - left.parse::<u32>().unwrap()
    };
    while used().await < 1_000 {}
    second.catch_up_with(&first);

    second.tell::<()>(&["REPLICAOF", "NO", "ONE"]);
    first.follow(second.port());
    name.moves_to(second.port());
    // Meanwhile it counts by itself, from the beginning: what is used can then be no more than what
    // was asked here. The pause keeps a fast machine from asking as often as before the change, and
    // a hundred of the thousand may come back while the machine is slow.
    let mut asked = 1;
    while used().await < 900 {
        asked += 1;
        assert!(asked < 900, "it stays with the first");
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    hub.stop().await;
}
