//! What two threads reach together, over what one of them reaches alone.
//!
//! Requests have nothing to do with each other, so the figure is 2 but for what they share: the
//! machine, which the bare service shows, and what the layer writes for every request, which is
//! what is sought.
//!
//! The statistic is made for a machine that has other work:
//!
//! - A round sends some hundred requests by one thread and then by both, or the other way round,
//!   within a millisecond or so. Each thread is tied to a core of its own. Its figure is the sum of
//!   both rates over the rate of one alone.
//! - It is thrown away where a thread lost its core to others (it took longer than the processor
//!   time it got) or the two did not run at the same time. What remains is what two threads do to
//!   *each other*.
//! - Rows alternate, and each is divided by the bare service's figure of the same round.
//! - Medians over all rounds are reported; a row with too few rounds to say anything is a failure,
//!   not a pass.
//!
//! Each thread has a clone of the service, and callers of its own unless the row says otherwise.

use super::fixtures::{self, bearer, hs256_of_number};
use super::floor::{self, Floor, Hello};
use super::harness::{Bench, Body, Field, Sends, is_wanted, median};
use super::world::{SLIDING, USERS, World, tokens};
use http::{Response, StatusCode};
use std::fmt::Debug;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use tower::Service;
use tower_auth::throttle::QuotaFields;
use tower_layer::Layer;

const REQUESTS: usize = 256;
const CALLERS: usize = 16;
/// So many tokens come again and again.
const LIVE: usize = 10_000;
const ROUNDS: usize = 2_000;
const LONGEST: Duration = Duration::from_secs(120);
const FEWEST_ROUNDS: usize = 100;

struct Row {
    name: &'static str,
    budget: Budget,
    /// What each thread sends, made on it.
    makers: [Box<dyn FnOnce() -> Box<dyn Bench> + Send>; 2],
}

#[derive(Clone, Copy)]
enum Budget {
    Free,
    /// So many times the bare service's figure in the same run.
    OfBare(f64),
    Figure(f64),
}

#[derive(Default)]
struct Figures {
    /// Two threads over one.
    own: Vec<f64>,
    over_bare: Vec<f64>,
}

pub(crate) fn main(words: &[String]) {
    let mut rows = rows();
    rows.retain(|row| row.name == "bare" || is_wanted(row.name, words));
    let (names, (left, right)): (Vec<_>, (Vec<_>, Vec<_>)) = rows
        .into_iter()
        .map(
            |Row {
                 name,
                 budget,
                 makers: [left, right],
             }| ((name, budget), (left, right)),
        )
        .unzip();
    let threads = [left, right].map(Thread::start);
    let mut figures: Vec<Figures> = names.iter().map(|_| Figures::default()).collect();

    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    let start = Instant::now();
    let mut rounds = 0;
    while rounds < ROUNDS && start.elapsed() < LONGEST {
        let mut bare = None;
        for (row, figures) in figures.iter_mut().enumerate() {
            let figure = figure(&threads, row, rounds);
            if row == 0 {
                bare = figure;
            }
            figures.own.extend(figure);
            if let (Some(figure), Some(bare)) = (figure, bare) {
                figures.over_bare.push(figure / bare);
            }
        }
        rounds += 1;
    }
    if !report(&names, figures, rounds) {
        std::process::exit(1);
    }
}

/// Prints all figures; whether all budgets are kept.
fn report(names: &[(&str, Budget)], figures: Vec<Figures>, rounds: usize) -> bool {
    println!("{rounds} rounds\n");
    println!(
        "| row | two threads over one | x bare | budget | good rounds |\n|---|---:|---:|---:|---:|"
    );
    let mut missed = Vec::new();
    for ((name, budget), figures) in names.iter().zip(figures) {
        let good = figures.over_bare.len();
        if good < FEWEST_ROUNDS {
            println!("| {name} | - | - | - | {good}, too few |");
            missed.push(format!(
                "{name}: the machine is too busy, {good} good rounds"
            ));
            continue;
        }
        let own = median(figures.own);
        let over_bare = median(figures.over_bare);
        let (text, is_kept) = match *budget {
            Budget::Free => (String::from("-"), true),
            Budget::OfBare(least) => (format!("{least} x bare"), over_bare >= least),
            Budget::Figure(least) => (least.to_string(), own >= least),
        };
        let verdict = if is_kept { "" } else { ", MISSED" };
        println!("| {name} | {own:.2} | {over_bare:.3} | {text}{verdict} | {good} |");
        if !is_kept {
            missed.push(format!(
                "{name}: {own:.2}, {over_bare:.3} x bare, budget {text}"
            ));
        }
    }
    if !missed.is_empty() {
        println!("\nMISSED:\n{}", missed.join("\n"));
    }
    missed.is_empty()
}

