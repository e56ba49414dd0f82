//! Bodies that nobody means well: each gets the stated answer, and changes nothing that it should
//! not.

use super::cases::{By, Case, Held, cases};
use super::world::*;
use crate::support::Reply;
use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body::{Body, Frame};
use http_body_util::Full;
use serde_json::{Map, Value, json};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_auth::format::{Coded, Drf, DrfStandardized};
use tower_auth::store::{ManagedKeyStore, ManagedUserStore, PrivateTokenStore, TokenStore};
use tower_auth::{Subject, Tokens};

const JSON: &[&[u8]] = &[b"application/json"];

/// A body, its content types, and the answer of every route that takes a body; `None` is the
/// route's own success.
struct Row {
    name: &'static str,
    types: &'static [&'static [u8]],
    body: Vec<u8>,
    status: Option<u16>,
}

fn row(name: &'static str, body: impl Into<Vec<u8>>) -> Row {
    Row {
        name,
        types: JSON,
        body: body.into(),
        status: Some(400),
    }
}

/// What is no JSON object, whoever it is for.
fn no_objects() -> Vec<Row> {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(2000), close.repeat(2000));
    vec![
        row("empty", ""),
        row("blank", " \r\n\t "),
        row("null", "null"),
        row("true", "true"),
        row("a number", "7"),
        row("a string", r#""email""#),
        row("an empty array", "[]"),
        row("an array of an object", r#"[{"email":"a"}]"#),
        row("cut off", r#"{"email":"a"#),
        row("a brace", "{"),
        row("a comma at the end", r#"{"email":"a",}"#),
        row("bytes after it", r#"{"email":"a"} x"#),
        row("two objects", r#"{"email":"a"}{"password":"b"}"#),
        row("a byte order mark", "\u{feff}{}"),
        row("UTF-16", b"\xff\xfe{\0}\0".to_vec()),
        row("no UTF-8", b"{\"email\":\"\xff\xfe\"}".to_vec()),
        row("overlong UTF-8", b"{\"email\":\"\xc0\x80\"}".to_vec()),
        row("a lone high surrogate", r#"{"email":"\ud800"}"#),
        row("a lone low surrogate", r#"{"email":"\udc00x"}"#),
        row("a lone surrogate in a name", r#"{"\ud800":"x"}"#),
        row(
            "surrogates in the wrong order",
            r#"{"email":"\udc00\ud800"}"#,
        ),
        row("a NUL outside of a string", b"{\0}".to_vec()),
        row("a NUL in a string", b"{\"email\":\"a\0b\"}".to_vec()),
        row("a line break in a string", "{\"email\":\"a\nb\"}"),
        row("a bad escape", r#"{"email":"\x41"}"#),
        row("NaN", r#"{"overlap":NaN}"#),
        row("Infinity", r#"{"overlap":Infinity}"#),
        row("a number without end", r#"{"overlap":1e400}"#),
        row("a number with a leading zero", r#"{"overlap":01}"#),
        row("single quotes", "{'email':'a'}"),
        row("a comment", r#"{/* */"email":"a"}"#),
        row("a name without quotes", r#"{email:"a"}"#),
        row("a form", "email=a&password=b"),
        row("XML", "<email>a</email>"),
        row("arrays 2000 deep", deep("[", "]")),
        row(
            "a member of arrays 2000 deep",
            format!(r#"{{"x":{}}}"#, deep("[", "]")),
        ),
        row(
            "objects 2000 deep",
            format!("{}1{}", r#"{"x":"#.repeat(2000), "}".repeat(2000)),
        ),
        row(
            "a field of arrays 2000 deep",
            format!(r#"{{"name":{}}}"#, deep("[", "]")),
        ),
        row("brackets without end", "[".repeat(60_000)),
        row("a name twice", r#"{"email":"a","email":"b"}"#),
        row(
            "a name twice, once escaped",
            r#"{"email":"a","\u0065mail":"b"}"#,
        ),
        row("a name twice that nobody reads", r#"{"x":1,"x":1}"#),
    ]
}

/// A body that is fine, of types that are not, and the other way round.
fn wrong_types(good: &[u8]) -> Vec<Row> {
    let typed = |name, types, status| Row {
        name,
        types,
        body: good.to_vec(),
        status,
    };
    let no = Some(415);
    vec![
        typed("no type", &[], no),
        typed("an empty type", &[b""], no),
        typed("text/plain", &[b"text/plain"], no),
        typed("text/json", &[b"text/json"], no),
        typed("a form's type", &[b"application/x-www-form-urlencoded"], no),
        typed("multipart", &[b"multipart/form-data; boundary=x"], no),
        typed("XML's type", &[b"application/xml"], no),
        typed("a longer name", &[b"application/jsonx"], no),
        typed("a shorter name", &[b"application/jso"], no),
        typed("a suffix", &[b"application/vnd.api+json"], no),
        typed("gRPC", &[b"application/grpc"], no),
        typed("a list", &[b"application/json, text/plain"], no),
        typed("a wildcard", &[b"*/*"], no),
        typed("bytes outside of ASCII", &[b"application/json\xe4"], no),
        typed("two fields", &[b"application/json", b"text/plain"], no),
        typed(
            "the same field twice",
            &[b"application/json", b"application/json"],
            no,
        ),
        typed("a parameter", &[b"application/json; charset=utf-8"], None),
        typed("capitals", &[b"APPLICATION/JSON"], None),
        typed("blanks", &[b" application/json ;x=y"], None),
    ]
}

/// A good body made longer by a field that nobody reads.
fn padded(good: &Value, length: usize) -> Vec<u8> {
    let mut body = good.as_object().unwrap().clone();
    body.insert("padding".into(), "".into());
    let empty = Value::Object(body.clone()).to_string().len();
    body.insert("padding".into(), "x".repeat(length - empty).into());
    Value::Object(body).to_string().into_bytes()
}

fn sizes(good: &Value) -> Vec<Row> {
    let sized = |name, body, status| Row {
        name,
        types: JSON,
        body,
        status,
    };
    let mut blank = good.to_string().into_bytes();
    blank.extend([b' '; 70 * 1024]);
    vec![
        sized("70 KiB", padded(good, 70 * 1024), Some(413)),
        sized("a byte too many", padded(good, 64 * 1024 + 1), Some(413)),
        sized("70 KiB of blanks", blank, Some(413)),
        sized("as long as allowed", padded(good, 64 * 1024), None),
    ]
}

fn request(case: &Case, held: &Held, row: &Row) -> Request<Full<Bytes>> {
    let mut request = asking(case.method, &case.path, &held.credential(case.by), None);
    *request.body_mut() = Full::from(row.body.clone());
    for value in row.types {
        request
            .headers_mut()
            .append("content-type", HeaderValue::from_bytes(value).unwrap());
    }
    request
}

fn code(status: u16) -> &'static str {
    match status {
        400 => "validation_error",
        413 => "body_too_large",
        415 => "unsupported_media_type",
        _ => unreachable!(),
    }
}

fn assert_refused(reply: &Reply, status: u16, row: &str) {
    assert_eq!(
        (reply.status.as_u16(), reply.code().as_str()),
        (status, code(status)),
        "{row}"
    );
    assert_eq!(reply.headers["cache-control"], "no-store", "{row}");
    assert!(reply.challenges().is_empty(), "{row}");
}

async fn world() -> (World, Held) {
    let world = World::new().await;
    let held = Held::by_anna(&world).await;
    (world, held)
}

fn taking_bodies(held: &Held) -> Vec<Case> {
    cases(held).into_iter().filter(Case::takes_body).collect()
}

#[tokio::test]
async fn a_body_that_is_no_json_object_of_a_fair_size_is_refused_and_changes_nothing() {
    let (world, held) = world().await;
    let tokens = [access(&held.pair)];
    let before = world.dump(&tokens).await;
    let mut rows = 0;
    for case in taking_bodies(&held) {
        let good = case.body.as_ref().unwrap();
        let all = no_objects()
            .into_iter()
            .chain(wrong_types(good.to_string().as_bytes()))
            .chain(sizes(good));
        for row in all.filter(|row| row.status.is_some()) {
            rows += 1;
            let told = format!("{}: {}", case.name, row.name);
            let reply = world.send(request(&case, &held, &row)).await;
            assert_refused(&reply, row.status.unwrap(), &told);
        }
        assert_eq!(world.dump(&tokens).await, before, "{}", case.name);
    }
    assert_eq!(
        world.users().argon2_runs(),
        0,
        "nothing was hashed for any of them"
    );
    assert!(rows >= 600, "only {rows} rows");
}

#[tokio::test]
async fn a_body_that_looks_odd_and_is_right_is_read() {
    let (_, held) = world().await;
    for number in 0..taking_bodies(&held).len() {
        let odd = |held: &Held| -> Vec<Row> {
            let good = taking_bodies(held)[number].body.clone().unwrap();
            let all = wrong_types(good.to_string().as_bytes())
                .into_iter()
                .chain(sizes(&good));
            all.filter(|row| row.status.is_none()).collect()
        };
        for at in 0..odd(&held).len() {
            let (world, held) = world().await;
            let (case, row) = (&taking_bodies(&held)[number], &odd(&held)[at]);
            let reply = world.send(request(case, &held, row)).await;
            assert_eq!(
                reply.status.as_u16(),
                case.status,
                "{}: {}",
                case.name,
                row.name
            );
        }
    }
}

#[tokio::test]
async fn a_body_without_a_length_one_that_lies_about_it_and_one_that_breaks_off() {
    type Frames = Vec<Result<Frame<Bytes>, io::Error>>;
    let chunk = |bytes: &[u8]| Ok(Frame::data(Bytes::copy_from_slice(bytes)));
    let (world, held) = world().await;
    let before = world.dump(&[access(&held.pair)]).await;
    for case in taking_bodies(&held) {
        let good = case.body.as_ref().unwrap().to_string().into_bytes();
        let (head, tail) = good.split_at(good.len() / 2);
        let lost = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
        let endless: Frames = (0..20).map(|_| chunk(&[b' '; 4096])).collect();
        let rows: [(&str, Option<&str>, Frames, u16); 5] = [
            ("80 KiB without a length", None, endless, 413),
            ("breaks off", None, vec![chunk(head), lost()], 400),
            ("breaks off at once", None, vec![lost()], 400),
            ("announces 70 KiB", Some("71680"), vec![chunk(&good)], 413),
            (
                "announces more than there is",
                Some("18446744073709551615"),
                vec![chunk(&good)],
                413,
            ),
        ];
        for (name, length, frames, status) in rows {
            let mut request = asking(case.method, &case.path, &held.credential(case.by), None)
                .map(|_| Pieces(frames.into_iter()));
            let headers = request.headers_mut();
            headers.insert("content-type", HeaderValue::from_static("application/json"));
            if let Some(length) = length {
                headers.insert("content-length", HeaderValue::from_static(length));
            }
            let reply = world.send(request).await;
            assert_refused(&reply, status, &format!("{}: {name}", case.name));
        }
        assert_eq!(
            world.dump(&[access(&held.pair)]).await,
            before,
            "{}",
            case.name
        );
        if case.name == "verify" {
            let frames: Frames = vec![chunk(head), chunk(b""), chunk(tail)];
            let mut request =
                asking(case.method, &case.path, "", None).map(|_| Pieces(frames.into_iter()));
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert("content-type", json);
            assert_eq!(
                world.send(request).await.status,
                200,
                "in pieces it is whole"
            );
        }
    }
}

/// Frames that are there already, and no length.
struct Pieces(std::vec::IntoIter<Result<Frame<Bytes>, io::Error>>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(self.0.next())
    }
}

/// Which values a field does not take.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Text,
    Password,
    Time,
    OptionalText,
    OptionalTime,
    Number,
    Texts,
}

/// The fields of each route, by its name.
const FIELDS: [(&str, &[(&str, Kind)]); 11] = [
    (
        "sign in",
        &[("email", Kind::Text), ("password", Kind::Password)],
    ),
    ("refresh", &[("refresh", Kind::Text)]),
    ("verify", &[("token", Kind::Text)]),
    (
        "change password",
        &[
            ("current_password", Kind::Password),
            ("new_password", Kind::Password),
        ],
    ),
    (
        "register",
        &[
            ("email", Kind::Text),
            ("password", Kind::Password),
            ("first_name", Kind::OptionalText),
        ],
    ),
    (
        "change a user",
        &[
            ("email", Kind::OptionalText),
            ("first_name", Kind::OptionalText),
        ],
    ),
    (
        "new key",
        &[
            ("name", Kind::Text),
            ("expires_at", Kind::OptionalTime),
            ("scopes", Kind::Texts),
        ],
    ),
    ("rename a key", &[("name", Kind::OptionalText)]),
    ("rotate a key", &[("overlap", Kind::Number)]),
    (
        "new private token",
        &[("name", Kind::Text), ("expires_at", Kind::Time)],
    ),
    (
        "rotate a private token",
        &[("expires_at", Kind::OptionalTime)],
    ),
];

/// Values that a field of that kind does not take, and the code of what is wrong; `None` is no
/// field at all.
fn bad_values(kind: Kind) -> Vec<(Option<Value>, &'static str)> {
    let wrong = |values: Vec<Value>| values.into_iter().map(|value| (Some(value), "invalid"));
    let mut bad: Vec<(Option<Value>, &'static str)> = match kind {
        Kind::Text | Kind::Password | Kind::OptionalText => {
            let objects = vec![
                json!(7),
                json!(true),
                json!(1.5),
                json!([]),
                json!(["a"]),
                json!({}),
            ];
            let blank = [(Some(json!("")), "blank"), (Some(json!(null)), "null")];
            wrong(objects)
                .chain(wrong(vec![json!({ "$ne": null })]))
                .chain(blank)
                .collect()
        }
        Kind::Time | Kind::OptionalTime => {
            let texts = [
                "",
                " ",
                "tomorrow",
                "2027-13-01T00:00:00Z",
                "2027-02-01",
                "1800000100",
            ]
            .map(Value::from);
            wrong(
                [
                    texts.to_vec(),
                    vec![json!(1_800_000_100), json!(true), json!([]), json!({})],
                ]
                .concat(),
            )
            .chain([(Some(json!("2020-01-01T00:00:00Z")), "invalid")])
            .collect()
        }
        Kind::Number => wrong(vec![
            json!(-1),
            json!(1.5),
            json!("60"),
            json!(null),
            json!(true),
            json!([60]),
            json!({}),
            json!(1e30),
        ])
        .collect(),
        Kind::Texts => {
            let many: Vec<String> = (0..5_000).map(|n| format!("s{n}")).collect();
            wrong(vec![
                json!(null),
                json!("reports:read"),
                json!({}),
                json!([7]),
                json!([null]),
                json!([[]]),
            ])
            .chain([(Some(json!(many)), "max_length")])
            .collect()
        }
    };
    if matches!(kind, Kind::Text | Kind::OptionalText) {
        bad.extend([
            (Some(json!(" \t ")), "blank"),
            (Some(json!("a\u{0}b")), "null_characters_not_allowed"),
            (Some(json!("x".repeat(9_000))), "max_length"),
        ]);
    }
    if kind == Kind::Time {
        bad.push((Some(Value::Null), "null"));
    }
    if matches!(kind, Kind::Text | Kind::Password | Kind::Time) {
        bad.push((None, "required"));
    }
    bad
}

#[tokio::test]
async fn a_field_that_is_missing_or_wrong_is_named_and_nothing_changes() {
    let (world, held) = world().await;
    let tokens = [access(&held.pair)];
    let before = world.dump(&tokens).await;
    let mut rows = 0;
    for (name, fields) in FIELDS {
        let case = taking_bodies(&held)
            .into_iter()
            .find(|case| case.name == name)
            .unwrap();
        for (field, kind) in fields {
            for (value, code) in bad_values(*kind) {
                rows += 1;
                let mut body = case.body.clone().unwrap();
                match &value {
                    Some(value) => body[field] = value.clone(),
                    None => drop(body.as_object_mut().unwrap().remove(*field)),
                }
                let row = format!("{name}: {field} is {value:.60?}");
                let request = asking(
                    case.method,
                    &case.path,
                    &held.credential(case.by),
                    Some(&body),
                );
                let reply = world.send(request).await;
                assert_refused(&reply, 400, &row);
                let errors = reply.json()["errors"].clone();
                assert_eq!(errors.as_array().map(Vec::len), Some(1), "{row}: {errors}");
                let told = (errors[0]["pointer"].as_str(), errors[0]["code"].as_str());
                assert_eq!(told, (Some(&*format!("#/{field}")), Some(code)), "{row}");
                assert!(
                    reply.text().len() < 600,
                    "{row}: what was sent is not repeated"
                );
            }
        }
        assert_eq!(world.dump(&tokens).await, before, "{name}");
    }
    assert_eq!(
        FIELDS.len(),
        taking_bodies(&held).len(),
        "no route is left out"
    );
    assert!(rows >= 150, "only {rows} rows");
}

#[tokio::test]
async fn names_and_passwords_that_cannot_be_ones_are_refused() {
    let (world, held) = world().await;
    let tokens = [access(&held.pair)];
    let before = world.dump(&tokens).await;
    // 254 bytes, of which 64 are the most before the `@` (RFC 5321 §4.5.3.1).
    let longest = format!(
        "{}@{}ex.com",
        "n".repeat(64),
        format!("{}.", "d".repeat(60)).repeat(3)
    );
    let good = "tests only: Klammer-Heftung";
    let registrations = [
        (
            json!({ "email": ANNA, "password": good }),
            "email",
            "unique",
        ),
        (
            json!({ "email": "ANNA@example.COM", "password": good }),
            "email",
            "unique",
        ),
        (
            json!({ "email": "anna", "password": good }),
            "email",
            "invalid",
        ),
        (
            json!({ "email": " carl@example.com", "password": good }),
            "email",
            "invalid",
        ),
        (
            json!({ "email": "carl@example.com\n", "password": good }),
            "email",
            "invalid",
        ),
        (
            json!({ "email": "carl\u{7f}@example.com", "password": good }),
            "email",
            "invalid",
        ),
        (
            json!({ "email": "a:b@example.com", "password": good }),
            "email",
            "invalid",
        ),
        (
            json!({ "email": format!("{longest}m"), "password": good }),
            "email",
            "max_length",
        ),
        (
            // Of each letter eighteen would be made.
            json!({ "email": "\u{fdfa}".repeat(2_000), "password": good }),
            "email",
            "max_length",
        ),
        (
            json!({ "email": "carl@example.com", "password": "short" }),
            "password",
            "password_too_short",
        ),
        (
            json!({ "email": "carl@example.com", "password": "carl@example.com" }),
            "password",
            "password_too_similar",
        ),
        (
            json!({ "email": "carl@example.com", "password": "password1" }),
            "password",
            "password_too_common",
        ),
        (
            json!({ "email": "carl@example.com", "password": "é".repeat(513) }),
            "password",
            "password_too_long",
        ),
    ];
    for (body, field, code) in registrations {
        let reply = world.post("/users/", "", body).await;
        assert_refused(&reply, 400, field);
        let error = &reply.json()["errors"][0];
        assert_eq!(
            (error["pointer"].as_str(), error["code"].as_str()),
            (Some(&*format!("#/{field}")), Some(code))
        );
        assert!(!reply.text().contains("Klammer"), "no password comes back");
    }
    let annas = held.credential(By::Access);
    for (body, code) in [
        (json!({ "email": BEN }), "unique"),
        (json!({ "email": "x".repeat(255) }), "max_length"),
        (json!({ "email": "a\tb" }), "invalid"),
    ] {
        let reply = world
            .send(asking("PATCH", "/users/7/", &annas, Some(&body)))
            .await;
        assert_refused(&reply, 400, code);
        assert_eq!(reply.json()["errors"][0]["code"], code);
    }
    let key = format!("/api-keys/{}/", held.key.record.id);
    let expires = "2027-01-20T00:00:00Z";
    for (name, code) in [
        ("x".repeat(201), "max_length"),
        ("a\u{1b}[31m".into(), "invalid"),
        ("a\r\nb".into(), "invalid"),
    ] {
        for (method, path) in [
            ("POST", "/api-keys/"),
            ("PATCH", &key),
            ("POST", "/private-tokens/"),
        ] {
            let body = json!({ "name": name, "expires_at": expires });
            let reply = world.send(asking(method, path, &annas, Some(&body))).await;
            assert_refused(&reply, 400, path);
            assert_eq!(reply.json()["errors"][0]["code"], code, "{method} {path}");
        }
    }
    assert_eq!(world.dump(&tokens).await, before);
    assert_eq!(
        world
            .post("/users/", "", json!({ "email": longest, "password": good }))
            .await
            .status,
        201
    );
}

/// What an attacker would like to have set.
fn extras() -> Map<String, Value> {
    let extras = json!({
        "is_admin": true, "is_staff": true, "is_superuser": true, "admin": true,
        "role": "admin", "roles": ["admin"], "scope": "admin", "id": "1", "user_id": "8",
        "user": "8", "owner": "8", "owner_id": "8", "sub": "8", "email_verified": true,
        "active": true, "is_active": true, "company": 99, "metadata": { "team": 9 },
        "rate": "9999/s", "password_hash": "$argon2id$", "hash": "x", "digest": "x",
        "key": "egret_x", "prefix": "x", "hint": "x", "created": "2020-01-01T00:00:00Z",
        "revoked": false, "lineage": "1", "names": ["root"], "profile": { "company": 99 },
        "access_lifetime": 1e9, "token_type": "access", "iss": "x", "jti": "x", "sid": "x",
        "__proto__": { "admin": true }, "constructor": {}, "": 1, "$where": "1", "email[]": "x",
    });
    extras.as_object().unwrap().clone()
}

/// The good body of a route and what an attacker would like to add.
fn with_extras(case: &Case) -> Value {
    let mut body = extras();
    if case.name != "new key" {
        body.insert("scopes".into(), json!(["admin"]));
    }
    if case.name != "new key" && case.name != "new private token" {
        body.insert("expires_at".into(), "2099-01-01T00:00:00Z".into());
    }
    body.extend(case.body.clone().unwrap().as_object().unwrap().clone());
    Value::Object(body)
}

#[tokio::test]
async fn a_field_that_nobody_asked_for_is_ignored_and_assigns_nothing() {
    let (_, held) = world().await;
    for number in 0..taking_bodies(&held).len() {
        let run = async |with: bool| {
            let (world, held) = world().await;
            let case = &taking_bodies(&held)[number];
            let body = if with {
                with_extras(case)
            } else {
                case.body.clone().unwrap()
            };
            let request = asking(
                case.method,
                &case.path,
                &held.credential(case.by),
                Some(&body),
            );
            let reply = world.send(request).await;
            assert_eq!(
                reply.status.as_u16(),
                case.status,
                "{}: {reply:?}",
                case.name
            );
            let (name, state) = (case.name, without_ids(&world, &held).await);
            (name, reply, state)
        };
        let ((name, plain, expected), (_, reply, state)) = (run(false).await, run(true).await);
        assert_eq!(state, expected, "{name}");
        if !plain.body.is_empty() {
            let names = |reply: &Reply| {
                reply
                    .json()
                    .as_object()
                    .unwrap()
                    .keys()
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(names(&reply), names(&plain), "{name}");
        }
        for token in ["access", "token"]
            .into_iter()
            .filter_map(|token| plain_text(&reply, token))
        {
            let said = claims(&token);
            assert_eq!(
                (&said["sub"], &said["iss"]),
                (&json!("7"), &json!(ISSUER)),
                "{name}"
            );
            assert_eq!(
                (&said["roles"], &said["scope"]),
                (&json!(["staff"]), &json!("reports:read reports:write"))
            );
        }
    }
}

fn plain_text(reply: &Reply, member: &str) -> Option<String> {
    let body: Value = serde_json::from_slice(&reply.body).ok()?;
    body[member].as_str().map(str::to_owned)
}

/// All users, keys and private tokens with all that is granted to them, but for what is random.
async fn without_ids(world: &World, held: &Held) -> Vec<String> {
    let mut state = Vec::new();
    for user in world.memory.list_users(None, 100).await.unwrap() {
        let rights = (&user.scopes, &user.roles, user.rate);
        let kept = (&user.names, user.state, user.created, &user.profile);
        let is_known = ["7", "8"].contains(&user.id.id());
        state.push(format!("{is_known} {rights:?} {kept:?}"));
        let keys = world.memory.list_keys(&user.id, None, 1_000);
        for key in keys.await.unwrap() {
            let rights = (&key.scopes, &key.roles, key.rate, &key.metadata);
            let is_rotated = key.successor.is_some();
            let times = (key.created, key.expires, key.revoked, is_rotated);
            state.push(format!(
                "{:?} {:?} {rights:?} {times:?}",
                key.owner, key.name
            ));
        }
        let private = world.memory.list_private_tokens(&user.id, None, 1_000);
        for token in private.await.unwrap() {
            let times = (token.created, token.expires, token.revoked);
            state.push(format!("{:?} {:?} {times:?}", token.owner, token.name));
        }
    }
    let sid = claims(access(&held.pair))["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let family = world.memory.find_family(&sid).await.unwrap().unwrap();
    state.push(format!(
        "{:?} {} {:?}",
        family.subject, family.grants, family.ends
    ));
    let strangers = world
        .memory
        .list_keys(&Subject::user("1"), None, 1_000)
        .await
        .unwrap();
    assert!(strangers.is_empty());
    state.sort_unstable();
    state
}

#[tokio::test]
async fn every_format_names_the_fields_that_are_wrong() {
    let body = json!({ "password": 7 });
    let ask = async |plan: Plan| {
        let reply = World::of(plan)
            .await
            .post("/token/", "", body.clone())
            .await;
        assert_eq!(reply.status, 400);
        (
            reply.headers["content-type"].to_str().unwrap().to_owned(),
            reply.json(),
        )
    };
    let (content_type, problem) = ask(Plan::default()).await;
    assert_eq!(content_type, "application/problem+json");
    let pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| &error["pointer"])
        .collect();
    assert_eq!(pointers, ["#/email", "#/password"]);
    let (_, drf) = ask(Plan {
        layer: |layer| layer.format(Drf),
        ..Plan::default()
    })
    .await;
    let expected =
        json!({ "email": ["This field is required."], "password": ["Not a valid string."] });
    assert_eq!(drf, expected);
    let (_, standardized) = ask(Plan {
        layer: |layer| layer.format(DrfStandardized),
        ..Plan::default()
    })
    .await;
    let error = |code: &str, detail: &str, attr: &str| {
        let extra = Value::Null;
        json!({ "code": code, "detail": detail, "attr": attr, "extra": extra })
    };
    assert_eq!(
        standardized,
        json!({
            "type": "validation_error",
            "errors": [
                error("required", "This field is required.", "email"),
                error("invalid", "Not a valid string.", "password"),
            ],
        })
    );
    let (_, coded) = ask(Plan {
        layer: |layer| layer.format(Coded),
        ..Plan::default()
    })
    .await;
    assert_eq!(
        (&coded["error"], &coded["details"]),
        (&json!("validation_error"), &expected)
    );
}

#[tokio::test]
async fn every_format_tells_a_body_as_a_whole_that_is_wrong() {
    let ask = async |plan: Plan| {
        let world = World::of(plan).await;
        let mut request = asking("POST", "/token/", "", Some(&json!({})));
        *request.body_mut() = Full::from("{");
        world.send(request).await.json()
    };
    assert_eq!(ask(Plan::default()).await["code"], "validation_error");
    assert_eq!(
        ask(Plan {
            layer: |layer| layer.format(Drf),
            ..Plan::default()
        })
        .await["code"],
        "parse_error"
    );
    let standardized = ask(Plan {
        layer: |layer| layer.format(DrfStandardized),
        ..Plan::default()
    })
    .await;
    assert_eq!(
        (&standardized["type"], &standardized["errors"][0]["code"]),
        (&json!("client_error"), &json!("parse_error"))
    );
    let coded = ask(Plan {
        layer: |layer| layer.format(Coded),
        ..Plan::default()
    })
    .await;
    assert_eq!(
        (&coded["error"], &coded["details"]),
        (&json!("validation_error"), &json!({}))
    );
}

#[tokio::test]
async fn a_refusal_says_of_a_genuine_token_only_in_format_coded_what_is_wrong_with_it() {
    let plan = |coded: bool| Plan {
        tokens: |tokens: Tokens| tokens.grace(std::time::Duration::ZERO),
        layer: if coded {
            |layer| layer.format(Coded)
        } else {
            |layer| layer.format(Drf)
        },
        ..Plan::default()
    };
    for coded in [true, false] {
        let world = World::of(plan(coded)).await;
        let (old, rotated) = (world.sign_in("7").await, world.sign_in("7").await);
        drop(world.tokens().refresh(refresh(&rotated)).await.unwrap());
        let code = async |token: &str| {
            let reply = world
                .post("/refresh/", "", json!({ "refresh": token }))
                .await;
            assert_eq!(reply.status, 401);
            let member = if coded { "error" } else { "code" };
            reply.json()[member].as_str().unwrap().to_owned()
        };
        let revoked = code(refresh(&rotated)).await;
        let forged = code(&tampered(refresh(&old))).await;
        let access_token = code(access(&old)).await;
        world.pass(31 * 86_400);
        let expired = code(refresh(&old)).await;
        let expected = if coded {
            [
                "token_revoked",
                "token_invalid",
                "token_invalid",
                "token_expired",
            ]
        } else {
            ["token_not_valid"; 4]
        };
        assert_eq!(
            [revoked, forged, access_token, expired],
            expected,
            "{coded}"
        );
    }
}
