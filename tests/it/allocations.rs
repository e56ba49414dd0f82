//! What a request allocates, and that what memory can answer is answered at the first poll.

use crate::support::*;
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::task::{Context, Poll, Waker};
use std::time::UNIX_EPOCH;
use tower::Service;
use tower_auth::store::{KeyDigest, KeyRecord, ManagedKeyStore, Memory, Stores};
use tower_auth::test_util::TokenMint;
use tower_auth::{ApiKeys, AuthLayer, Grant, KeyRequest, PasswordPolicy, Realm, Subject, Tokens};
use tower_layer::Layer as _;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// What was asked for and not given back, in bytes.
    static IN_USE: Cell<isize> = const { Cell::new(0) };
}

fn count(allocations: usize, bytes: isize) {
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + allocations));
    let _ = IN_USE.try_with(|in_use| in_use.set(in_use.get() + bytes));
}

/// Counts what each thread allocates, so that tests beside this one do not disturb.
struct Counting;

#[expect(unsafe_code, reason = "an allocator can be counted in no other way")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, -layout.size().cast_signed());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, size.cast_signed() - layout.size().cast_signed());
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The status of the answer, and how often a request allocates from the call to the answer. It must
/// be there at the first poll. The third of three equal requests is counted: the first may fill
/// what is kept, and at the second an instance learns that it will serve more.
fn cost<S, B>(service: &mut S, request: impl Fn() -> Request<Full<Bytes>>) -> (u16, usize)
where
    S: Service<Request<Full<Bytes>>, Response = http::Response<B>>,
{
    let mut answer = || {
        let request = request();
        let before = ALLOCATIONS.get();
        let mut future = std::pin::pin!(service.call(request));
        let Poll::Ready(Ok(response)) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        else {
            panic!("not ready at the first poll");
        };
        (response.status().as_u16(), ALLOCATIONS.get() - before)
    };
    answer();
    answer();
    answer()
}

/// Does nothing with a request, as cheaply as can be.
#[derive(Clone)]
struct Nothing;

impl Service<Request<Full<Bytes>>> for Nothing {
    type Response = http::Response<Full<Bytes>>;
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        std::future::ready(Ok(http::Response::new(Full::default())))
    }
}

fn guarded() -> (AuthLayer, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let keys = Realm::new(Memory::new()).api_keys(ApiKeys::prefix("egret"));
    let request = KeyRequest::new(Subject::user("7"), "ci");
    let issued = keys.issue(request.scope("a").scope("b"));
    let key = runtime.block_on(issued).unwrap().key;
    let auth = AuthLayer::builder().accept(jwt()).accept(&keys).build();
    (auth.unwrap(), key.expose().clone())
}

#[test]
fn a_key_in_memory_costs_three_allocations_and_no_boxed_future() {
    let (auth, key) = guarded();
    let (status, allocations) = cost(&mut auth.layer(Nothing), || bearer(&key));
    assert_eq!(status, 200);
    assert!(allocations <= 3, "{allocations}");
}

#[test]
fn a_token_that_was_seen_before_costs_as_many_allocations_as_a_key() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let (auth, key) = guarded();
    let (_, allocations_of_a_key) = cost(&mut auth.layer(Nothing), || bearer(&key));
    let theirs =
        token_with(serde_json::json!({ "sub": "anna", "scope": "a b", "jti": "x", "iat": 1 }));
    let tokens = Realm::new(Memory::new()).tokens(Tokens::hs256(SECRET).issuer(ISSUER));
    let issued = tokens.issue(Grant::new(Subject::user("7")).scope("a").scope("b"));
    let issued = runtime.block_on(issued).unwrap();
    let issuing = AuthLayer::builder().accept(&tokens).build().unwrap();
    for (auth, token) in [(auth, &theirs), (issuing, issued.access().expose())] {
        let (status, allocations) = cost(&mut auth.layer(Nothing), || bearer(token));
        assert_eq!((status, allocations), (200, allocations_of_a_key));
    }
}

