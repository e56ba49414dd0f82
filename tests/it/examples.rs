//! The examples do what they print, as processes of their own, over a socket.

use crate::process::{Example, path_of};
use serde_json::{Value, json};
use sqlx::Executor;
use sqlx::sqlite::SqlitePoolOptions;
use std::process::Command;
use std::time::UNIX_EPOCH;
use tower_auth::store::conformance;

#[expect(dead_code, reason = "of the example only its store is tested here")]
#[path = "../../examples/custom_store.rs"]
mod custom_store;

/// Does what a printed `curl` line does: the few options that the examples use.
async fn curl(line: &str) -> String {
    let words = shell_words(line);
    let mut words = words.iter().map(String::as_str).skip(1);
    let (mut method, mut fields, mut user, mut url, mut only_status) =
        ("GET", Vec::new(), None, None, false);
    while let Some(word) = words.next() {
        match word {
            "-s" => {}
            "-X" => method = words.next().unwrap(),
            "-H" => fields.push(words.next().unwrap().split_once(": ").unwrap()),
            "-u" => user = words.next().unwrap().split_once(':'),
            "-o" => assert_eq!(words.next(), Some("/dev/null")),
            "-w" => {
                assert_eq!(words.next(), Some("%{http_code}\\n"));
                only_status = true;
            }
            _ => assert_eq!(url.replace(word), None, "{line}"),
        }
    }
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url.unwrap());
    for (name, value) in fields {
        request = request.header(name, value);
    }
    if let Some((name, password)) = user {
        request = request.basic_auth(name, Some(password));
    }
    let response = request.send().await.unwrap();
    if only_status {
        response.status().as_str().to_owned()
    } else {
        response.text().await.unwrap()
    }
}

fn shell_words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in line.split('\'').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    words
}

#[tokio::test]
async fn the_curl_lines_that_quickstart_prints_give_the_answers_that_it_prints() {
    let mut example = Example::start("quickstart");
    let mut checked = 0;
    while checked < 7 {
        let announced = example.line_with("# ");
        let answer = announced.split_once(": ").unwrap().1.to_owned();
        let line = example.line_with("curl");
        assert_eq!(curl(&line).await, answer, "{announced}");
        checked += 1;
    }
    let url = example.url.clone();
    assert!(example.terminate().success());
    assert!(reqwest::get(url).await.is_err(), "it has stopped");
}

#[tokio::test]
async fn the_hyper_server_takes_its_key_and_nothing_else() {
    let example = Example::start("hyper_server");
    let url = &example.url;
    assert_eq!(
        curl(&format!(
            "curl -s -H 'X-API-Key: demo-key-of-16-or-more' {url}/"
        ))
        .await,
        "hello demo\n"
    );
    for wrong in [
        "-H 'X-API-Key: demo-key-of-16-or-mor'",
        "-H 'Authorization: Bearer x.y.z'",
        "",
    ] {
        assert_eq!(
            curl(&format!("curl -s -w '%{{http_code}}\\n' {wrong} {url}/")).await,
            "401",
            "{wrong}"
        );
    }
    assert!(example.terminate().success());
}

#[tokio::test]
async fn the_custom_store_serves_the_key_that_it_prints() {
    let mut example = Example::start("custom_store");
    let answer = example.line_with("# ").split_off(2);
    let line = example.line_with("curl");
    assert_eq!(curl(&line).await.trim(), answer);
    assert_eq!(
        curl(&format!("curl -s -w '%{{http_code}}\\n' {}/", example.url)).await,
        "401"
    );
    let wrong = "-H 'X-API-Key: demo-token-2'";
    assert_eq!(
        curl(&format!(
            "curl -s -w '%{{http_code}}\\n' {wrong} {}/",
            example.url
        ))
        .await,
        "401"
    );
}

#[tokio::test]
async fn the_custom_store_keeps_the_promises_of_a_key_store() {
    // As another system would have written them: it deletes what is revoked.
    conformance::key_store(async |records| {
        let pool = SqlitePoolOptions::new().max_connections(1);
        let pool = pool.connect("sqlite::memory:").await.unwrap();
        pool.execute(custom_store::TABLE).await.unwrap();
        for record in records.iter().filter(|record| record.revoked.is_none()) {
            let expires = record
                .expires
                .map(|at| at.duration_since(UNIX_EPOCH).unwrap());
            let digits = record
                .digest
                .bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"));
            sqlx::query("INSERT INTO api_tokens VALUES (NULL, $1, $2, $3, '[]', $4)")
                .bind(record.owner.id().to_owned())
                .bind(record.name.to_string())
                .bind(digits.collect::<String>())
                .bind(expires.map(|since| i64::try_from(since.as_secs()).unwrap()))
                .execute(&pool)
                .await
                .unwrap();
        }
        custom_store::ApiTokens(pool)
    })
    .await;
}

