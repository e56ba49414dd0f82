//! What all of them take from `tower_auth::server`.

use super::client::{System, bearer};
use crate::process::Example;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test]
async fn a_stop_finishes_the_request_in_flight_takes_no_other_and_exits_0() {
    let example = Example::start("rag_chats");
    let address = example.url.strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let body =
        json!({ "email": "user@example.com", "password": "correct-horse-battery" }).to_string();
    let head = format!(
        "POST /api/auth/login/ HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut goes_on = [0; 25];
    stream.read_exact(&mut goes_on).await.unwrap();
    assert_eq!(
        &goes_on, b"HTTP/1.1 100 Continue\r\n\r\n",
        "its body is waited for"
    );

    example.tell_to_stop();
    while TcpStream::connect(&address).await.is_ok() {}
    stream.write_all(body.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("\"access\""),
        "{answer}"
    );
    assert_eq!(example.wait().code(), Some(0));
}

#[tokio::test]
async fn without_a_secret_of_its_own_each_start_has_another() {
    let (first, second) = (Example::start("rag_chats"), Example::start("rag_chats"));
    let body = json!({ "email": "user@example.com", "password": "correct-horse-battery" });
    let sign_in = reqwest::Client::new()
        .post(format!("{}/api/auth/login/", first.url))
        .json(&body);
    let pair: serde_json::Value = sign_in.send().await.unwrap().json().await.unwrap();
    let access = bearer(pair["access"].as_str().unwrap());
    let status = async |example: &Example| {
        let url = format!("{}/api/agents/", example.url);
        let request = reqwest::Client::new()
            .get(url)
            .header("authorization", &access);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!((status(&first).await, status(&second).await), (200, 401));
}

#[test]
fn an_environment_that_cannot_be_read_stops_the_start_and_is_named() {
    let wrong = [
        ("ACCESS_TOKEN_LIFETIME", "soon"),
        ("ROTATE_REFRESH_TOKENS", "maybe"),
    ];
    let output = Example::fails_to_start("rag_chats", &wrong);
    for name in ["ACCESS_TOKEN_LIFETIME", "ROTATE_REFRESH_TOKENS"] {
        assert!(output.contains(name), "{output}");
    }
    let output = Example::fails_to_start("rag_chats", &[("JWT_SECRET", "short")]);
    assert!(
        output.contains("32 bytes") && !output.contains("\"short\""),
        "{output}"
    );
}

#[test]
fn a_start_without_its_store_ends_with_a_sentence_that_says_why() {
    let nowhere = [("DATABASE_URL", "sqlite:/no/such/directory/auth.db")];
    let output = Example::fails_to_start("rag_chats", &nowhere);
    let last = output.lines().last().unwrap();
    assert!(
        last.starts_with("Error: the store is unavailable: "),
        "{output}"
    );
    assert!(last.contains("unable to open database file"), "{output}");
    let unknown = [("DATABASE_URL", "mysql://db.example.com/auth")];
    let output = Example::fails_to_start("rag_chats", &unknown);
    assert!(output.contains("Error: the store cannot"), "{output}");
    assert!(!output.contains("StoreError"), "{output}");
}

#[tokio::test]
async fn the_access_token_of_one_system_is_no_good_at_another() {
    let (chats, hub) = (System::start("rag_chats"), System::start("ngenea_hub"));
    // The same secret, another issuer.
    let (access, _) = chats
        .sign_in("/api/auth/login/", "email", "user@example.com")
        .await;
    chats.get("/api/agents/", &bearer(&access)).await.is(200);
    hub.get("/api/jobs/", &bearer(&access)).await.is(401);
}
