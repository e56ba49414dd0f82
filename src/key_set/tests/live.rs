//! Keys that are loaded: by a source that does as it is told, and counts.

use super::*;
use crate::key_set::live_keys::LiveKeys;
use crate::key_set::live_limits::LiveLimits;
use crate::key_set::{KeySet, KeySource, KeySourceError, Loaded};
use crate::reject::{Rejection, RejectionKind};
use async_trait::async_trait;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::Notify;
use tokio::task::yield_now;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

#[derive(Clone, Debug)]
enum Does {
    /// Gives keys with these ids, fresh for so long.
    Gives(&'static [&'static str], Option<Duration>),
    Unchanged,
    Fails,
    Panics,
    Hangs,
    /// Gives keys with these ids once it is let go.
    WaitsAndGives(&'static [&'static str]),
}

struct Fake {
    does: Mutex<Does>,
    loads: AtomicUsize,
    running: AtomicUsize,
    go: Notify,
}

#[async_trait]
impl KeySource for Fake {
    async fn load(&self, _: SystemTime) -> Result<Loaded, KeySourceError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        let running = self.running.fetch_add(1, Ordering::SeqCst);
        assert_eq!(running, 0, "two loads at once");
        let running = Running(&self.running);
        let does = self.does.lock().unwrap().clone();
        let loaded = |ids: &[&str], fresh_for| Loaded {
            keys: Some(set(ids)),
            fresh_for,
        };
        let result = match does {
            Does::Gives(ids, fresh_for) => Ok(loaded(ids, fresh_for)),
            Does::Unchanged => Ok(Loaded {
                keys: None,
                fresh_for: None,
            }),
            Does::Fails => Err(KeySourceError::because("it is down", "planted")),
            Does::Panics => panic!("planted"),
            Does::Hangs => std::future::pending().await,
            Does::WaitsAndGives(ids) => {
                self.go.notified().await;
                Ok(loaded(ids, None))
            }
        };
        drop(running);
        result
    }
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn set(ids: &[&str]) -> KeySet {
    let keys: Vec<JwtKey> = ids.iter().map(|id| JwtKey::hs256(SECRET).id(*id)).collect();
    if keys.is_empty() {
        return KeySet::default();
    }
    KeySet::build(&keys).unwrap()
}

struct World {
    source: Arc<Fake>,
    live: Arc<LiveKeys>,
    now: SystemTime,
}

impl World {
    fn new(does: Does) -> Self {
        let source = Arc::new(Fake {
            does: Mutex::new(does),
            loads: AtomicUsize::new(0),
            running: AtomicUsize::new(0),
            go: Notify::new(),
        });
        let live = LiveKeys::new(Arc::clone(&source) as _, LiveLimits::default());
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        Self { source, live, now }
    }

    /// With one key, `a`, loaded now.
    async fn loaded() -> Self {
        let world = Self::new(Does::Gives(&["a"], None));
        assert_eq!(world.serves().await, Ok(1));
        world
    }

    fn now_does(&self, does: Does) {
        *self.source.does.lock().unwrap() = does;
    }

    fn loads(&self) -> usize {
        self.source.loads.load(Ordering::SeqCst)
    }

    fn generation(&self) -> Option<u64> {
        self.live.generation(self.now)
    }

    /// The number of the set that a request gets, or when it may try again, in seconds.
    async fn serves(&self) -> Result<u64, u64> {
        let usable = self.live.usable(self.now).await;
        usable.map(|(generation, _)| generation).map_err(told)
    }

    /// Whether a token that names this key gets to it.
    async fn finds(&self, kid: &str) -> Result<bool, u64> {
        let (generation, set) = self.live.usable(self.now).await.map_err(told)?;
        if has(&set, kid) {
            return Ok(true);
        }
        let newer = self.live.newer(generation, self.now).await;
        let (_, set) = newer.map_err(told)?;
        Ok(has(&set, kid))
    }

    /// Lets the tasks run that have something to do.
    async fn settle(&self) {
        for _ in 0..20 {
            yield_now().await;
        }
    }
}

fn has(set: &KeySet, kid: &str) -> bool {
    set.choose(Some("HS256"), Some(kid)).is_ok()
}

