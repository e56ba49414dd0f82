//! No header field, however it is written, gets past a layer that a plain good credential would not
//! get past.

mod case;
mod leaks;
mod properties;
mod routes;
mod sources;
mod table;
mod uniform;
mod wire;
mod world;

use crate::support::Reply;
use case::{Case, Expect, Way};
use std::collections::{BTreeMap, BTreeSet};
use wire::{Running, Witness, direct};
use world::{Mode, Setup, World, world};

#[tokio::test]
async fn every_group_of_rows_has_three_causes_and_every_row_a_name_of_its_own() {
    let rows = table::rows(world().await);
    let mut groups: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for case in &rows {
        assert!(
            names.insert((case.row, case.name)),
            "{}: {} comes twice",
            case.row,
            case.name
        );
        groups.entry(case.row).or_default().insert((
            case.setup,
            case.method,
            &case.target,
            &case.headers,
        ));
    }
    for (row, causes) in &groups {
        assert!(causes.len() >= 3, "{row} has {} causes", causes.len());
    }
    assert_eq!(
        groups.values().map(BTreeSet::len).sum::<usize>(),
        rows.len(),
        "no row is the double of another"
    );
    assert!(rows.len() >= 150, "{} rows", rows.len());
    for setup in Setup::ALL {
        assert!(
            rows.iter().any(|case| case.setup == setup),
            "{setup:?} has rows"
        );
    }
}

#[tokio::test]
async fn every_row_is_answered_as_stated_over_http1_http2_and_by_a_call() {
    answers_are_as_stated(Mode::Required).await;
}

#[tokio::test]
async fn on_an_optional_route_nothing_but_no_credential_is_anonymous() {
    answers_are_as_stated(Mode::Optional).await;
}

async fn answers_are_as_stated(mode: Mode) {
    let world = world().await;
    let mut faults = Vec::new();
    for setup in Setup::ALL {
        let rows = table::rows(world)
            .into_iter()
            .filter(|case| case.setup == setup);
        faults.extend(faults_of(world, setup, mode, rows).await);
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// Sends the rows of a setup every way there is, and says what was wrong.
async fn faults_of(
    world: &World,
    setup: Setup,
    mode: Mode,
    rows: impl Iterator<Item = Case>,
) -> Vec<String> {
    let layer = world.layer(setup, mode);
    let witness = Witness::default();
    let server = Running::start(&layer, witness.clone()).await;
    let mut http2 = server.http2().await;
    let mut faults = Vec::new();
    for case in rows {
        let mut calls = witness.calls();
        let mut judge =
            |way: Way, reply: Option<&Reply>| {
                let expect = case.expected(mode, way);
                let admitted = usize::from(matches!(expect, Expect::Caller(_)));
                let before = std::mem::replace(&mut calls, witness.calls());
                let fault = match (expect, reply) {
                    (Expect::Unparsed, None) => None,
                    (_, None) => Some(String::from("the field cannot be expressed")),
                    (_, Some(_)) if calls - before != admitted => {
                        Some(format!("the handler ran {} times", calls - before))
                    }
                    (_, Some(reply)) => case.fault(way, expect, reply),
                };
                faults.extend(fault.map(|fault| {
                    format!("{} / {} ({way:?}, {mode:?}): {fault}", case.row, case.name)
                }));
            };
        let raw = server.http1(case.method, &case.target, &case.headers).await;
        judge(Way::Http1, Some(&raw));
        let called = direct(&layer, &witness, &case).await;
        judge(Way::Call, called.as_ref());
        if let Some(reply) = http2.ask(&case).await {
            judge(Way::Http2, Some(&reply));
        }
    }
    let (good, caller) = world.good(setup);
    let alive = server.http1("GET", "/", good.as_bytes()).await;
    assert_eq!(
        (alive.status.as_u16(), alive.text()),
        (200, caller),
        "{setup:?} still serves"
    );
    faults
}