#[test]
fn what_is_remembered_of_tokens_takes_no_more_memory_than_it_may() {
    const MIB: isize = 1 << 20;
    let auth = AuthLayer::builder()
        .accept(jwt().cache_bytes(4 * MIB.cast_unsigned() as u64))
        .build()
        .unwrap();
    let mut service = auth.layer(Nothing);
    let mut show = |number: u32| {
        let token = token_with(serde_json::json!({
            "sub": format!("user-{number:0>10}"),
            "iat": 1_700_000_000,
            "jti": "5f0c2a4e-8f5b-4b57-9a0c-6a5de2b7d1f3",
            "scope": "orders:read orders:write",
        }));
        for _ in 0..2 {
            let request = bearer(&token);
            let mut future = std::pin::pin!(service.call(request));
            let mut context = Context::from_waker(Waker::noop());
            let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
                panic!("not ready at the first poll");
            };
            assert_eq!(response.status(), 200);
        }
    };
    show(0);
    let before = IN_USE.get();
    (1..1_000).for_each(&mut show);
    let each = (IN_USE.get() - before) / 999;
    println!(
        "{each} bytes a token, with its share of a table that has room for five times as many"
    );
    (1_000..12_000).for_each(&mut show);
    let all = IN_USE.get() - before;
    assert!((3 * MIB..4 * MIB).contains(&all), "{all} bytes in all");
}

/// Tokens that are shown once, good ones too, are not remembered.
#[test]
fn a_flood_of_forged_or_expired_tokens_leaves_memory_as_it_was() {
    let auth = AuthLayer::builder().accept(jwt()).build().unwrap();
    let mut service = auth.layer(Nothing);
    let mut show = |token: &str| {
        let mut future = std::pin::pin!(service.call(bearer(token)));
        let mut context = Context::from_waker(Waker::noop());
        match future.as_mut().poll(&mut context) {
            Poll::Ready(Ok(response)) => response.status().as_u16(),
            _ => panic!("not ready at the first poll"),
        }
    };
    let expired = |number: u32| {
        let claims = serde_json::json!({
            "sub": number.to_string(), "iss": ISSUER, "aud": AUDIENCE, "exp": 1_700_000_000,
        });
        TokenMint::hs256(SECRET).sign(&claims)
    };
    let forged = |number: u32| {
        let mut token = token_with(serde_json::json!({ "sub": number.to_string() }));
        token.insert(token.len() - 20, 'x');
        token
    };
    let good = token_for("anna");
    for _ in 0..3 {
        assert_eq!(show(&good), 200);
    }
    assert_eq!((show(&expired(0)), show(&forged(0))), (401, 401));
    let before = IN_USE.get();
    for number in 1..20_000 {
        assert_eq!((show(&expired(number)), show(&forged(number))), (401, 401));
    }
    assert_eq!(IN_USE.get(), before);
    assert_eq!(show(&good), 200);
}

#[test]
fn an_hs256_token_costs_nine_allocations_at_most_and_no_boxed_future() {
    let token =
        token_with(serde_json::json!({ "sub": "anna", "scope": "a b", "jti": "x", "iat": 1 }));
    let auth = AuthLayer::builder().accept(jwt().cache_bytes(0)).build();
    let (status, allocations) = cost(&mut auth.unwrap().layer(Nothing), || bearer(&token));
    assert_eq!(status, 200);
    assert!(allocations <= 9, "{allocations}");
}

#[test]
fn refusing_nothing_garbage_or_a_forged_token_costs_three_allocations() {
    let token = token_for("anna");
    let forged = format!(
        "{}{}",
        &token[..token.len() - 2],
        if token.ends_with("AA") { "BA" } else { "AA" }
    );
    let (auth, _) = guarded();
    for request in [
        get(&[]),
        bearer("garbage"),
        bearer("egret_garbage"),
        bearer(&forged),
    ] {
        let (status, allocations) = cost(&mut auth.layer(Nothing), || request.clone());
        assert_eq!(status, 401);
        assert!(allocations <= 3, "{allocations}");
    }
}