fn told(rejection: Rejection) -> u64 {
    assert_eq!(rejection.kind(), RejectionKind::Unavailable);
    rejection.retry_after_seconds().unwrap()
}

#[tokio::test]
async fn the_first_request_waits_for_the_keys_and_the_next_ones_read_a_number() {
    let world = World::new(Does::Gives(&["a"], None));
    assert_eq!(world.generation(), None);
    assert!(world.live.current().is_none());
    assert!(world.live.ready(world.now).await.is_ok());
    for _ in 0..3 {
        assert_eq!(world.generation(), Some(1));
        assert_eq!(world.serves().await, Ok(1));
        assert_eq!(world.live.current().unwrap().0, 1);
    }
    assert_eq!(world.loads(), 1);
}

#[tokio::test]
async fn requests_that_come_at_once_share_one_load() {
    let world = World::new(Does::WaitsAndGives(&["a"]));
    let waiting = (0..100).map(|_| {
        let live = Arc::clone(&world.live);
        let now = world.now;
        tokio::spawn(async move { live.usable(now).await.map(|(generation, _)| generation) })
    });
    let waiting: Vec<_> = waiting.collect();
    world.settle().await;
    assert_eq!(world.loads(), 1);
    // Nobody is kept from reading by the load that is under way.
    assert!(world.live.current().is_none());
    world.source.go.notify_one();
    for request in waiting {
        assert_eq!(request.await.unwrap().unwrap(), 1);
    }
    assert_eq!(world.loads(), 1);
}

#[tokio::test]
async fn ten_thousand_unknown_ids_cause_one_load_a_cooldown_while_good_tokens_are_served() {
    let mut world = World::loaded().await;
    for n in 0..10_000 {
        assert_eq!(world.finds(&format!("junk-{n}")).await, Ok(false));
        assert_eq!(world.finds("a").await, Ok(true));
        assert_eq!(world.generation(), world.live.current().map(|held| held.0));
    }
    assert_eq!(
        world.loads(),
        2,
        "the first one, and one for all of the junk"
    );
    world.now += 10 * SECOND;
    for n in 0..10_000 {
        assert_eq!(world.finds(&format!("more-{n}")).await, Ok(false));
    }
    assert_eq!(world.loads(), 3);
}

#[tokio::test]
async fn the_cooldown_is_claimed_before_the_load_and_whatever_comes_of_it() {
    for does in [
        Does::Fails,
        Does::Panics,
        Does::Gives(&[], None),
        Does::Unchanged,
        Does::Gives(&["a"], None),
    ] {
        let mut world = World::loaded().await;
        world.now_does(does.clone());
        // Where the load failed, whether there is such a key is not known until the next one.
        let found = match does {
            Does::Unchanged | Does::Gives(&[_], _) => Ok(false),
            _ => Err(10),
        };
        for n in 0..100 {
            assert_eq!(world.finds(&format!("{n}")).await, found, "{does:?}");
            assert_eq!(world.finds("a").await, Ok(true), "{does:?}");
        }
        assert_eq!(world.loads(), 2, "{does:?}");
        world.now += 10 * SECOND;
        world.now_does(Does::Gives(&["a", "b"], None));
        assert_eq!(world.finds("b").await, Ok(true), "{does:?}");
        assert_eq!(world.loads(), 3, "{does:?}");
    }
}

#[tokio::test]
async fn unknown_ids_wait_for_twice_as_long_after_each_load_that_failed() {
    let mut world = World::loaded().await;
    world.now_does(Does::Fails);
    let mut waited = Vec::new();
    for n in 0..8 {
        let wait = world.finds(&format!("{n}")).await.unwrap_err();
        assert_eq!(world.loads(), n + 2, "one more");
        waited.push(wait);
        // Asked for each second, to the last one before it is over.
        for passed in 1..wait {
            world.now += SECOND;
            assert_eq!(world.finds("x").await, Err(wait - passed));
        }
        assert_eq!(world.loads(), n + 2, "nobody asks meanwhile");
        world.now += SECOND;
    }
    assert_eq!(waited, [10, 20, 40, 80, 160, 300, 300, 300]);
    world.now_does(Does::Gives(&["x"], None));
    assert_eq!(world.finds("x").await, Ok(true));
}

