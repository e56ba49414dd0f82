//! What a document says of each endpoint is what the endpoint does: every answer that is described
//! is given, in that form and with those fields, and no other is.

use super::cases::{By, Held, cases};
use super::world::*;
use crate::support::Reply;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body, Frame};
use http_body_util::{Either, Full};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tower_auth::api_key::KeyIds;
use tower_auth::endpoint::{
    EndpointsBuilder, Introspect, IssuerMetadata, ResourceMetadata, Revoke,
};
use tower_auth::format::{Coded, Drf, DrfStandardized, Problem};
use tower_auth::layer::AuthLayerBuilder;
use tower_auth::test_util::{Intercept, TokenMint};
use tower_auth::throttle::{QuotaFields, Throttle};
use tower_auth::{Grant, Jwt, KeyRequest, Requirement, Scope, Subject};
use utoipa::Modify;
use utoipa::openapi::OpenApi;

const ELSEWHERE: &str = "https://login.example.com";
/// For tests only.
const OTHER_SECRET: &str = "Jd9Hs2Lf7Gc4Ty8Zq3Vt1Kp6Wm0Xr5Bn";

/// What speaks against a value, by the schema of a document.
fn fit(schema: &Value, value: &Value, document: &Value) -> Result<(), String> {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let options = jsonschema::draft202012::options();
    let validator = options.should_validate_formats(true).build(&whole).unwrap();
    validator
        .validate(value)
        .map_err(|wrong| format!("{wrong} in {value}"))
}

/// How many requests are allowed, by whomever.
const MOST: u32 = 150;

fn all(endpoints: EndpointsBuilder, services: &Services) -> EndpointsBuilder {
    let tokens = &services.tokens;
    every(endpoints, services)
        .mount("/introspect/", Introspect::of(tokens))
        .mount("/revoke/", Revoke::of(tokens))
        .mount("/issuer/", IssuerMetadata::of(tokens))
        .mount(
            "/resource/",
            ResourceMetadata::new("https://api.example.com/mcp"),
        )
}

/// It takes others' tokens too, and counts.
fn common(layer: AuthLayerBuilder) -> AuthLayerBuilder {
    let others = Jwt::hs256(OTHER_SECRET).issuer(ELSEWHERE).audience("api");
    let counted = Throttle::per(format!("{MOST}/day").as_str(), |_| Some(b"all"[..].into()));
    layer
        .accept(others)
        .throttle(counted)
        .quota_fields(QuotaFields::Both)
}

fn plan(layer: fn(AuthLayerBuilder) -> AuthLayerBuilder) -> Plan {
    Plan {
        layer,
        endpoints: all,
        ..Plan::default()
    }
}

/// The four formats.
fn plans() -> [(&'static str, Plan); 4] {
    [
        ("problem", plan(|layer| common(layer).format(Problem))),
        ("drf", plan(|layer| common(layer).format(Drf))),
        (
            "drf_standardized",
            plan(|layer| common(layer).format(DrfStandardized)),
        ),
        ("coded", plan(|layer| common(layer).format(Coded))),
    ]
}

fn document(world: &World) -> Value {
    let mut document = OpenApi::default();
    world.endpoints.modify(&mut document);
    world.auth.security_schemes().modify(&mut document);
    serde_json::to_value(document).unwrap()
}

/// The description of each route, by its method and its pattern.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let key = (method.to_uppercase(), path.clone());
            operations.insert(key, operation.clone());
        }
    }
    operations
}

/// A request that can be made again.
#[derive(Clone, Debug)]
struct Ask {
    method: String,
    path: String,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    fields: Vec<(&'static str, String)>,
    stalls: bool,
}

type AskBody = Either<Full<Bytes>, Stalled>;

/// A body that never comes.
struct Stalled;

impl Body for Stalled {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Pending
    }
}