/// What is kept for telling of a handler's refusal is kept only where somebody listens.
#[test]
fn a_hook_is_what_makes_a_request_be_remembered() {
    let token = token_for("anna");
    let layer = |realm: Realm| {
        let builder = AuthLayer::builder().realm(&realm).accept(jwt());
        builder.build().unwrap()
    };
    let silent = layer(Realm::new(Stores::new()));
    let heard = layer(Realm::new(Stores::new()).on_event(|_| {}));
    let (_, silent) = cost(&mut silent.layer(Nothing), || bearer(&token));
    let (_, heard) = cost(&mut heard.layer(Nothing), || bearer(&token));
    assert_eq!(heard, silent + 1);
}

#[test]
fn hostile_input_does_not_allocate_in_proportion_to_its_length() {
    let (auth, _) = guarded();
    let shapes: [fn(usize) -> String; 5] = [
        |n| ".".repeat(n),
        |n| format!("{}.e30.{}", "A".repeat(n / 2), "A".repeat(n / 2)),
        |n| format!("egret_{}", "a".repeat(n)),
        |n| format!("{},", "a".repeat(n)),
        |n| "a b ".repeat(n / 4),
    ];
    for shape in shapes {
        let (_, short) = cost(&mut auth.layer(Nothing), || bearer(&shape(64)));
        let (_, long) = cost(&mut auth.layer(Nothing), || bearer(&shape(8_000)));
        assert!(long <= short + 2, "{short} allocations became {long}");
    }
}

#[test]
fn the_counter_counts() {
    let boxed = |request| {
        let future: std::pin::Pin<Box<dyn Future<Output = _>>> = Box::pin(Nothing.call(request));
        future
    };
    let (_, plain) = cost(&mut Nothing, || get(&[]));
    let (_, boxed) = cost(&mut tower::service_fn(boxed), || get(&[]));
    assert!(boxed > plain);
}

#[test]
fn a_key_in_memory_takes_at_most_400_bytes() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    // Also where the tables have just doubled.
    for keys in [60_000, 100_000, 130_000_u32] {
        let before = IN_USE.get();
        let store = Memory::new();
        for n in 0..keys {
            let id = format!("{n:0>22}");
            let owner = Subject::user((n / 3).to_string());
            let mut bytes = [0; 32];
            for (at, part) in bytes.chunks_exact_mut(4).enumerate() {
                let part_of = n.wrapping_add(at as u32).wrapping_mul(0x9e37_79b9);
                part.copy_from_slice(&part_of.to_be_bytes());
            }
            let digest = KeyDigest::new("sha256", bytes);
            let mut record = KeyRecord::new(id, owner, "ci", "egret_7Zk4…", digest, UNIX_EPOCH);
            record.scopes = ["reports:read"].into_iter().collect();
            runtime.block_on(store.insert_key(record)).unwrap();
        }
        let bytes = (IN_USE.get() - before) / (keys as isize);
        println!("{keys} keys, {bytes} bytes each");
        assert!(bytes <= 400, "{bytes} bytes a key of {keys}");
    }
}

/// A registration is refused for its password before anything is counted, and on a thread that
/// serves others: to judge one must cost little, whoever chose it.
#[test]
fn no_password_is_dear_to_judge() {
    let policy = PasswordPolicy::new();
    let runs = ["1", "2", "3", "4"].map(|key| key.repeat(14)).concat();
    for (name, password) in [
        (
            "digits and signs",
            String::from("8?3=7;1~9<2>6{4}0/5'8^7`1|2:6,4.0-5_8+3=7(1)9[2]6*4&0%5$8#3!7@"),
        ),
        ("a word after signs", format!("?~?~?~a{runs}")),
        (
            "one run after another",
            format!("a{}", "1234567890".repeat(6)),
        ),
    ] {
        // The first one fills what is kept.
        let _ = policy.check(&password, &[]);
        let before = ALLOCATIONS.get();
        let _ = policy.check(&password, &[]);
        let allocations = ALLOCATIONS.get() - before;
        assert!(allocations < 10_000, "{name}: {allocations}");
    }
}