#[tokio::test]
async fn unknown_ids_that_come_while_a_load_is_under_way_join_it() {
    let world = World::loaded().await;
    world.now_does(Does::WaitsAndGives(&["b"]));
    let (held, _) = world.live.current().unwrap();
    let waiting: Vec<_> = (0..100)
        .map(|_| tokio::spawn(world.live.newer(held, world.now)))
        .collect();
    world.settle().await;
    assert_eq!(world.loads(), 2);
    assert_eq!(world.finds("a").await, Ok(true), "served meanwhile");
    world.source.go.notify_one();
    for request in waiting {
        let (generation, set) = request.await.unwrap().unwrap();
        assert_eq!((generation, has(&set, "b")), (2, true));
    }
    assert_eq!(world.loads(), 2);
}

#[tokio::test]
async fn a_rotated_key_is_found_by_the_first_request_that_names_it_and_a_removed_one_is_gone() {
    let mut world = World::loaded().await;
    world.now += SECOND;
    world.now_does(Does::Gives(&["b"], None));
    assert_eq!(world.finds("b").await, Ok(true));
    assert_eq!(world.finds("a").await, Ok(false), "it was taken out");
    assert_eq!(
        world.generation(),
        Some(2),
        "what the first set verified is asked anew"
    );
    // Whoever saw the first set is given the second one without another load.
    let (generation, set) = world.live.newer(1, world.now).await.unwrap();
    assert_eq!((generation, has(&set, "b")), (2, true));
    assert_eq!(world.loads(), 2);
}

#[tokio::test]
async fn a_rotation_right_after_a_refresh_is_found_as_well() {
    let mut world = World::loaded().await;
    world.now += 15 * MINUTE;
    assert_eq!(world.generation(), Some(1));
    world.settle().await;
    assert_eq!(world.loads(), 2, "it was due");
    world.now += SECOND;
    world.now_does(Does::Gives(&["b"], None));
    assert_eq!(world.finds("b").await, Ok(true));
}

#[tokio::test]
async fn fresh_keys_are_refreshed_by_the_first_request_after_their_time_and_serve_meanwhile() {
    let cases = [
        ("not said", None, 15 * MINUTE),
        ("5 minutes", Some(5 * MINUTE), 5 * MINUTE),
        ("nothing", Some(Duration::ZERO), MINUTE),
        ("a second", Some(SECOND), MINUTE),
        ("a year", Some(365 * 24 * HOUR), 24 * HOUR),
        ("for ever", Some(Duration::MAX), 24 * HOUR),
    ];
    for (name, said, fresh_for) in cases {
        let mut world = World::new(Does::Gives(&["a"], said));
        assert_eq!(world.serves().await, Ok(1), "{name}");
        world.now += fresh_for - SECOND;
        assert_eq!(world.generation(), Some(1), "{name}");
        world.settle().await;
        assert_eq!(world.loads(), 1, "{name}");
        world.now_does(Does::WaitsAndGives(&["b"]));
        world.now += SECOND;
        if fresh_for == 24 * HOUR {
            // Its greatest age is reached as well.
            assert_eq!(world.generation(), None, "{name}");
            continue;
        }
        assert_eq!(world.generation(), Some(1), "{name}: the set that is held");
        assert_eq!(world.serves().await, Ok(1), "{name}");
        world.settle().await;
        assert_eq!((world.loads(), world.generation()), (2, Some(1)), "{name}");
        world.source.go.notify_one();
        world.settle().await;
        assert_eq!(world.generation(), Some(2), "{name}");
        let (_, set) = world.live.current().unwrap();
        assert!(has(&set, "b") && !has(&set, "a"), "{name}");
    }
}

#[tokio::test]
async fn keys_that_nobody_used_for_long_are_loaded_before_they_are_used() {
    let mut world = World::loaded().await;
    world.now += 16 * MINUTE - SECOND;
    assert_eq!(world.generation(), Some(1), "a minute of grace");
    world.settle().await;
    world.now_does(Does::Gives(&["b"], None));
    world.now += 16 * MINUTE;
    assert_eq!(world.generation(), None, "wait");
    assert_eq!(world.loads(), 2);
    let number = world.serves().await;
    assert_eq!((number, world.loads()), (Ok(3), 3));
    let (_, set) = world.live.current().unwrap();
    assert!(has(&set, "b") && !has(&set, "a"));
    // Where that load fails, what is held serves.
    world.now_does(Does::Fails);
    world.now += 3 * HOUR;
    assert_eq!(world.serves().await, Ok(3));
    assert_eq!(world.generation(), Some(3));
}

