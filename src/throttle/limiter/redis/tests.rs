//! The script against the algorithms of this process, at the same moments.

#[expect(dead_code, reason = "here nobody looks for its file")]
#[path = "../../../../tests/it/dir.rs"]
mod dir;
#[expect(dead_code, reason = "here a server is only asked")]
#[path = "../../../../tests/it/throttle/server.rs"]
mod server;

use self::server::Server;
use super::redis::RedisLimiter;
use super::script::{Granted, MICRO, Wanted};
use crate::clock::{Clock, SystemClock};
use crate::rate::{Form, Rate};
use crate::throttle::limiter::algorithm::{Calendar, Moment, Paced, Sliding, State};
use crate::throttle::limiter::{CallerHash, Charge, Limiter, LimiterAnswer, RuleId};
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
}

fn charge(rule: &str, who: u64, rate: Rate, cost: u32) -> Charge {
    let mut caller = [0; 16];
    caller[..8].copy_from_slice(&who.to_le_bytes());
    Charge::new(RuleId::new("", rule), CallerHash::new(caller), rate, cost)
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn same_as_here<S: State>(
    world: &World,
    who: u64,
    rate: Rate,
    requests: &[(u64, u32)],
) -> Result<(), TestCaseError> {
    let (mut state, mut now) = (S::default(), NOW);
    for (gap, cost) in requests {
        now += gap;
        let moment = Moment {
            steady: now * MICRO,
            wall: now * MICRO,
        };
        state.turn(&rate, moment);
        let wait = state.wait(&rate, moment, *cost);
        if wait == 0 {
            state.take(&rate, moment, *cost);
        }
        let room = state.room(&rate, moment);
        let granted = world.take(&[charge("key", who, rate, *cost)], now, 1, 0);
        let standing = granted.standings[0];
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
    let requests = prop::collection::vec((gap, 1..4_u32), 1..60);
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
    let mut connection = world.runtime.block_on(world.limiter.connection()).unwrap();
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
