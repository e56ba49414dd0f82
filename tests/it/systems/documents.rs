//! The document that each of them serves: whole, and true of who comes without a credential.

use super::client::System;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const DOCUMENTS: [(&str, &str); 5] = [
    ("ngenea_hub", "/api/schema/"),
    ("egret", "/openapi.json"),
    ("rag_chats", "/api/schema/"),
    ("private_tokens", "/api/v1/schema/"),
    ("jina_connect", "/schema/"),
];

/// All that a document refers to.
fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn assert_is_whole(document: &Value, row: &str) {
    let mut found = BTreeSet::new();
    references(document, &mut found);
    for reference in found {
        let is_there = document
            .pointer(reference.trim_start_matches('#'))
            .is_some();
        assert!(is_there, "{row}: {reference}");
    }
    let schemes = document["components"]["securitySchemes"]
        .as_object()
        .unwrap();
    let mut ids = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            let row = format!("{row} {id}");
            assert!(ids.insert(id), "{row}");
            for requirement in operation["security"].as_array().expect(&row) {
                let names = requirement.as_object().unwrap().keys();
                names.for_each(|name| assert!(schemes.contains_key(name), "{row}: {name}"));
            }
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let row = format!("{row} {status}: {answer}");
                assert_ne!(answer["description"].as_str().unwrap_or(""), "", "{row}");
                let has_body = answer["content"].is_object();
                assert!(
                    has_body || ["204", "304"].contains(&status.as_str()),
                    "{row}"
                );
            }
        }
    }
}

#[tokio::test]
async fn each_serves_a_document_that_is_whole_and_true_of_who_comes_without_a_credential() {
    for (name, path) in DOCUMENTS {
        let system = System::start(name);
        let document = system.get(path, "").await.is(200).json();
        assert_is_whole(&document, name);
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let row = format!("{name} {method} {path}");
                let path = path.replace(['{', '}'], "");
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let body = match operation.get("requestBody") {
                    Some(_) => json!({}),
                    None => Value::Null,
                };
                let answer = system.send(method, &path, "", body).await;
                let described = &operation["responses"][answer.status.as_str()];
                assert!(described.is_object(), "{row}: {answer:?}");
                let is_closed = operation["security"] != json!([]);
                assert_eq!(answer.status == 401, is_closed, "{row}: {answer:?}");
                let content_type = answer.headers.get("content-type");
                let Some(content_type) = content_type.map(|value| value.to_str().unwrap()) else {
                    continue;
                };
                assert!(
                    described["content"][content_type].is_object(),
                    "{row}: {answer:?}"
                );
            }
        }
        system.stop().await;
    }
}