#[tokio::test]
async fn an_issuer_that_is_down_keeps_its_keys_up_to_their_age_and_comes_back_by_itself() {
    let mut world = World::loaded().await;
    world.now_does(Does::Fails);
    let mut failures = 0;
    // An hour, a request each second.
    for _ in 0..3600 {
        world.now += SECOND;
        assert_eq!(world.serves().await, Ok(1));
        assert_eq!(world.generation(), Some(1));
        world.settle().await;
    }
    failures += world.loads() - 1;
    // 15 minutes fresh, then after 10, 20, 40, 80, 160 seconds, and each 300.
    assert_eq!(failures, 13);
    for _ in 0..23 * 60 - 1 {
        world.now += MINUTE;
        assert_eq!(world.serves().await, Ok(1));
        world.settle().await;
    }
    world.now += MINUTE - SECOND;
    assert_eq!(world.serves().await, Ok(1), "a second before the end");
    world.settle().await;
    world.now += SECOND;
    assert_eq!(world.generation(), None);
    let retry_after = world.serves().await.unwrap_err();
    assert!(retry_after <= 30, "{retry_after}");
    assert!(world.live.ready(world.now).await.is_err());
    // Back again: the first request after the wait is served.
    world.now_does(Does::Gives(&["b"], None));
    world.now += retry_after as u32 * SECOND;
    assert_eq!(world.finds("b").await, Ok(true));
    assert_eq!(world.generation(), Some(2));
}

#[tokio::test]
async fn with_no_keys_at_all_requests_are_refused_at_once_until_the_next_try() {
    let mut world = World::new(Does::Fails);
    let mut waited = Vec::new();
    for _ in 0..8 {
        let retry_after = world.serves().await.unwrap_err();
        let loads = world.loads();
        for _ in 0..100 {
            assert_eq!(world.serves().await, Err(retry_after));
            assert_eq!(world.generation(), None);
        }
        assert_eq!(world.loads(), loads, "nobody else asks");
        world.now += retry_after as u32 * SECOND;
        waited.push(retry_after);
    }
    assert_eq!(waited, [10, 20, 30, 30, 30, 30, 30, 30]);
    world.now_does(Does::Gives(&["a"], None));
    assert_eq!(world.serves().await, Ok(1));
}

