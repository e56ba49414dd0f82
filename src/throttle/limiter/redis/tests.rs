//! The script against the algorithms of this process, at the same moments.

#[expect(dead_code, reason = "here nobody looks for its file")]
#[path = "../../../../tests/it/dir.rs"]
mod dir;
#[expect(dead_code, reason = "here a server is only asked")]
#[path = "../../../../tests/it/throttle/server.rs"]
mod server;

use self::server::Server;
use super::redis::RedisLimiter;
use super::script::{Correction, Granted, MICRO, Wanted};
use crate::clock::{Clock, SystemClock};
use crate::rate::{Form, Rate};
use crate::throttle::limiter::algorithm::{Calendar, Moment, Paced, Sliding, State};
use crate::throttle::limiter::{CallerHash, Charge, Limiter, LimiterAnswer, Receipt, RuleId};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

const SECOND: u64 = 1_000_000;
/// A Sunday, in microseconds.
const NOW: u64 = 1_705_190_400 * SECOND;

struct World {
    runtime: Runtime,
    limiter: RedisLimiter,
    _server: Server,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let server = Server::start();
        let limiter = RedisLimiter::new(&server.url()).deadline(Duration::from_secs(10));
        Self {
            runtime,
            limiter,
            _server: server,
        }
    }

    fn take(&self, charges: &[Charge], now: u64, requests: u32, hold: u64) -> Granted {
        let wanted = Wanted {
            now,
            requests,
            hold,
        };
        let call = self.limiter.take_of(charges, wanted);
        self.runtime.block_on(call).unwrap()
    }

    fn settle(&self, charge: &Charge, now: u64, back: (Receipt, u32), more: u32) -> Receipt {
        let call = self
            .limiter
            .settle_of(charge, Correction { now, back, more });
        self.runtime.block_on(call).unwrap()
    }

    /// Of the keys on the server.
    fn names(&self) -> Vec<String> {
        self.runtime.block_on(async {
            let mut connection = self.limiter.connection();
            let mut keys = redis::cmd("KEYS");
            keys.arg("*").query_async(&mut connection).await.unwrap()
        })
    }
}

fn charge(rule: &str, who: u64, rate: Rate, cost: u32) -> Charge {
    let mut caller = [0; 16];
    caller[..8].copy_from_slice(&who.to_le_bytes());
    Charge::new(RuleId::new("", rule), CallerHash::new(caller), rate, cost)
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

/// What is done at once with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Deed {
    Ask,
    /// So much of the last that was entered is given back.
    GiveBack(u32),
    /// It is taken whether or not it passes.
    Take,
}

fn same_as_here<S: State>(
    world: &World,
    who: u64,
    rate: Rate,
    requests: &[(u64, u32, Deed)],
) -> Result<(), TestCaseError> {
    let (mut state, mut now) = (S::default(), NOW);
    let mut entered: Vec<([Receipt; 2], u32)> = Vec::new();
    for (gap, cost, deed) in requests {
        now += gap;
        let moment = Moment {
            steady: now * MICRO,
            wall: now * MICRO,
        };
        let charge = charge("key", who, rate, *cost);
        state.turn(&rate, moment);
        match (*deed, entered.pop()) {
            (Deed::GiveBack(back), Some(([here, there], cost))) => {
                let back = back.min(cost);
                state.give_back(&rate, moment, here, back);
                world.settle(&charge, now, (there, back), 0);
                entered.extend((back < cost).then_some(([here, there], cost - back)));
            }
            (_, last) => entered.extend(last),
        }
        if *deed == Deed::Take {
            let here = state.take(&rate, moment, *cost);
            let there = world.settle(&charge, now, Default::default(), *cost);
            entered.push(([here, there], *cost));
        }
        state.turn(&rate, moment);
        let wait = state.wait(&rate, moment, *cost);
        let granted = world.take(std::slice::from_ref(&charge), now, 1, 0);
        let standing = granted.standings[0];
        if wait == 0 {
            let here = state.take(&rate, moment, *cost);
            entered.push(([here, standing.receipt], *cost));
        }
        let room = state.room(&rate, moment);
        prop_assert_eq!(
            (granted.requests, standing.wait),
            (u32::from(wait == 0), wait),
            "{} at {}",
            rate,
            now - NOW
        );
        prop_assert_eq!(
            (standing.left, standing.full_in),
            (room.left, room.full_in),
            "{} at {}",
            rate,
            now - NOW
        );
    }
    Ok(())
}

