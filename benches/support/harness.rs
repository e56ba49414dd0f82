//! Runs rows and reports.

use super::count;
use super::fixtures;
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fmt::Debug;
use std::rc::Rc;
use std::time::Instant;
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt};

const ROUNDS: usize = 101;
const REQUESTS: usize = 200;

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[expect(unsafe_code, reason = "an allocator can be counted in no other way")]
// SAFETY: every call is passed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

pub(crate) type Body = Full<Bytes>;

/// One thing to measure: prepare so many requests, then send them.
pub(crate) trait Bench {
    fn prepare(&mut self, requests: usize);
    fn go(&mut self);
}

pub(crate) struct Row {
    pub(crate) name: String,
    /// Instructions net of `bare` that it may cost.
    pub(crate) budget: Option<f64>,
    pub(crate) bench: Box<dyn Bench>,
}

struct Sends<S> {
    runtime: Rc<Runtime>,
    service: S,
    headers: HeaderMap,
    expected: StatusCode,
    requests: Vec<Request<Body>>,
}

impl<S, R> Bench for Sends<S>
where
    S: Service<Request<Body>, Response = Response<R>>,
    S::Error: Debug,
{
    fn prepare(&mut self, requests: usize) {
        self.requests = (0..requests)
            .map(|_| fixtures::request(&self.headers))
            .collect();
    }

    fn go(&mut self) {
        let Self {
            runtime,
            service,
            expected,
            requests,
            ..
        } = self;
        runtime.block_on(async {
            for request in requests.drain(..) {
                let response = service.ready().await.unwrap().call(request).await.unwrap();
                assert_eq!(response.status(), *expected);
            }
        });
    }
}

/// Sends requests that carry a credential field through a service.
pub(crate) fn row<S, R>(
    runtime: &Rc<Runtime>,
    name: &str,
    credential: Option<(&'static str, &str)>,
    service: S,
) -> Row
where
    S: Service<Request<Body>, Response = Response<R>> + 'static,
    S::Error: Debug,
{
    let expected = if name.contains("refused") {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::OK
    };
    let headers = fixtures::headers(credential);
    let bench = Sends {
        runtime: Rc::clone(runtime),
        service,
        headers,
        expected,
        requests: Vec::new(),
    };
    Row {
        name: name.to_owned(),
        budget: None,
        bench: Box::new(bench),
    }
}

impl Row {
    pub(crate) fn budget(mut self, instructions: u32) -> Self {
        self.budget = Some(f64::from(instructions));
        self
    }
}

pub(crate) fn main(mut rows: Vec<Row>) {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let (mode, words) = match arguments.split_first() {
        Some((mode, words))
            if ["list", "instr", "gate", "step", "count"].contains(&mode.as_str()) =>
        {
            (mode.as_str(), words)
        }
        _ => ("time", arguments.as_slice()),
    };
    let wanted =
        |row: &Row| words.is_empty() || words.iter().any(|word| row.name.contains(word.as_str()));
    match mode {
        "step" | "count" => {
            let row = rows.iter_mut().find(|row| row.name == words[0]).unwrap();
            if mode == "step" {
                count::child(&mut *row.bench)
            } else {
                repeat(&mut *row.bench, 1000)
            }
        }
        "list" => rows.iter().for_each(|row| println!("{}", row.name)),
        "instr" => _ = instructions(rows.iter().filter(|row| wanted(row))),
        "gate" => {
            if !instructions(rows.iter().filter(|row| row.budget.is_some())) {
                std::process::exit(1);
            }
        }
        _ => {
            rows.retain(|row| row.name == "bare" || wanted(row));
            time(&mut rows);
        }
    }
}

/// For a profiler: `valgrind --tool=callgrind --toggle-collect='*repeat*'`.
#[inline(never)]
fn repeat(bench: &mut dyn Bench, requests: usize) {
    bench.prepare(requests);
    bench.go();
}

/// Prints what rows cost; whether all budgets are kept.
fn instructions<'a>(rows: impl Iterator<Item = &'a Row>) -> bool {
    // Of five children: in some of them the kernel sets the clock while it is read, or keys meet in a table.
    let count = |name: &str| median((0..5).map(|_| count::instructions(name)).collect());
    let bare = count("bare");
    println!("| row | instructions net of bare | budget |\n|---|---:|---:|");
    let mut kept = true;
    for row in rows {
        let net = count(&row.name) - bare;
        let verdict = match row.budget {
            Some(budget) if net > budget => {
                kept = false;
                format!("{budget:.0}, MISSED")
            }
            Some(budget) => format!("{budget:.0}"),
            None => String::from("-"),
        };
        println!("| {} | {net:.0} | {verdict} |", row.name);
    }
    kept
}

/// Every round runs every row once, so that all meet the same noise.
fn time(rows: &mut [Row]) {
    let mut times: Vec<Vec<f64>> = rows.iter().map(|_| Vec::new()).collect();
    for round in 0..ROUNDS {
        for at in 0..rows.len() {
            let at = (at + round) % rows.len();
            let bench = &mut rows[at].bench;
            bench.prepare(REQUESTS);
            #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
            let start = Instant::now();
            bench.go();
            times[at].push(start.elapsed().as_nanos() as f64 / REQUESTS as f64);
        }
    }
    println!("| row | ns net of bare | x bare | allocations |\n|---|---:|---:|---:|");
    let bare = times[0].clone();
    for (row, times) in rows.iter_mut().zip(&times) {
        let net = median(
            times
                .iter()
                .zip(&bare)
                .map(|(time, bare)| time - bare)
                .collect(),
        );
        let ratio = median(
            times
                .iter()
                .zip(&bare)
                .map(|(time, bare)| time / bare)
                .collect(),
        );
        row.bench.prepare(100);
        let before = ALLOCATIONS.get();
        row.bench.go();
        let allocations = (ALLOCATIONS.get() - before) as f64 / 100.0;
        println!(
            "| {} | {net:.0} | {ratio:.2} | {allocations:.1} |",
            row.name
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