/// Of one round; `None` where something else disturbed it.
fn figure(threads: &[Thread; 2], row: usize, round: usize) -> Option<f64> {
    // Who is alone, and what comes first, changes from round to round.
    let alone = &threads[round % 2..][..1];
    let (one, two) = if (round / 2).is_multiple_of(2) {
        let one = together(alone, row);
        (one, together(threads, row))
    } else {
        let two = together(threads, row);
        (together(alone, row), two)
    };
    let undisturbed = one.iter().chain(&two).all(Section::kept_its_core);
    let [left, right] = two.as_slice() else {
        return None;
    };
    let both = left
        .end
        .min(right.end)
        .saturating_duration_since(left.start.max(right.start));
    let longest = left.wall().max(right.wall());
    let at_once = both.as_secs_f64() > 0.9 * longest.as_secs_f64();
    (undisturbed && at_once).then(|| (left.rate() + right.rate()) / one[0].rate())
}

fn together(threads: &[Thread], row: usize) -> Vec<Section> {
    let ready = Arc::new(AtomicUsize::new(threads.len()));
    for thread in threads {
        thread.jobs.send((row, Arc::clone(&ready))).unwrap();
    }
    threads
        .iter()
        .map(|thread| thread.sections.recv().unwrap())
        .collect()
}

/// Sends requests when it is told to, and sleeps meanwhile.
struct Thread {
    /// Which row, and how many threads are still to be waited for.
    jobs: Sender<(usize, Arc<AtomicUsize>)>,
    sections: Receiver<Section>,
}

impl Thread {
    fn start(makers: Vec<Box<dyn FnOnce() -> Box<dyn Bench> + Send>>) -> Self {
        static CORE: AtomicUsize = AtomicUsize::new(0);
        let core = CORE.fetch_add(1, Ordering::Relaxed);
        let (jobs, next) = channel::<(usize, Arc<AtomicUsize>)>();
        let (done, sections) = channel();
        std::thread::spawn(move || {
            machine::tie_to(core);
            let mut rows: Vec<_> = makers.into_iter().map(|make| make()).collect();
            for (row, ready) in next {
                let bench = &mut rows[row];
                bench.prepare(REQUESTS);
                ready.fetch_sub(1, Ordering::AcqRel);
                while ready.load(Ordering::Acquire) > 0 {
                    std::hint::spin_loop();
                }
                done.send(Section::measure(&mut **bench)).unwrap();
            }
        });
        Self { jobs, sections }
    }
}

struct Section {
    start: Instant,
    end: Instant,
    processor: Duration,
}

impl Section {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn measure(bench: &mut dyn Bench) -> Self {
        let before = machine::processor_time();
        let start = Instant::now();
        bench.go();
        let end = Instant::now();
        Self {
            start,
            end,
            processor: machine::processor_time().saturating_sub(before),
        }
    }

    fn wall(&self) -> Duration {
        self.end - self.start
    }

    fn rate(&self) -> f64 {
        REQUESTS as f64 / self.wall().as_secs_f64()
    }

    fn kept_its_core(&self) -> bool {
        self.processor.as_secs_f64() > 0.98 * self.wall().as_secs_f64()
    }
}

