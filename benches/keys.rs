//! What a limiter costs with many keys: bytes a key, time a check, and the longest that a new key
//! ever takes of the CPU's time.
//!
//! ```text
//! cargo bench --bench keys            # up to a million keys
//! cargo bench --bench keys -- 100000  # up to so many
//! ```
//!
//! Ours (sliding, paced, calendar) stand next to governor's keyed limiter over DashMap, in one
//! process and by turns, so that they meet the same noise. Keys are 16 bytes and are asked for in
//! an order that caches cannot guess. Bytes are what the allocator was asked for and has not got
//! back.

#![expect(clippy::unwrap_used, reason = "a bench that cannot unwrap has failed")]

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tower_auth::test_util::BareRule;

/// Counts the bytes that are in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

#[expect(unsafe_code, reason = "an allocator can be counted in no other way")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

type Key = [u8; 16];

/// Something that decides by key.
trait Decides {
    fn check(&self, key: &Key) -> bool;
}

impl Decides for BareRule {
    fn check(&self, key: &Key) -> bool {
        BareRule::check(self, key)
    }
}

impl Decides for DefaultKeyedRateLimiter<Key> {
    fn check(&self, key: &Key) -> bool {
        self.check_key(key).is_ok()
    }
}

/// Makes an empty one.
type Makes = Box<dyn Fn() -> Box<dyn Decides>>;

fn limiters(keys: usize) -> Vec<(&'static str, Makes)> {
    // None refuses here, and none is idle before the end.
    let ours = move |rate: &'static str| -> Makes {
        Box::new(move || Box::new(BareRule::new(rate.parse().unwrap(), keys * 2)))
    };
    let governor = || -> Box<dyn Decides> {
        let quota = Quota::with_period(Duration::from_secs(86))
            .unwrap()
            .allow_burst(NonZeroU32::new(1000).unwrap());
        Box::new(RateLimiter::keyed(quota))
    };
    vec![
        ("governor (GCRA)", Box::new(governor)),
        ("paced (GCRA)", ours("1000/day burst 1000")),
        ("sliding", ours("1000/day")),
        ("calendar", ours("1000/week calendar")),
    ]
}

/// All keys, each once, in an order without a pattern: splitmix64.
fn key(n: usize) -> Key {
    let mix = |mut z: u64| {
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    let halves = [mix(n as u64), mix(n as u64 ^ 0x9e37_79b9_7f4a_7c15)];
    std::array::from_fn(|at| halves[at / 8].to_le_bytes()[at % 8])
}

#[expect(clippy::disallowed_methods, reason = "a bench measures time")]
fn now() -> Instant {
    Instant::now()
}

/// What this thread has used: others that run meanwhile do not count, though memory that the kernel
/// hands out does.
#[expect(unsafe_code, reason = "it has no safe interface")]
fn used() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` outlives the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    Duration::new(
        time.tv_sec.unsigned_abs(),
        time.tv_nsec.unsigned_abs() as u32,
    )
}

fn main() {
    let most = std::env::args()
        .skip(1)
        .find_map(|word| word.parse().ok())
        .unwrap_or(1_000_000);
    println!(
        "| limiter | keys | bytes a key | ns a check | longest new key, µs |\n\
         |---|---:|---:|---:|---:|"
    );
    let mut count = 1_000;
    while count <= most {
        let order: Vec<Key> = (0..count).map(key).collect();
        let again: Vec<Key> = (0..count.max(200_000))
            .map(|n| key((n.wrapping_mul(7_919_999)) % count))
            .collect();
        for (name, make) in limiters(count) {
            let before = IN_USE.load(Ordering::Relaxed);
            let limiter = make();
            let mut longest = Duration::ZERO;
            for key in &order {
                let before = used();
                assert!(limiter.check(key));
                longest = longest.max(used() - before);
            }
            let bytes = (IN_USE.load(Ordering::Relaxed) - before) as f64 / count as f64;
            let mut rounds: Vec<f64> = (0..5)
                .map(|_| {
                    let start = now();
                    again.iter().for_each(|key| _ = limiter.check(key));
                    start.elapsed().as_nanos() as f64 / again.len() as f64
                })
                .collect();
            rounds.sort_by(f64::total_cmp);
            println!(
                "| {name} | {count} | {bytes:.0} | {:.0} | {:.0} |",
                rounds[2],
                longest.as_micros()
            );
        }
        count *= 10;
    }
}