#[tokio::test]
async fn the_refusal_says_in_the_log_why_there_are_no_keys() {
    let world = World::new(Does::Fails);
    let rejection = world.live.usable(world.now).await.unwrap_err();
    let shown = format!("{rejection:?}");
    assert!(shown.contains("(keys)"), "{shown}");
    assert!(shown.contains("it is down: planted"), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_load_that_hangs_ends_after_ten_seconds_and_another_follows() {
    let mut world = World::new(Does::Hangs);
    let began = tokio::time::Instant::now();
    assert_eq!(world.serves().await, Err(10));
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    world.now += 10 * SECOND;
    world.now_does(Does::Gives(&["a"], None));
    assert_eq!(world.serves().await, Ok(1));
    // With keys nobody waits for it.
    world.now_does(Does::Hangs);
    world.now += 15 * MINUTE;
    let began = tokio::time::Instant::now();
    assert_eq!((world.generation(), world.serves().await), (Some(1), Ok(1)));
    assert_eq!(began.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(11)).await;
    world.now_does(Does::Gives(&["b"], None));
    world.now += 11 * SECOND;
    assert_eq!(world.generation(), Some(1));
    world.settle().await;
    assert_eq!(world.generation(), Some(2));
}

#[tokio::test]
async fn a_load_that_panics_is_one_that_failed() {
    let mut world = World::new(Does::Panics);
    assert_eq!(world.serves().await, Err(10));
    world.now += 10 * SECOND;
    world.now_does(Does::Gives(&["a"], None));
    assert_eq!(world.serves().await, Ok(1));
    world.now_does(Does::Panics);
    world.now += HOUR;
    assert_eq!(world.serves().await, Ok(1));
}

#[tokio::test]
async fn an_empty_set_keeps_the_one_that_is_held_and_no_set_is_unchanged_from_the_start() {
    for does in [Does::Gives(&[], None), Does::Unchanged] {
        let world = World::new(does.clone());
        assert_eq!(world.serves().await, Err(10), "{does:?}");
    }
    let mut world = World::loaded().await;
    world.now_does(Does::Gives(&[], None));
    world.now += HOUR;
    assert_eq!(world.finds("a").await, Ok(true));
    assert_eq!(world.generation(), Some(1));
}

#[tokio::test]
async fn a_set_that_has_not_changed_keeps_its_number_and_is_held_anew() {
    let mut world = World::loaded().await;
    world.now_does(Does::Unchanged);
    for _ in 0..48 {
        world.now += HOUR;
        assert_eq!(world.serves().await, Ok(1));
    }
    assert_eq!(world.loads(), 49);
}

#[tokio::test]
async fn a_caller_who_goes_away_half_way_ends_no_load() {
    let world = World::new(Does::WaitsAndGives(&["a"]));
    let live = Arc::clone(&world.live);
    let now = world.now;
    let caller = tokio::spawn(async move { live.usable(now).await.map(drop) });
    world.settle().await;
    caller.abort();
    world.settle().await;
    world.source.go.notify_one();
    world.settle().await;
    assert_eq!((world.generation(), world.loads()), (Some(1), 1));
    // So with one that waits for an unknown key.
    world.now_does(Does::WaitsAndGives(&["b"]));
    drop(world.live.newer(1, world.now));
    world.settle().await;
    world.source.go.notify_one();
    world.settle().await;
    assert_eq!((world.generation(), world.loads()), (Some(2), 2));
}

#[tokio::test]
async fn a_clock_that_is_set_back_has_the_keys_loaded_anew_and_lengthens_no_age() {
    let mut world = World::loaded().await;
    world.now -= 2 * SECOND;
    assert_eq!(world.generation(), Some(1), "clocks of two requests differ");
    world.settle().await;
    assert_eq!(world.loads(), 1);
    world.now -= 30 * 24 * HOUR;
    world.now_does(Does::Fails);
    assert_eq!(world.generation(), Some(1), "served meanwhile");
    world.settle().await;
    assert_eq!(world.loads(), 2);
    let set_back = world.now;
    while world.serves().await == Ok(1) {
        world.settle().await;
        world.now += MINUTE;
    }
    let served_for = world.now.duration_since(set_back).unwrap();
    assert!(served_for <= 24 * HOUR + MINUTE, "{served_for:?}");
    // An unknown key may be asked for as well, though the last time lies ahead.
    let mut world = World::loaded().await;
    assert_eq!(world.finds("junk").await, Ok(false));
    world.now -= HOUR;
    world.now_does(Does::Gives(&["b"], None));
    assert_eq!(world.finds("b").await, Ok(true));
}

#[tokio::test]
async fn a_clock_that_leaps_ahead_fails_closed_until_there_are_keys() {
    let mut world = World::loaded().await;
    world.now_does(Does::Fails);
    world.now += 48 * HOUR;
    assert_eq!(world.generation(), None);
    assert_eq!(world.serves().await, Err(10));
    world.now += 10 * SECOND;
    world.now_does(Does::Gives(&["a"], None));
    assert_eq!(world.serves().await, Ok(2));
}

#[test]
fn outside_of_a_runtime_what_is_held_serves_and_nothing_panics() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_time().build().unwrap()
    };
    let first = runtime();
    let mut world = first.block_on(World::loaded());
    world.now += 15 * MINUTE;
    assert_eq!(world.generation(), Some(1));
    drop(world.live.newer(1, world.now));
    assert_eq!(world.loads(), 1);
    // A runtime that ends in the middle of a load is a load that failed.
    world.now_does(Does::Hangs);
    first.block_on(async {
        assert_eq!(world.generation(), Some(1));
        world.settle().await;
    });
    assert_eq!(world.loads(), 2);
    drop(first);
    world.now += 10 * SECOND;
    world.now_does(Does::Gives(&["b"], None));
    runtime().block_on(async {
        assert_eq!(world.generation(), Some(1));
        world.settle().await;
        assert_eq!(world.generation(), Some(2));
    });
}
