//! Never more than N under any concurrency. The long races are in `.ci/races`.

use super::*;
use http::Response;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use tower::Service;
use tower_auth::throttle::Throttle;
use tower_layer::Layer;

const THREADS: usize = 64;

/// How many of the requests of 64 threads pass, each of which sends so many with each of the keys.
fn race(auth: &AuthLayer, keys: &[String], each: usize) -> Vec<usize> {
    let passed: Vec<AtomicUsize> = keys.iter().map(|_| AtomicUsize::new(0)).collect();
    let start = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut service = auth.layer(Whoami);
                start.wait();
                for _ in 0..each {
                    for (key, passed) in keys.iter().zip(&passed) {
                        passed.fetch_add(
                            usize::from(status(&mut service, bearer(key)) == 200),
                            Ordering::SeqCst,
                        );
                    }
                }
            });
        }
    });
    passed.into_iter().map(AtomicUsize::into_inner).collect()
}

/// Of an answer that is there at the first poll: a throttle in this process waits for nothing.
fn status<S, B>(service: &mut S, request: Request<Full<Bytes>>) -> u16
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>>,
{
    let mut future = std::pin::pin!(service.call(request));
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(Ok(response)) => response.status().as_u16(),
        _ => panic!("not ready at the first poll"),
    }
}

#[tokio::test]
async fn sixty_four_threads_admit_exactly_n() {
    let world = World::new();
    let key = world.key(Subject::user("7")).await;
    for rate in [
        "50/hour",
        "500/hour",
        "50/hour burst 50",
        "500/day calendar",
    ] {
        for _ in 0..5 {
            let auth = world
                .builder()
                .throttle(Throttle::per_principal(rate))
                .build()
                .unwrap();
            let expected = rate.split('/').next().unwrap().parse::<usize>().unwrap();
            assert_eq!(
                race(&auth, std::slice::from_ref(&key), 20),
                [expected],
                "{rate}"
            );
        }
    }
}

#[tokio::test]
async fn sixty_four_threads_for_as_long_as_asked_admit_exactly_n() {
    let (world, long) = (World::new(), Long::asked_for());
    let key = world.key(Subject::user("7")).await;
    for run in 0..long.runs {
        let auth = world
            .builder()
            .throttle(Throttle::per_principal("5000/hour"))
            .build()
            .unwrap();
        let (passed, sent) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    let (mut service, start) = (auth.layer(Whoami), start());
                    // On a machine that is slow, until the limit must have been met.
                    while long.goes_on(start) || sent.load(Ordering::SeqCst) < 6000 {
                        sent.fetch_add(1, Ordering::SeqCst);
                        passed.fetch_add(
                            usize::from(status(&mut service, bearer(&key)) == 200),
                            Ordering::SeqCst,
                        );
                    }
                });
            }
        });
        assert_eq!(
            passed.into_inner(),
            5000,
            "run {run}, of {} requests",
            sent.into_inner()
        );
    }
}

#[tokio::test]
async fn several_limits_under_concurrency_are_exact_and_all_or_nothing() {
    let world = World::new();
    let keys = [
        world.key(Subject::user("7")).await,
        world.key(Subject::user("7")).await,
    ];
    for _ in 0..5 {
        // The owner may call 300 times; one of the keys 100 times an hour and 40 times a minute.
        let auth = world
            .builder()
            .throttle(Throttle::per_principal("130/day"))
            .throttle(Throttle::per_key("100/hour"))
            .throttle(Throttle::per_key("40/min").name("peak"))
            .build()
            .unwrap();
        assert_eq!(race(&auth, &keys, 10), [40, 40]);
        world.advance(60.0);
        let passed = race(&auth, &keys, 10);
        assert_eq!(
            passed.iter().sum::<usize>(),
            50,
            "the owner's 130 less 80: nothing was lost by refusals: {passed:?}"
        );
    }
}

#[tokio::test]
async fn many_keys_at_once_have_each_their_own_limit() {
    let world = World::new();
    let mut keys = Vec::new();
    for owner in 0..50 {
        keys.push(world.key(Subject::user(owner.to_string())).await);
    }
    let auth = world
        .builder()
        .throttle(Throttle::per_principal("3/min"))
        .build()
        .unwrap();
    assert!(race(&auth, &keys, 3).iter().all(|passed| *passed == 3));
}

#[tokio::test]
async fn random_keys_neither_fill_memory_nor_forgive_a_live_limit() {
    let world = World::new();
    let by_header = Throttle::per("2/hour", |call| {
        Some(call.headers().get("x-id")?.as_bytes().into())
    });
    let throttle = by_header.most_keys(100);
    let auth = world
        .builder()
        .optional()
        .throttle(throttle)
        .build()
        .unwrap();
    let mut service = auth.layer(Whoami);
    let mut call = |id: &str| status(&mut service, get(&[("x-id", id)]));
    assert_eq!(
        [call("victim"), call("victim"), call("victim")],
        [200, 200, 429]
    );
    let passed = (0..5_000).filter(|n| call(&n.to_string()) == 200).count();
    assert_eq!(
        passed,
        99 + 2,
        "99 have a place, all others share one limit"
    );
    assert_eq!(call("victim"), 429);
}