#[tokio::test]
async fn the_two_servers_of_distributed_throttle_have_one_limit() {
    let redis = crate::throttle::server::Server::start();
    let mut example = Example::start_with("distributed_throttle", &[("REDIS_URL", &redis.url())]);
    let mut curls = Vec::new();
    for _ in 0..9 {
        let announced = example.line_with("# ");
        let answer = announced.split_once(": ").unwrap().1.to_owned();
        let line = example.line_with("curl");
        assert_eq!(curl(&line).await, answer, "{announced}");
        curls.push(line);
    }
    // The two keys of one owner have forgiven each other nothing, at whichever server.
    for line in [&curls[3], &curls[7], &curls[4], &curls[8]] {
        assert_eq!(curl(line).await, "429", "{line}");
    }
    assert!(example.terminate().success());
}

#[test]
fn the_tonic_server_serves_its_client_with_the_token_that_it_prints() {
    let mut example = Example::start("tonic_server");
    let line = example.line_with("TOKEN=");
    let token = line
        .split_whitespace()
        .next()
        .unwrap()
        .strip_prefix("TOKEN=")
        .unwrap();
    let client = |token: &str| {
        let mut client = Command::new(path_of("tonic_server"));
        let output = client
            .args(["client", &example.url])
            .env("TOKEN", token)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    assert_eq!(client(token), "Serving");
    assert_eq!(client("x.y.z"), "Unauthenticated: The token is not valid.");
    assert!(example.terminate().success());
}

/// A request with a JSON body, and the status and the body of its answer.
async fn ask(
    method: &str,
    url: &str,
    credential: Option<&str>,
    body: Option<Value>,
) -> (u16, Value) {
    let mut request = reqwest::Client::new().request(method.parse().unwrap(), url);
    if let Some(credential) = credential {
        request = request.header("authorization", format!("Bearer {credential}"));
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_str(&response.text().await.unwrap()).unwrap_or_default(),
    )
}

#[tokio::test]
async fn sign_in_runs_the_whole_life_of_a_credential() {
    let example = Example::start("sign_in");
    let at = |path: &str| format!("{}{path}", example.url);
    let text = |value: &Value, name: &str| value[name].as_str().expect(name).to_owned();
    let anna = json!({ "email": "anna@example.com", "password": "correct-horse-battery" });

    let (status, user) = ask("POST", &at("/users/"), None, Some(anna.clone())).await;
    assert_eq!((status, &user["email"]), (201, &json!("anna@example.com")));
    let (status, first) = ask("POST", &at("/token/"), None, Some(anna)).await;
    assert_eq!(status, 200);
    let (status, pair) = ask(
        "POST",
        &at("/refresh/"),
        None,
        Some(json!({ "refresh": first["refresh"] })),
    )
    .await;
    assert_eq!(status, 200);
    assert_ne!(pair["refresh"], first["refresh"]);
    let (access, refresh) = (text(&pair, "access"), text(&pair, "refresh"));

    let (status, key) = ask(
        "POST",
        &at("/api-keys/"),
        Some(&access),
        Some(json!({ "name": "ci" })),
    )
    .await;
    assert_eq!(status, 201);
    let (id, secret) = (text(&key, "id"), text(&key, "key"));
    let orders = async |credential: &str| ask("GET", &at("/orders/"), Some(credential), None).await;
    assert_eq!(
        orders(&secret).await,
        (200, json!({ "caller": user["id"], "method": "API key" }))
    );
    assert_eq!(
        ask("GET", &at("/api-keys/"), Some(&secret), None).await.0,
        403,
        "keys do not manage keys"
    );

    let rotate = at(&format!("/api-keys/{id}/rotate/"));
    let (status, next) = ask(
        "POST",
        &rotate,
        Some(&access),
        Some(json!({ "overlap": 3600 })),
    )
    .await;
    assert_eq!(status, 201);
    for credential in [&secret, &text(&next, "key")] {
        assert_eq!(orders(credential).await.0, 200);
    }
    assert_eq!(
        ask(
            "DELETE",
            &at(&format!("/api-keys/{id}/")),
            Some(&access),
            None
        )
        .await
        .0,
        204
    );
    assert_eq!(orders(&secret).await.0, 401);
    assert_eq!(orders(&text(&next, "key")).await.0, 200);

    assert_eq!(
        ask("POST", &at("/logout/"), Some(&access), None).await.0,
        204
    );
    assert_eq!(orders(&access).await.0, 401);
    let (status, _) = ask(
        "POST",
        &at("/refresh/"),
        None,
        Some(json!({ "refresh": refresh })),
    )
    .await;
    assert_eq!(status, 401);
    assert!(example.terminate().success());
}