impl Ask {
    fn request(&self) -> Request<AskBody> {
        let mut request = Request::builder().method(&*self.method).uri(&self.path);
        if let Some(content_type) = self.content_type {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &self.fields {
            request = request.header(*name, value);
        }
        let body = if self.stalls {
            Either::Right(Stalled)
        } else {
            Either::Left(Full::from(self.body.clone()))
        };
        request.body(body).unwrap()
    }

    fn by(&self, credential: &str) -> Self {
        let mut ask = self.clone();
        ask.fields.retain(|(name, _)| *name != "authorization");
        if !credential.is_empty() {
            ask.fields.push(("authorization", credential.to_owned()));
        }
        ask
    }

    fn with(&self, name: &'static str, value: &str) -> Self {
        let mut ask = self.clone();
        ask.fields.push((name, value.to_owned()));
        ask
    }

    fn saying(&self, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let mut ask = self.clone();
        ask.content_type = Some(content_type);
        ask.body = body.into();
        ask
    }

    /// The same of something that is not there, where the pattern has a parameter.
    fn of_another(&self, pattern: &str) -> Option<Self> {
        let at = pattern.split('/').position(|part| part.starts_with('{'))?;
        let mut parts: Vec<&str> = self.path.split('/').collect();
        parts[at] = "0123456789012345678901";
        let mut ask = self.clone();
        ask.path = parts.join("/");
        Some(ask)
    }

    /// All that is asked of each route to hear what it answers, but for what breaks.
    fn variants(&self, pattern: &str, credentials: &[String]) -> Vec<Self> {
        let mut all = vec![
            self.clone(),
            self.with("if-none-match", "*"),
            self.with("x-api-key", "egret_another"),
            self.by(""),
            self.by("Bearer a.b.c"),
        ];
        all.extend(credentials.iter().map(|credential| self.by(credential)));
        all.extend(self.of_another(pattern));
        if let Some(own) = self.content_type {
            let many = vec![b' '; 70 * 1024];
            let wrong = r#"{"email":"anna@example.com","password":"wrong","refresh":"a.b.c","token":"a.b.c"}"#;
            all.extend([
                self.saying(own, many),
                self.saying("text/plain", "x"),
                self.saying(own, "["),
                self.saying(own, wrong),
            ]);
            let mut stalled = self.clone();
            stalled.stalls = true;
            all.push(stalled);
        }
        all
    }
}

/// One good request to each route of these tests, with the pattern of its path.
fn good(held: &Held, service: &str) -> Vec<(String, Ask)> {
    let mut good = Vec::new();
    for case in cases(held) {
        let mut pattern = case.path.clone();
        for (id, name) in [
            (&*held.key.record.id, "{key_id}"),
            (&*held.private.record.id, "{token_id}"),
        ] {
            pattern = pattern.replace(id, name);
        }
        let pattern = pattern.replace("/users/7/", "/users/{user_id}/");
        let body = case.body.as_ref().map(Value::to_string);
        let ask = Ask {
            method: case.method.to_owned(),
            path: case.path.clone(),
            content_type: body.as_ref().map(|_| "application/json"),
            body: body.unwrap_or_default().into_bytes(),
            fields: Vec::new(),
            stalls: false,
        };
        good.push((pattern, ask.by(&held.credential(case.by))));
    }
    let token = format!("token={}", access(&held.pair)).into_bytes();
    for (method, path, body) in [
        ("POST", "/introspect/", Some(token.clone())),
        ("POST", "/revoke/", Some(token)),
        ("GET", "/issuer/", None),
        ("GET", "/resource/", None),
    ] {
        let ask = Ask {
            method: method.to_owned(),
            path: path.to_owned(),
            content_type: body.as_ref().map(|_| "application/x-www-form-urlencoded"),
            body: body.unwrap_or_default(),
            fields: Vec::new(),
            stalls: false,
        };
        good.push((path.to_owned(), ask.by(service)));
    }
    good
}

/// A world, what anna holds in it, who may ask about tokens, and all kinds of callers.
struct Stage {
    world: World,
    held: Held,
    service: String,
    credentials: Vec<String>,
}

impl Stage {
    async fn of(plan: Plan) -> Self {
        let world = World::of(plan).await;
        let held = Held::by_anna(&world).await;
        let asks = KeyRequest::new(Subject::user("8"), "service").scope("introspect");
        let service = world.keys().issue(asks).await.unwrap();
        let service = bearing(service.key.expose());
        let credentials = credentials(&world, &held).await;
        world.script.forget();
        Self {
            world,
            held,
            service,
            credentials,
        }
    }

