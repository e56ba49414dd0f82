//! Runs rows and reports.

use super::{count, fixtures, flood, rows, threads};
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
    pub(crate) budget: Option<Budget>,
    pub(crate) bench: Box<dyn Bench>,
}

/// What a row may cost, net of `bare`.
#[derive(Clone, Copy)]
pub(crate) enum Budget {
    Instructions(f64),
    /// So many times what another row costs.
    Times(f64, &'static str),
}

/// A credential in its field.
pub(crate) type Field = (&'static str, String);

/// Sends requests through a service.
pub(crate) struct Sends<S> {
    runtime: Rc<Runtime>,
    service: S,
    /// The fields of the next request.
    headers: Box<dyn FnMut() -> HeaderMap>,
    expected: StatusCode,
    requests: Vec<Request<Body>>,
}

impl<S> Sends<S> {
    pub(crate) fn new(
        runtime: &Rc<Runtime>,
        service: S,
        headers: impl FnMut() -> HeaderMap + 'static,
        expected: StatusCode,
    ) -> Self {
        Self {
            runtime: Rc::clone(runtime),
            service,
            headers: Box::new(headers),
            expected,
            requests: Vec::new(),
        }
    }
}

impl<S, R> Bench for Sends<S>
where
    S: Service<Request<Body>, Response = Response<R>>,
    S::Error: Debug,
{
    fn prepare(&mut self, requests: usize) {
        let headers = std::iter::repeat_with(&mut self.headers).take(requests);
        self.requests = headers.map(fixtures::request).collect();
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
    credential: Option<&Field>,
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
    Row {
        name: name.to_owned(),
        budget: None,
        bench: Box::new(Sends::new(
            runtime,
            service,
            move || headers.clone(),
            expected,
        )),
    }
}

/// Sends each credential once through a service that accepts it.
pub(crate) fn row_of_new<S, R>(
    runtime: &Rc<Runtime>,
    name: &str,
    mut next: impl FnMut() -> Field + 'static,
    service: S,
) -> Row
where
    S: Service<Request<Body>, Response = Response<R>> + 'static,
    S::Error: Debug,
{
    // As those of the other rows, the fields of a request are shared with somebody who keeps them:
    // what is measured is not to give them back.
    let mut kept = Vec::new();
    let headers = move || {
        let headers = fixtures::headers(Some(&next()));
        if kept.len() == 1_000 {
            kept.clear();
        }
        kept.push(headers.clone());
        headers
    };
    Row {
        name: name.to_owned(),
        budget: None,
        bench: Box::new(Sends::new(runtime, service, headers, StatusCode::OK)),
    }
}

impl Row {
    pub(crate) fn budget(mut self, instructions: u32) -> Self {
        self.budget = Some(Budget::Instructions(f64::from(instructions)));
        self
    }

    pub(crate) fn budget_of(mut self, times: f64, row: &'static str) -> Self {
        self.budget = Some(Budget::Times(times, row));
        self
    }
}

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let modes = ["list", "instr", "gate", "threads", "flood", "step", "count"];
    let (mode, words) = match arguments.split_first() {
        Some((mode, words)) if modes.contains(&mode.as_str()) => (mode.as_str(), words),
        _ => ("time", arguments.as_slice()),
    };
    if mode == "threads" {
        threads::main(words);
        return;
    }
    if mode == "flood" {
        flood::main();
        return;
    }
    let mut rows = rows::rows();
    let wanted = |row: &Row| is_wanted(&row.name, words);
    match mode {
        "step" => {
            let row = rows.iter_mut().find(|row| row.name == words[0]).unwrap();
            count::child(&mut *row.bench, words[1].parse().unwrap());
        }
        "count" => {
            let row = rows.iter_mut().find(|row| row.name == words[0]).unwrap();
            repeat(&mut *row.bench, words[1].parse().unwrap());
        }
        "list" => rows.iter().for_each(|row| println!("{}", row.name)),
        "instr" => {
            instructions(rows.iter().filter(|row| wanted(row)));
        }
        "gate" => {
            let missed = instructions(
                rows.iter()
                    .filter(|row| row.budget.is_some() && wanted(row)),
            );
            if !missed.is_empty() {
                println!("\nMISSED:\n{}", missed.join("\n"));
                std::process::exit(1);
            }
        }
        _ => {
            rows.retain(|row| row.name == "bare" || wanted(row));
            time(&mut rows);
        }
    }
}

pub(crate) fn is_wanted(name: &str, words: &[String]) -> bool {
    words.is_empty() || words.iter().any(|word| name.contains(word.as_str()))
}

/// For a profiler: `valgrind --tool=callgrind --toggle-collect='*repeat*'`.
#[inline(never)]
fn repeat(bench: &mut dyn Bench, requests: usize) {
    bench.prepare(requests);
    bench.go();
}

/// Prints what rows cost, and gives those that cost more than their budgets.
fn instructions<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<String> {
    let bare = count("bare");
    let mut missed = Vec::new();
    println!("| row | instructions net of bare | budget |\n|---|---:|---:|");
    for row in rows {
        let net = count(&row.name) - bare;
        let (budget, why) = match row.budget {
            None => {
                println!("| {} | {net:.0} | - |", row.name);
                continue;
            }
            Some(Budget::Instructions(budget)) => (budget, String::new()),
            Some(Budget::Times(times, other)) => {
                let other_net = count(other) - bare;
                (
                    times * other_net,
                    format!(" = {times} x {other_net:.0} of {other}"),
                )
            }
        };
        let verdict = if net > budget { ", MISSED" } else { "" };
        println!("| {} | {net:.0} | {budget:.0}{why}{verdict} |", row.name);
        if net > budget {
            missed.push(format!("{}: {net:.0}, budget {budget:.0}{why}", row.name));
        }
    }
    missed
}

/// The instructions of one request, the median of several children: in some of them the kernel sets
/// the clock while it is read, or keys meet in a table.
fn count(row: &str) -> f64 {
    // A public key takes half a million steps a request, beside which such differences are small.
    let is_long = count::instructions(row, 2) > 50_000.0;
    let (children, requests) = if is_long { (3, 2) } else { (5, 5) };
    median(
        (0..children)
            .map(|_| count::instructions(row, requests))
            .collect(),
    )
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

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
