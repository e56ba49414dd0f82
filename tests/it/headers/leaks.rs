//! No piece of a secret is in a log, an answer, or what a handler can print of its request.

use super::case::{Case, Expect, auth, field};
use super::table;
use super::wire::{Running, Witness, direct};
use super::world::{Mode, Setup, World, basic, world};
use crate::watch::{Log, PIECE, Pieces};
use http::{Request, Response};
use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::ready;
use tower::{ServiceExt, service_fn};
use tower_auth::credential::Source;
use tower_auth::store::Memory;
use tower_auth::throttle::Throttle;
use tower_auth::{ApiKeys, AuthLayer, Realm};
use tower_layer::Layer;

/// Whether the row puts a secret where the layer does not look for one: then a handler can see it.
fn is_misplaced(case: &Case) -> bool {
    let elsewhere = [
        "names that look alike are ignored",
        "query, cookie and body carry no credential",
        "schemes that are not accepted",
    ];
    elsewhere.contains(&case.row) || case.setup == Setup::TokensOnly
}

#[tokio::test]
async fn no_piece_of_a_secret_is_in_a_log_an_answer_or_the_debug_of_a_request() {
    let world = world().await;
    let pieces = Pieces::of(&world.secrets());
    let log = Log::default();
    let _guard = log.capture();
    let (mut logged, mut leaks) = (0, Vec::new());
    for mode in [Mode::Required, Mode::Optional] {
        for setup in Setup::ALL {
            let layer = world.layer(setup, mode);
            let witness = Witness::default();
            let server = Running::start(&layer, witness.clone()).await;
            for case in table::rows(world)
                .into_iter()
                .filter(|case| case.setup == setup)
            {
                let raw = server.http1(case.method, &case.target, &case.headers).await;
                let called = direct(&layer, &witness, &case).await;
                let written = log.take();
                logged += usize::from(written.windows(15).any(|words| words == b"request refused"));
                let mut texts = vec![("log", written)];
                for reply in [Some(raw), called].into_iter().flatten() {
                    texts.push((
                        "head of the answer",
                        format!("{:?}", reply.headers).into_bytes(),
                    ));
                    texts.push(("answer", reply.body.to_vec()));
                }
                let seen = witness.take_seen();
                if !is_misplaced(&case) {
                    texts.push(("request", seen.into_bytes()));
                }
                let found = texts
                    .into_iter()
                    .filter_map(|(what, text)| pieces.leak(what, text));
                leaks.extend(
                    found.map(|leak| format!("{} / {} ({mode:?}): {leak}", case.row, case.name)),
                );
            }
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks:\n{}",
        leaks.len(),
        leaks.join("\n")
    );
    assert!(logged > 300, "only {logged} rows were logged");
}

#[tokio::test]
async fn a_credential_beside_a_preflight_is_marked_sensitive_too() {
    let world = world().await;
    let pieces = Pieces::of(&world.secrets());
    let layer = world.layer(Setup::Preflight, Mode::Required);
    let asks = field("Access-Control-Request-Method", "PUT");
    let (token, key) = (
        auth(format!("Bearer {}", world.token)),
        field("X-API-Key", &world.key),
    );
    // Here alone a handler sees a request with several lines, each of which may be the secret one.
    let several = [
        auth("Bearer x"),
        token.clone(),
        field("X-API-Key", "x"),
        key.clone(),
        token.clone(),
    ]
    .concat();
    for credential in [token, key, several] {
        let case = asking("OPTIONS", [asks.clone(), credential].concat());
        let witness = Witness::default();
        direct(&layer, &witness, &case).await.unwrap();
        assert_eq!(witness.calls(), 1);
        pieces.assert_none_in("request of a preflight", witness.take_seen());
    }
}

#[tokio::test]
async fn every_line_of_a_credential_field_is_marked_sensitive_where_a_handler_can_see_it() {
    let world = world().await;
    let witness = Witness::default();
    let good = [
        (Setup::Usual, auth(format!("Bearer {}", world.token))),
        (Setup::Usual, auth(format!("Bearer {}", world.key))),
        (Setup::Usual, auth(format!("Api-Key {}", world.key))),
        (Setup::Usual, field("X-API-Key", &world.key)),
        (
            Setup::BasicOnly,
            auth(basic(format!("lena:{}", world.long_password))),
        ),
    ];
    for (setup, headers) in good {
        let case = asking("GET", headers);
        let reply = direct(&world.layer(setup, Mode::Required), &witness, &case)
            .await
            .unwrap();
        assert_eq!(reply.status, 200);
        let seen = witness.take_seen();
        assert!(seen.contains("Sensitive"), "{seen}");
        Pieces::of(&world.secrets()).assert_none_in("request", seen);
    }
}

fn public_gates(layer: &AuthLayer) -> [AuthLayer; 2] {
    let rule = Throttle::per("9/s", |_| None);
    [
        layer.errors(),
        layer.throttle_public("public", [rule]).unwrap(),
    ]
}

#[tokio::test]
async fn a_gate_of_public_routes_marks_a_credential_wherever_it_stands_and_takes_none() {
    let sources = [
        Source::bearer(),
        Source::basic(),
        Source::header("X-Other"),
        Source::cookie("__Host-key"),
        Source::query("key"),
        Source::websocket("key"),
    ];
    let keys = ApiKeys::prefix("egret").sources(sources);
    let keys = Realm::new(Memory::new()).api_keys(keys);
    let layer = AuthLayer::builder().accept(&keys).build().unwrap();
    let text = "egret_wonderland";
    let fields = [
        ("authorization", format!("Bearer {text}")),
        ("authorization", basic(format!("{text}:"))),
        ("x-other", text.to_owned()),
        ("cookie", format!("a=b; __Host-key={text}")),
        ("sec-websocket-protocol", format!("chat, key.{text}")),
    ];
    for gate in public_gates(&layer) {
        for (name, value) in &fields {
            let (name, value) = (*name, value.as_str());
            let uri = format!("/?key={text}");
            let handler = service_fn(|request: Request<()>| {
                let field = &request.headers()[name];
                assert!(field.is_sensitive(), "{name}");
                assert_eq!(field.to_str().unwrap(), value);
                assert_eq!(request.uri().to_string(), uri);
                ready(Ok::<_, Infallible>(Response::new(())))
            });
            let request = Request::get(&uri).header(name, value).body(()).unwrap();
            let response = gate.layer(handler).oneshot(request).await.unwrap();
            assert_eq!(response.status(), 200);
        }
    }
}

#[tokio::test]
async fn a_refusal_is_logged_whether_memory_gave_it_or_a_store_was_asked() {
    let world = world().await;
    let layer = world.layer(Setup::All, Mode::Required);
    let log = Log::default();
    let _guard = log.capture();
    let refused = [
        (Vec::new(), "MissingCredential"),
        (auth("Bearer x.y.z"), "InvalidToken"),
        (field("X-API-Key", &world.revoked_key), "InvalidApiKey"),
        // A hash is waited for.
        (auth(basic("anna:wrong")), "InvalidPassword"),
    ];
    for (headers, kind) in refused {
        direct(&layer, &Witness::default(), &asking("GET", headers))
            .await
            .unwrap();
        let written = String::from_utf8(log.take()).unwrap();
        // That no peer is told is said once a process, by whichever test comes first.
        let lines: Vec<&str> = written
            .lines()
            .filter(|line| line.contains("tower_auth") && !line.contains("peer unknown"))
            .collect();
        let [line] = lines[..] else {
            panic!("{kind}: {written}")
        };
        assert!(
            line.contains("request refused") && line.contains(&format!("kind={kind}")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn configurations_print_no_piece_of_a_secret() {
    let world = world().await;
    let pieces = Pieces::of(&world.secrets());
    let mut printed = String::new();
    for setup in Setup::ALL {
        let layer = world.layer(setup, Mode::Required);
        write!(printed, "{:?} {:#?} ", world.builder(setup), layer).unwrap();
        write!(printed, "{:?} ", tower_layer::Layer::layer(&layer, ())).unwrap();
    }
    pieces.assert_none_in("Debug", printed);
}

#[tokio::test]
async fn the_search_for_pieces_finds_what_is_planted() {
    let world: &World = world().await;
    let pieces = Pieces::of(&world.secrets());
    for secret in world.secrets() {
        let planted = format!("a log line with {} in it", &secret[secret.len() - PIECE..]);
        assert!(pieces.find_in(planted.as_bytes()).is_some(), "{planted}");
    }
    assert!(
        pieces
            .find_in(b"a log line without anything in it")
            .is_none()
    );
}

fn asking(method: &'static str, headers: Vec<u8>) -> Case {
    let mut case = Case::new("", "", Setup::Usual, headers, Expect::Unparsed);
    case.method(method);
    case
}
