//! Whatever bytes come, to whatever route: an answer of the client's fault or a success, never a
//! panic and never a 5xx.

use super::cases::{By, Held, cases};
use super::world::*;
use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;
use tokio::runtime::Runtime;

struct Bench {
    runtime: Runtime,
    world: World,
    held: Held,
    routes: Vec<(&'static str, String)>,
    access: String,
}

impl Bench {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let world = runtime.block_on(World::new());
        let held = runtime.block_on(Held::by_anna(&world));
        let routes = cases(&held)
            .into_iter()
            .map(|case| (case.method, case.path))
            .collect();
        let access = held.credential(By::Access);
        Self {
            runtime,
            world,
            held,
            routes,
            access,
        }
    }

    /// An access token that is good, whatever was ended by the cases before.
    fn credential(&self) -> String {
        let opens = self
            .runtime
            .block_on(self.world.opens(access(&self.held.pair)));
        if opens {
            self.access.clone()
        } else {
            bearing(access(&self.runtime.block_on(self.world.sign_in("7"))))
        }
    }

    fn check(&self, request: Request<Full<Bytes>>) -> Result<u16, TestCaseError> {
        let head = format!("{} {}", request.method(), request.uri());
        let reply = self.runtime.block_on(self.world.send(request));
        let status = reply.status.as_u16();
        prop_assert!((200..500).contains(&status), "{head}: {status}");
        prop_assert!(reply.headers.contains_key("cache-control"), "{head}");
        Ok(status)
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

#[test]
fn no_bytes_in_a_body_are_a_fault_of_the_service() {
    let bench = Bench::new();
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:a-z0-9\\\\ ]{0,60}".prop_map(String::into_bytes),
    ];
    let routes = select(bench.routes.clone());
    runner(1_000)
        .run(
            &(routes, bytes, any::<bool>()),
            |((method, path), bytes, signed_in)| {
                let credential = if signed_in {
                    bench.credential()
                } else {
                    String::new()
                };
                let mut request = asking(method, &path, &credential, None);
                request
                    .headers_mut()
                    .insert("content-type", HeaderValue::from_static("application/json"));
                *request.body_mut() = Full::from(bytes);
                bench.check(request).map(drop)
            },
        )
        .unwrap();
}

/// Any JSON that is not very large.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        select(vec![
            ANNA,
            "anna",
            PASSWORD,
            "9999-12-31T23:59:59Z",
            "2027-01-20T00:00:00+23:59",
            "a.b.c"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

#[test]
fn no_values_in_the_fields_of_a_body_are_a_fault_of_the_service() {
    const FIELDS: [&str; 12] = [
        "email",
        "password",
        "refresh",
        "token",
        "current_password",
        "new_password",
        "first_name",
        "name",
        "scopes",
        "expires_at",
        "overlap",
        "x",
    ];
    let bench = Bench::new();
    let members = prop::collection::hash_map(select(FIELDS.to_vec()), json_value(), 0..8);
    let routes = select(bench.routes.clone());
    runner(400)
        .run(&(routes, members), |((method, path), members)| {
            let body: Value = members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect();
            bench
                .check(asking(method, &path, &bench.credential(), Some(&body)))
                .map(drop)
        })
        .unwrap();
}

#[test]
fn no_path_method_or_field_is_a_fault_of_the_service_and_none_opens_a_guarded_route() {
    let bench = Bench::new();
    let path = "(/(users|api-keys|private-tokens|token|jwks|[!-~]{0,12}|%[0-9a-f]{2})){1,4}/?";
    let method = prop_oneof![
        select(vec![
            "GET", "HEAD", "POST", "PATCH", "DELETE", "PUT", "OPTIONS"
        ])
        .prop_map(str::to_owned),
        "[A-Z]{1,10}",
    ];
    let field = prop::collection::vec(any::<u8>(), 0..60);
    runner(1_000)
        .run(
            &(path, method, field.clone(), field),
            |(path, method, credential, content_type)| {
                let Ok(uri) = path.parse::<http::Uri>() else {
                    return Ok(());
                };
                let Ok(method) = Method::from_bytes(method.as_bytes()) else {
                    return Ok(());
                };
                let mut request = Request::new(Full::<Bytes>::default());
                *request.uri_mut() = uri;
                *request.method_mut() = method;
                for (name, value) in [
                    ("authorization", credential),
                    ("content-type", content_type),
                ] {
                    if let Ok(value) = HeaderValue::from_bytes(&value) {
                        request.headers_mut().insert(name, value);
                    }
                }
                let is_open = request.uri().path() == "/jwks/";
                let status = bench.check(request)?;
                prop_assert!(is_open || status >= 400, "{path}: {status}");
                Ok(())
            },
        )
        .unwrap();
}