#[test]
fn the_script_decides_as_the_algorithms_do() {
    let (world, callers) = (World::new(), Cell::new(0));
    let gap = prop_oneof![
        Just(0),
        1..1_000_u64,
        1..2 * SECOND,
        Just(SECOND / 64),
        Just(SECOND)
    ];
    let deed = prop_oneof![
        3 => Just(Deed::Ask),
        1 => (1..4_u32).prop_map(Deed::GiveBack),
        1 => Just(Deed::Take),
    ];
    let requests = prop::collection::vec((gap, 0..4_u32, deed), 1..60);
    let rates = [
        "5/2s",
        "64/10s",
        "65/2s",
        "70/s",
        "20/4s burst 3",
        "100/s burst 40",
        "3/s calendar",
        "2/week calendar",
    ];
    let mut runner = TestRunner::new(Config {
        cases: 64,
        failure_persistence: None,
        ..Config::default()
    });
    let strategy = (0..rates.len(), requests);
    let result = runner.run(&strategy, |(which, requests)| {
        let who = callers.get() + 1;
        callers.set(who);
        let rate = rate(rates[which]);
        match rate.form() {
            Form::Sliding => same_as_here::<Sliding>(&world, who, rate, &requests),
            Form::Paced { .. } => same_as_here::<Paced>(&world, who, rate, &requests),
            Form::Calendar => same_as_here::<Calendar>(&world, who, rate, &requests),
        }
    });
    result.unwrap();
}

/// As in this process: the one forgives nothing that the other remembers.
#[test]
fn on_a_server_each_rate_of_a_caller_is_counted_by_itself() {
    let world = World::new();
    for (who, (own, other)) in [
        ("50/day", "2/s"),
        ("50/day", "60/hour"),
        ("90/day", "50/day"),
        ("5/day burst 5", "100/s burst 1"),
        ("50/day calendar", "9/hour calendar"),
        ("50/day", "5/s burst 5"),
    ]
    .into_iter()
    .enumerate()
    {
        let [own, other] = [own, other].map(rate);
        let charges = [own, other].map(|rate| charge("key", who as u64 + 1, rate, 1));
        let mut admitted = 0;
        // Twenty minutes, early on a day.
        for tick in 0..1_200 {
            let now = NOW + tick * SECOND;
            for charge in [&charges[0], &charges[1]] {
                let granted = world.take(std::slice::from_ref(charge), now, 1, 0);
                admitted += granted.requests * u32::from(charge.rate() == own);
            }
        }
        assert_eq!(admitted, own.most(), "{own} beside {other}");
    }
}

/// As in this process: whatever costs 0 in between, and however much was given back.
#[test]
fn on_a_server_what_costs_nothing_keeps_nothing_alive_and_leaves_no_key() {
    let world = World::new();
    for (who, text) in ["5/min", "90/min", "5/min burst 5", "5/min calendar"]
        .into_iter()
        .enumerate()
    {
        let rate = rate(text);
        let (paid, free) = (
            charge("key", who as u64 + 1, rate, 1),
            charge("key", who as u64 + 1, rate, 0),
        );
        let mut passed = 0;
        // Each second one that is free and one that is given back; every half minute ten that are
        // paid for.
        for tick in 0..600 {
            let now = NOW + tick * SECOND;
            let ask = |charge: &Charge| world.take(std::slice::from_ref(charge), now, 1, 0);
            ask(&free);
            let released = ask(&paid);
            if released.requests > 0 {
                world.settle(&paid, now, (released.standings[0].receipt, 1), 0);
            }
            if tick % 30 == 0 {
                passed += (0..rate.count() * 2)
                    .map(|_| ask(&paid).requests)
                    .sum::<u32>();
            }
        }
        let most = match rate.form() {
            // What flows in during the half minutes is used as well.
            Form::Paced { .. } => 5 + 2 * 19 + 19 / 2,
            Form::Sliding | Form::Calendar => 10 * rate.count(),
        };
        assert_eq!(passed, most, "{text}");
        // As long as nothing is paid for, the server keeps nothing.
        let later = NOW + 1_200 * SECOND;
        world.take(std::slice::from_ref(&free), later, 1, 0);
        let receipt = world
            .take(std::slice::from_ref(&paid), later, 1, 0)
            .standings[0]
            .receipt;
        world.settle(&paid, later, (receipt, 1), 0);
        assert_eq!(world.names(), [""; 0], "{text}");
    }
}