fn rows() -> Vec<Row> {
    let world = World::new();
    let all = world.all();
    let throttled = world.throttled(SLIDING, QuotaFields::Hidden);
    let told = world.throttled(SLIDING, QuotaFields::Standard);
    let issuer = world.issuer(tokens());
    let issued: Vec<String> = (0..LIVE).map(|n| issuer.issue(n % USERS)).collect();

    let keys = each_its_own(world.raw.iter().map(|key| bearer(key)));
    let secret = each_its_own((0..2 * CALLERS).map(|n| bearer(&hs256_of_number(n))));
    let live = half_each((0..LIVE).map(|n| bearer(&hs256_of_number(n))));
    let issued = half_each(issued.iter().map(|token| bearer(token)));
    let unremembered = world.unremembered();
    let nobody = [vec![], vec![]];
    let (key, token, access) = (
        both_the_same(&keys),
        both_the_same(&secret),
        both_the_same(&issued),
    );

    let floor = world.raw.clone();
    vec![
        row("bare", Budget::Free, &nobody, || Hello),
        row("FLOOR API key", Budget::Free, &keys, || {
            Floor(floor::api_key(floor.clone()))
        }),
        row("API key", Budget::OfBare(0.97), &keys, || all.layer(Hello)),
        row("API key, throttled", Budget::OfBare(0.93), &keys, || {
            throttled.layer(Hello)
        }),
        row(
            "API key, throttled and told",
            Budget::OfBare(0.93),
            &keys,
            || told.layer(Hello),
        ),
        row(
            "HS256, verified each time",
            Budget::OfBare(0.97),
            &secret,
            || unremembered.layer(Hello),
        ),
        row(
            "HS256, seen before, of 10,000",
            Budget::OfBare(0.97),
            &live,
            || all.layer(Hello),
        ),
        row(
            "issued, seen before, of 10,000",
            Budget::OfBare(0.97),
            &issued,
            || issuer.layer.layer(Hello),
        ),
        row("one API key", Budget::Figure(1.5), &key, || {
            all.layer(Hello)
        }),
        row("one API key, throttled", Budget::Free, &key, || {
            throttled.layer(Hello)
        }),
        row(
            "one HS256, seen before",
            Budget::Figure(1.5),
            &token,
            || all.layer(Hello),
        ),
        row(
            "one issued, seen before",
            Budget::Figure(1.5),
            &access,
            || issuer.layer.layer(Hello),
        ),
    ]
}

fn row<S, R>(
    name: &'static str,
    budget: Budget,
    credentials: &[Vec<Field>; 2],
    service: impl Fn() -> S,
) -> Row
where
    S: Service<http::Request<Body>, Response = Response<R>> + Send + 'static,
    S::Error: Debug,
{
    let makers = credentials.each_ref().map(|credentials| {
        let mut headers: Vec<_> = credentials
            .iter()
            .map(|credential| fixtures::headers(Some(credential)))
            .collect();
        if headers.is_empty() {
            headers.push(fixtures::headers(None));
        }
        let service = service();
        let make = move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let runtime = Rc::new(runtime.unwrap());
            let mut next = 0;
            let headers = move || {
                next = (next + 1) % headers.len();
                headers[next].clone()
            };
            let bench: Box<dyn Bench> =
                Box::new(Sends::new(&runtime, service, headers, StatusCode::OK));
            bench
        };
        Box::new(make) as Box<dyn FnOnce() -> Box<dyn Bench> + Send>
    });
    Row {
        name,
        budget,
        makers,
    }
}

fn each_its_own(credentials: impl Iterator<Item = Field>) -> [Vec<Field>; 2] {
    let mut left: Vec<Field> = credentials.take(2 * CALLERS).collect();
    let right = left.split_off(CALLERS);
    [left, right]
}

fn half_each(credentials: impl Iterator<Item = Field>) -> [Vec<Field>; 2] {
    let mut left: Vec<Field> = credentials.collect();
    let right = left.split_off(left.len() / 2);
    [left, right]
}

fn both_the_same([left, _]: &[Vec<Field>; 2]) -> [Vec<Field>; 2] {
    [vec![left[0].clone()], vec![left[0].clone()]]
}

#[cfg(not(target_os = "linux"))]
mod machine {
    use std::time::Duration;

    pub(crate) fn tie_to(_: usize) {}

    pub(crate) fn processor_time() -> Duration {
        eprintln!("the processor time of a thread is read on Linux only");
        std::process::exit(2);
    }
}

#[cfg(target_os = "linux")]
#[expect(
    unsafe_code,
    reason = "there is no safe interface to a thread's core and time"
)]
mod machine {
    use std::time::Duration;

    /// Ties the calling thread to the n-th of the cores that the process may use.
    pub(crate) fn tie_to(nth: usize) {
        let size = size_of::<libc::cpu_set_t>();
        // SAFETY: a set of cores is plain bits, and it outlives the calls that are given its size.
        unsafe {
            let mut cores: libc::cpu_set_t = std::mem::zeroed();
            libc::sched_getaffinity(0, size, &mut cores);
            let usable = |core: &usize| libc::CPU_ISSET(*core, &cores);
            let core = (0..libc::CPU_SETSIZE as usize).filter(usable).nth(nth);
            let core = core.expect("two cores are needed");
            let mut one: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(core, &mut one);
            libc::sched_setaffinity(0, size, &one);
        }
    }

    /// How long the calling thread has been running on a core.
    pub(crate) fn processor_time() -> Duration {
        let mut time = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the time outlives the call.
        unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
        Duration::new(
            time.tv_sec.cast_unsigned(),
            time.tv_nsec.cast_unsigned() as u32,
        )
    }
}