    /// One good request to each route, with the pattern of its path.
    fn good(&self) -> Vec<(String, Ask)> {
        good(&self.held, &self.service)
    }

    fn ask(&self, number: usize) -> Ask {
        self.good().swap_remove(number).1
    }

    fn variants(&self, number: usize) -> Vec<Ask> {
        let (pattern, ask) = self.good().swap_remove(number);
        ask.variants(&pattern, &self.credentials)
    }
}

/// Each may something, and not another thing.
async fn credentials(world: &World, held: &Held) -> Vec<String> {
    let by = [By::Access, By::Key, By::Private, By::Basic];
    let mut all: Vec<String> = by.iter().map(|by| held.credential(*by)).collect();
    let foreign = json!({ "iss": ELSEWHERE, "aud": "api", "sub": "7", "exp": 4_000_000_000_u64 });
    all.push(bearing(&TokenMint::hs256(OTHER_SECRET).sign(&foreign)));
    let tenant = KeyRequest::new(Subject::new("tenant", "3"), "ci");
    let tenant = world.keys().issue(tenant).await.unwrap();
    all.push(bearing(tenant.key.expose()));
    let ghost = Grant::new(Subject::user("nobody in the store"));
    all.push(bearing(access(&world.tokens().issue(ghost).await.unwrap())));
    all
}

/// What is heard of a route. What changes something gets a world of its own.
async fn heard(make: fn() -> Plan, number: usize) -> Vec<Reply> {
    let mut replies = Vec::new();
    let mut stage = Stage::of(make()).await;
    for variant in 0..stage.variants(number).len() {
        let ask = stage.variants(number).swap_remove(variant);
        let reply = stage.world.send(ask.request()).await;
        if reply.status.is_success() && ask.method != "GET" {
            stage = Stage::of(make()).await;
        }
        replies.push(reply);
    }
    // Whatever call of the store fails.
    stage.world.script.take();
    stage.world.send(stage.ask(number).request()).await;
    let calls: BTreeSet<&'static str> = stage.world.script.take().into_iter().collect();
    stage = Stage::of(make()).await;
    for call in calls {
        stage.world.script.break_at(call, Intercept::Fail);
        let reply = stage.world.send(stage.ask(number).request()).await;
        stage.world.script.mend();
        if reply.status.is_success() {
            stage = Stage::of(make()).await;
        }
        replies.push(reply);
    }
    // One too many.
    for _ in 0..MOST {
        stage.world.get("/jwks/", "").await;
    }
    replies.push(stage.world.send(stage.ask(number).request()).await);
    replies
}

/// Whether each answer of a status has a field that is described: a next page there may not be,
/// and 400 is about a credential or about a body.
fn is_always_there(name: &str, status: StatusCode) -> bool {
    match name {
        "Link" | "DPoP-Nonce" => false,
        "WWW-Authenticate" => status == StatusCode::UNAUTHORIZED,
        _ => true,
    }
}

/// What an answer has that is not described, or has not that is.
fn offences(reply: &Reply, described: &Value, document: &Value) -> Vec<String> {
    let mut offences = Vec::new();
    let fields = described["headers"].as_object();
    let fields: Vec<&String> = fields
        .into_iter()
        .flat_map(|fields| fields.keys())
        .collect();
    for name in &fields {
        let is_there = reply.headers.contains_key(name.to_lowercase());
        if !is_there && is_always_there(name, reply.status) {
            offences.push(format!("lacks {name}"));
        }
    }
    // The limits are told of every request that was counted, and described where they matter.
    let tells_limits = reply.status.is_success() || reply.status == 429;
    for name in [
        "www-authenticate",
        "retry-after",
        "ratelimit",
        "etag",
        "link",
    ] {
        let is_known = fields.iter().any(|field| field.to_lowercase() == name);
        let is_meant = name != "ratelimit" || tells_limits;
        if reply.headers.contains_key(name) && is_meant && !is_known {
            offences.push(format!("has {name}"));
        }
    }
    match reply.headers.get("content-type") {
        None if described.get("content").is_none() => {}
        None => offences.push(String::from("lacks a body")),
        Some(content_type) => {
            let content = &described["content"][content_type.to_str().unwrap()];
            match content.get("schema") {
                None => offences.push(format!("has {content_type:?}")),
                Some(schema) => offences.extend(fit(schema, &reply.json(), document).err()),
            }
        }
    }
    offences
}

async fn every_answer(make: fn() -> Plan) {
    let stage = Stage::of(make()).await;
    let document = document(&stage.world);
    let mut operations = operations(&document);
    let mut wrong = Vec::new();
    for (number, (pattern, ask)) in stage.good().into_iter().enumerate() {
        let replies = heard(make, number).await;
        let key = (ask.method, pattern);
        let row = format!("{} {}", key.0, key.1);
        let operation = operations.remove(&key).expect(&row);
        let mut never = operation["responses"].as_object().unwrap().clone();
        for reply in &replies {
            let status = reply.status.as_str();
            never.remove(status);
            match operation["responses"].get(status) {
                None => wrong.push(format!("{row} is not described: {reply:?}")),
                Some(described) => wrong.extend(
                    offences(reply, described, &document)
                        .into_iter()
                        .map(|offence| format!("{row} {offence}: {reply:?}")),
                ),
            }
        }
        wrong.extend(
            never
                .keys()
                .map(|status| format!("{row} never answers {status}")),
        );
    }
    wrong.extend(
        operations
            .keys()
            .map(|key| format!("no request for {key:?}")),
    );
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_is_described_is_given_and_no_other_in_format_problem() {
    every_answer(|| plan(|layer| common(layer).format(Problem))).await;
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_is_described_is_given_and_no_other_in_format_drf() {
    every_answer(|| plan(|layer| common(layer).format(Drf))).await;
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_is_described_is_given_and_no_other_in_format_drf_standardized() {
    every_answer(|| plan(|layer| common(layer).format(DrfStandardized))).await;
}

#[tokio::test(start_paused = true)]
async fn every_answer_that_is_described_is_given_and_no_other_in_format_coded() {
    every_answer(|| plan(|layer| common(layer).format(Coded))).await;
}

#[tokio::test]
async fn every_operation_has_an_id_and_every_answer_a_description_and_every_refusal_a_schema() {
    for (format, plan) in plans() {
        let document = document(&World::of(plan).await);
        let mut ids = BTreeSet::new();
        for ((method, path), operation) in operations(&document) {
            let row = format!("{format}: {method} {path}");
            let id = operation["operationId"].as_str().expect(&row).to_owned();
            assert!(ids.insert(id), "{row}");
            assert!(operation["security"].is_array(), "{row}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let row = format!("{row} {status}: {answer}");
                assert!(
                    !answer["description"].as_str().unwrap_or("").is_empty(),
                    "{row}"
                );
                let has_schema = answer["content"]
                    .as_object()
                    .is_some_and(|types| types.values().all(|one| one["schema"].is_object()));
                let is_refusal = status.starts_with('4') || status.starts_with('5');
                assert!(has_schema || !is_refusal, "{row}");
                let wanted: &[&str] = match status.as_str() {
                    "401" if operation["security"] != json!([]) => &["WWW-Authenticate"],
                    "429" => &["Retry-After", "RateLimit", "RateLimit-Policy"],
                    "503" => &["Retry-After"],
                    _ => &[],
                };
                for name in wanted {
                    assert!(
                        answer["headers"][name]["schema"].is_object(),
                        "{name}: {row}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn a_layer_that_counts_nothing_describes_no_limits() {
    let world = World::new().await;
    let document = document(&world);
    assert!(!document.to_string().contains("RateLimit"));
    let jwks = &document["paths"]["/jwks/"]["get"]["responses"];
    let statuses: Vec<&String> = jwks.as_object().unwrap().keys().collect();
    assert_eq!(statuses, ["200", "304"]);
}

#[tokio::test]
async fn an_operation_needs_the_scopes_that_its_requirement_demands() {
    fn demanding(endpoints: EndpointsBuilder, services: &Services) -> EndpointsBuilder {
        let admin = Requirement::role("admin");
        let either = Scope::new("tokens:read").or(Scope::new("tokens:all").and(admin));
        let introspect = Introspect::of(&services.tokens).require(either);
        every(endpoints, services)
            .mount("/introspect/", introspect)
            .mount("/introspect/usual/", Introspect::of(&services.tokens))
    }
    let plan = Plan {
        endpoints: demanding,
        ..Plan::default()
    };
    let world = World::of(plan).await;
    let document = document(&world);
    let security = |path: &str, method: &str| document["paths"][path][method]["security"].clone();
    let schemes = ["bearerAuth", "apiKeyAuth", "X-API-KeyHeader", "basicAuth"];
    let each = |sets: &[&[&str]]| -> Value {
        let of_scheme = |scheme: &&str| -> Vec<Value> {
            sets.iter().map(|set| json!({ *scheme: set })).collect()
        };
        schemes.iter().flat_map(of_scheme).collect()
    };
    assert_eq!(
        security("/introspect/usual/", "post"),
        each(&[&["introspect"]])
    );
    let sets: &[&[&str]] = &[&["tokens:read"], &["tokens:all"]];
    assert_eq!(security("/introspect/", "post"), each(sets));
    assert_eq!(security("/users/", "get"), each(&[&[]]));
    assert_eq!(security("/users/", "post"), json!([]));
    // Two of a kind have two ids.
    let id = |path: &str| document["paths"][path]["post"]["operationId"].clone();
    assert_eq!(id("/introspect/"), "introspect_token");
    assert_eq!(
        id("/introspect/usual/"),
        "introspect_token_at_introspect_usual"
    );

    // One header stands for all of them, with the same scopes.
    let mut document = OpenApi::default();
    world.endpoints.modify(&mut document);
    world
        .auth
        .security_schemes()
        .one_header()
        .modify(&mut document);
    let document = serde_json::to_value(document).unwrap();
    let security = &document["paths"]["/introspect/"]["post"]["security"];
    let sets = json!([{ "authorization": ["tokens:read"] }, { "authorization": ["tokens:all"] }]);
    assert_eq!(*security, sets);
}

/// A body of an operation, with one member changed.
fn changed(good: &Value, member: &str, value: Value) -> Vec<u8> {
    let mut body = good.clone();
    body[member] = value;
    body.to_string().into_bytes()
}

/// Values at the limits of a member, and values beyond them.
fn at_and_beyond(schema: &Value) -> (Vec<Value>, Vec<Value>) {
    let (mut at, mut beyond) = (Vec::new(), vec![json!({}), json!(true)]);
    let text = |length: u64| Value::String("ä".repeat(usize::try_from(length).unwrap()));
    let is_text = schema["type"] == "string" && schema.get("format").is_none();
    if let Some(most) = schema["maxLength"].as_u64() {
        if is_text && schema.get("pattern").is_some() {
            at.push(text(most));
        }
        beyond.push(text(most + 1));
    }
    if let Some(least @ 1..) = schema["minLength"].as_u64() {
        beyond.push(text(least - 1));
    }
    if schema.get("pattern").is_some() {
        at.push(json!(" x "));
        beyond.extend([json!("a\u{0}"), json!(" \u{a0}\u{3000}")]);
    }
    if schema["format"] == "date-time" {
        beyond.extend([json!("tomorrow"), json!("2027-02-29T00:00:00Z"), json!(7)]);
    }
    if schema["format"] == "email" {
        beyond.extend([json!("anna"), json!("@example.com")]);
    }
    if let Some(most) = schema["maximum"].as_u64() {
        at.extend([json!(0), json!(most), json!(1.0)]);
        beyond.extend([json!(-1), json!(most + 1), json!(0.5), json!("1")]);
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        let many = |count: u64| -> Value { (0..count).map(|_| "reports:read").collect() };
        at.extend([json!([]), many(most)]);
        beyond.extend([many(most + 1), json!(["a b"]), json!([""]), json!([7])]);
    }
    let is_nullable = schema["type"]
        .as_array()
        .is_some_and(|all| all.contains(&json!("null")));
    if is_nullable {
        at.push(Value::Null);
    } else {
        beyond.push(Value::Null);
    }
    (at, beyond)
}

#[tokio::test]
async fn a_value_at_a_limit_that_is_described_is_taken_and_one_beyond_it_is_not() {
    let make = || plan(|layer| layer.format(Drf));
    let mut stage = Stage::of(make()).await;
    let document = document(&stage.world);
    let operations = operations(&document);
    let mut rows = 0;
    for (number, (pattern, ask)) in stage.good().into_iter().enumerate() {
        if ask.content_type != Some("application/json") {
            continue;
        }
        let body: Value = serde_json::from_slice(&ask.body).unwrap();
        let operation = &operations[&(ask.method.clone(), pattern.clone())];
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        assert_eq!(fit(schema, &body, &document), Ok(()), "{pattern}");
        for (member, schema) in schema["properties"].as_object().unwrap() {
            let (at, beyond) = at_and_beyond(schema);
            let at = at.into_iter().map(|value| (value, true));
            let beyond = beyond.into_iter().map(|value| (value, false));
            for (value, is_taken) in at.chain(beyond) {
                rows += 1;
                let is_good = fit(schema, &value, &document).is_ok();
                assert_eq!(is_good, is_taken, "{pattern} {member} {value}");
                let text = value.to_string().chars().take(40).collect::<String>();
                let body = changed(&body, member, value);
                let ask = stage.ask(number).saying("application/json", body);
                let reply = stage.world.send(ask.request()).await;
                let row = format!("{} {pattern} {member} {text}: {}", ask.method, reply.text());
                if reply.status.is_success() {
                    stage = Stage::of(make()).await;
                }
                if is_taken {
                    assert_ne!(reply.status, 400, "{row}");
                } else if reply.status != 401 {
                    // A password that nobody can have is no good, and no more is said.
                    assert_eq!(reply.status, 400, "{row}");
                    assert!(reply.json().get(member).is_some(), "{row}");
                }
            }
        }
    }
    assert!(rows > 130, "only {rows} rows");
}

#[tokio::test]
async fn ids_are_described_as_they_are_made() {
    type Make = fn() -> Plan;
    let plans: [(&str, Make); 3] = [
        ("integer", || Plan {
            keys: |keys| keys.ids(KeyIds::Serial),
            ..Plan::default()
        }),
        ("uuid", || Plan {
            keys: |keys| keys.ids(KeyIds::Uuid),
            ..Plan::default()
        }),
        ("string", Plan::default),
    ];
    for (is, make) in plans {
        let world = World::of(make()).await;
        let document = document(&world);
        let answer = &document["paths"]["/api-keys/"]["post"]["responses"]["201"];
        let schema = &answer["content"]["application/json"]["schema"];
        let id = &schema["properties"]["id"];
        assert!(id["type"] == is || id["format"] == is, "{id}");
        let annas = bearing(access(&world.sign_in("7").await));
        let made = world
            .post("/api-keys/", &annas, json!({ "name": "ci" }))
            .await;
        assert_eq!(fit(schema, &made.json(), &document), Ok(()), "{is}");
    }
}