#[test]
fn several_rules_are_all_or_nothing_and_one_that_observes_only_says_so() {
    let world = World::new();
    let charges = [
        charge("one", 1, rate("9/min"), 1),
        charge("two", 2, rate("2/min"), 1),
        charge("three", 3, rate("1/min"), 1).observed(),
    ];
    let granted: Vec<u32> = (0..4)
        .map(|_| world.take(&charges, NOW, 1, 0).requests)
        .collect();
    assert_eq!(granted, [1, 1, 0, 0]);
    let answer = world.take(&charges, NOW, 1, 0);
    let left: Vec<(u32, bool)> = answer
        .standings
        .iter()
        .map(|standing| (standing.left, standing.wait > 0))
        .collect();
    assert_eq!(left, [(7, false), (0, true), (0, true)]);
}

/// A lease counts until a period after the last moment at which it can be used.
#[test]
fn leases_never_let_any_window_have_more_than_n() {
    let world = World::new();
    for (who, text) in ["100/64s", "7/64s", "100/min calendar"]
        .into_iter()
        .enumerate()
    {
        let rate = rate(text);
        let charge = charge("key", who as u64 + 1, rate, 1);
        let period = u64::from(rate.seconds()) * SECOND;
        // Granted requests, each used at the very end of its lease, which is worst.
        let mut used: Vec<(u64, u64)> = Vec::new();
        for tick in 0..600 {
            let now = NOW + tick * SECOND / 2;
            let granted = world.take(std::slice::from_ref(&charge), now, 10, SECOND);
            assert!(granted.hold <= SECOND);
            used.push((now + granted.hold - 1, granted.requests.into()));
        }
        let window = |end: u64| {
            let within = |at: u64| match rate.form() {
                Form::Calendar => at / period == end / period,
                _ => at <= end && end - at < period,
            };
            used.iter()
                .filter(|(at, _)| within(*at))
                .map(|(_, count)| count)
                .sum::<u64>()
        };
        let most = used.iter().map(|(at, _)| window(*at)).max().unwrap();
        assert_eq!(most, u64::from(rate.count()), "{text}");
    }
}

#[test]
fn keys_expire_and_what_is_in_them_is_no_name() {
    let world = World::new();
    world.take(&[charge("key", 1, rate("5/min"), 1)], 0, 1, 0);
    let mut connection = {
        let _runtime = world.runtime.enter();
        world.limiter.connection()
    };
    let (names, left): (Vec<String>, i64) = world.runtime.block_on(async {
        let names: Vec<String> = redis::cmd("KEYS")
            .arg("*")
            .query_async(&mut connection)
            .await
            .unwrap();
        let left = redis::cmd("PTTL")
            .arg(&names[0])
            .query_async(&mut connection)
            .await
            .unwrap();
        (names, left)
    });
    assert_eq!(
        names,
        ["tower-auth:{01000000000000000000000000000000}::key:s:5:60:5"]
    );
    assert!((1..=60_000).contains(&left), "{left}");
}

#[test]
fn costs_are_corrected_afterwards() {
    let world = World::new();
    for (who, text) in ["10/min", "100/min", "10/min burst 10", "10/min calendar"]
        .into_iter()
        .enumerate()
    {
        let four = charge("key", who as u64 + 1, rate(text), 4);
        let entered = world.take(std::slice::from_ref(&four), 0, 1, 0).standings[0];
        let left = || world.take(&[four.costing(0)], 0, 1, 0).standings[0].left;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let done = |answer| match answer {
            LimiterAnswer::Ready(answer) => answer.map(drop),
            LimiterAnswer::Pending(answer) => world.runtime.block_on(answer),
        };
        done(
            world
                .limiter
                .give_back(&four.costing(3), entered.receipt, &clock),
        )
        .unwrap();
        assert_eq!(left(), entered.left + 3, "{text}");

        let LimiterAnswer::Pending(taken) = world.limiter.take(&four.costing(5), &clock) else {
            panic!("Redis answers later");
        };
        let receipt = world.runtime.block_on(taken).unwrap();
        assert_eq!(left(), entered.left - 2, "{text}");
        done(world.limiter.give_back(&four.costing(5), receipt, &clock)).unwrap();
        assert_eq!(left(), entered.left + 3, "{text}");
    }
}
