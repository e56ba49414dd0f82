//! Each algorithm against an exact log of timestamps.

use super::*;
use crate::rate::{Form, Rate};
use crate::throttle::limiter::Receipt;
use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use proptest::prelude::*;
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::time::Duration;

const SECOND: u64 = 1_000_000_000;

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

/// What a table does with a state.
trait Turned: State {
    fn wait(&mut self, rate: &Rate, now: Moment, cost: u32) -> u64 {
        self.turn(rate, now);
        State::wait(self, rate, now, cost)
    }

    fn take(&mut self, rate: &Rate, now: Moment, cost: u32) -> Receipt {
        self.turn(rate, now);
        State::take(self, rate, now, cost)
    }

    fn room(&mut self, rate: &Rate, now: Moment) -> Room {
        self.turn(rate, now);
        State::room(self, rate, now)
    }
}

impl<S: State> Turned for S {}

/// Both clocks at once.
fn at(nanos: u64) -> Moment {
    Moment {
        steady: nanos,
        wall: nanos,
    }
}

fn admit<S: State>(state: &mut S, rate: &Rate, now: u64, cost: u32) -> bool {
    let passes = Turned::wait(state, rate, at(now), cost) == 0;
    if passes {
        Turned::take(state, rate, at(now), cost);
    }
    passes
}

/// What was admitted, and when.
#[derive(Default)]
struct Exact(Vec<(u64, u32)>);

impl Exact {
    /// The most in any window of that length: the worst of them ends with an admitted request.
    fn most_within(&self, period: u64) -> u64 {
        let within = |end: u64| {
            let window = self
                .0
                .iter()
                .filter(|(at, _)| *at <= end && end - at < period);
            window.map(|(_, cost)| u64::from(*cost)).sum()
        };
        self.0
            .iter()
            .map(|(end, _)| within(*end))
            .max()
            .unwrap_or(0)
    }

    /// When a request of that cost would pass, were each counted for exactly a period.
    fn passes_at(&self, rate: &Rate, now: u64, cost: u32) -> u64 {
        let mut times: Vec<u64> = self
            .0
            .iter()
            .map(|(at, _)| at + rate.nanos())
            .filter(|at| *at > now)
            .collect();
        times.insert(0, now);
        let counted = |x: u64| -> u64 {
            let live = self.0.iter().filter(|(at, _)| at + rate.nanos() > x);
            live.map(|(_, cost)| u64::from(*cost)).sum()
        };
        let fits = |x: &u64| counted(*x) + u64::from(cost) <= rate.count().into();
        times.into_iter().find(fits).unwrap_or(u64::MAX)
    }
}

/// Rates small and large, and arrivals that crowd, pause and meet the edges of sub-windows.
fn traffic() -> impl Strategy<Value = (u32, u32, Vec<(u64, u32)>)> {
    let gap = prop_oneof![
        Just(0),
        1..1_000_u64,
        1..SECOND,
        Just(SECOND / 64),
        Just(SECOND),
        1..90 * SECOND
    ];
    let requests = prop::collection::vec((gap, 1..4_u32), 1..400);
    (
        prop_oneof![1..8_u32, 60..70_u32, 65..200_u32],
        1..90_u32,
        requests,
    )
}

proptest! {
    #[test]
    fn sliding_admits_never_more_than_n_in_any_window((count, seconds, requests) in traffic()) {
        let rate = Rate::new(count, Duration::from_secs(seconds.into())).unwrap();
        let (mut state, mut log, mut now) = (Sliding::default(), Exact::default(), 0);
        for (gap, cost) in requests {
            now += gap;
            if admit(&mut state, &rate, now, cost) {
                log.0.push((now, cost));
            }
        }
        prop_assert!(log.most_within(rate.nanos()) <= count.into());
    }

    #[test]
    fn sliding_waits_are_enough_and_not_more_than_one_sub_window_too_long((count, seconds, requests) in traffic()) {
        let rate = Rate::new(count, Duration::from_secs(seconds.into())).unwrap();
        let part = if count <= 64 { 0 } else { rate.nanos() / 64 };
        let (mut state, mut log, mut now) = (Sliding::default(), Exact::default(), 0);
        for (gap, cost) in requests {
            now += gap;
            let wait = Turned::wait(&mut state, &rate, at(now), cost);
            if wait == 0 {
                Turned::take(&mut state, &rate, at(now), cost);
                log.0.push((now, cost));
            } else if cost <= count {
                prop_assert!(Turned::wait(&mut state.clone(), &rate, at(now + wait - 1), cost) > 0, "the wait is too long");
                prop_assert_eq!(Turned::wait(&mut state.clone(), &rate, at(now + wait), cost), 0, "the wait is too short");
                prop_assert!(now + wait <= log.passes_at(&rate, now, cost) + part);
            }
        }
    }

    #[test]
    fn sliding_is_at_most_two_percent_stricter_for_steady_traffic(count in 1..3000_u32, load in 100..300_u64) {
        let rate = Rate::new(count, Duration::from_secs(60)).unwrap();
        let (mut state, periods) = (Sliding::default(), 5);
        let offered = u64::from(count) * periods * load / 100;
        let gap = periods * rate.nanos() / offered;
        let mut exact = VecDeque::new();
        let (mut admitted, mut possible) = (0_u64, 0_u64);
        for now in (0..offered).map(|n| n * gap) {
            admitted += u64::from(admit(&mut state, &rate, now, 1));
            while exact.front().is_some_and(|first| first + rate.nanos() <= now) {
                exact.pop_front();
            }
            if exact.len() < count as usize {
                exact.push_back(now);
                possible += 1;
            }
        }
        prop_assert!(admitted * 100 >= possible * 98, "{admitted} of {possible}");
    }

    #[test]
    fn paced_decides_as_governor_does(
        count in 1..50_u32,
        burst in 1..30_u32,
        requests in prop::collection::vec((0..400_u64, 1..4_u32), 1..300),
    ) {
        // A period that every count divides, so that both have the same interval.
        let interval = Duration::from_millis(10);
        let paced = Rate::new(100, Duration::from_secs(1)).unwrap().burst(burst).unwrap();
        let clock = FakeRelativeClock::default();
        let quota = Quota::with_period(interval).unwrap().allow_burst(NonZeroU32::new(burst).unwrap());
        let oracle = RateLimiter::direct_with_clock(quota, clock.clone());
        let (mut state, mut now) = (Paced::default(), 0);
        for (gap, cost) in requests {
            let gap = gap * 1_000_000 / u64::from(count);
            now += gap;
            clock.advance(Duration::from_nanos(gap));
            let theirs = matches!(oracle.check_n(NonZeroU32::new(cost).unwrap()), Ok(Ok(())));
            prop_assert_eq!(admit(&mut state, &paced, now, cost), theirs);
        }
    }

    #[test]
    fn paced_admits_never_more_than_n_and_the_burst_in_any_window(
        (count, seconds, requests) in traffic(),
        burst in 1..40_u32,
    ) {
        let rate = Rate::new(count, Duration::from_secs(seconds.into())).unwrap().burst(burst).unwrap();
        let (mut state, mut log, mut now) = (Paced::default(), Exact::default(), 0);
        for (gap, cost) in requests {
            now += gap;
            let wait = Turned::wait(&mut state, &rate, at(now), cost);
            if wait == 0 {
                Turned::take(&mut state, &rate, at(now), cost);
                log.0.push((now, cost));
            } else if cost <= burst {
                prop_assert!(Turned::wait(&mut state.clone(), &rate, at(now + wait - 1), cost) > 0);
                prop_assert_eq!(Turned::wait(&mut state.clone(), &rate, at(now + wait), cost), 0);
            }
        }
        prop_assert!(log.most_within(rate.nanos()) < u64::from(count) + u64::from(burst));
    }

    #[test]
    fn calendar_admits_exactly_n_in_each_window((count, _, requests) in traffic()) {
        let rate = Rate::new(count, Duration::from_secs(60)).unwrap().calendar().unwrap();
        let (mut state, mut now) = (Calendar::default(), 0);
        let (mut window, mut counted) = (0, 0);
        for (gap, cost) in requests {
            now += gap;
            if now / rate.nanos() != window {
                (window, counted) = (now / rate.nanos(), 0);
            }
            let wait = Turned::wait(&mut state, &rate, at(now), cost);
            prop_assert_eq!(wait == 0, counted + cost <= count);
            if wait == 0 {
                counted += cost;
                Turned::take(&mut state, &rate, at(now), cost);
            } else if cost <= count {
                prop_assert_eq!(now + wait, (window + 1) * rate.nanos());
            }
        }
    }

    /// What is given back can be had again at once, and never lets a window have more than N.
    #[test]
    fn giving_back_never_admits_more_than_n((count, seconds, requests) in traffic(), back in 1..3_u32) {
        let rate = Rate::new(count, Duration::from_secs(seconds.into())).unwrap();
        let (mut state, mut log, mut now) = (Sliding::default(), Exact::default(), 0);
        let mut receipts: Vec<(Receipt, usize)> = Vec::new();
        for (turn, (gap, cost)) in requests.into_iter().enumerate() {
            now += gap;
            if Turned::wait(&mut state, &rate, at(now), cost) == 0 {
                receipts.push((Turned::take(&mut state, &rate, at(now), cost), log.0.len()));
                log.0.push((now, cost));
            }
            if turn % 3 == 0 && let Some((receipt, entry)) = receipts.pop() {
                let back = back.min(log.0[entry].1);
                state.give_back(&rate, at(now), receipt, back);
                log.0[entry].1 -= back;
            }
        }
        prop_assert!(log.most_within(rate.nanos()) <= count.into());
    }

    #[test]
    fn no_state_panics_or_locks_whatever_the_clock_and_the_rate_do(
        steps in prop::collection::vec((any::<u64>(), any::<u64>(), 0..4_usize, any::<u32>()), 1..60),
    ) {
        let rates = [rate("1/s"), rate("1000000000/366days"), rate("65/day"), rate("3/2weeks")];
        fn run<S: State>(rates: &[Rate], steps: &[(u64, u64, usize, u32)]) -> Result<(), TestCaseError> {
            let mut state = S::default();
            for (steady, wall, which, cost) in steps {
                let (now, rate) = (Moment { steady: *steady, wall: *wall }, &rates[*which]);
                let wait = Turned::wait(&mut state, rate, now, *cost);
                let receipt = Turned::take(&mut state, rate, now, *cost);
                Turned::room(&mut state, rate, now);
                state.give_back(rate, now, receipt, cost / 2);
                prop_assert!(wait <= 2 * rate.nanos() + SECOND, "a wait of {wait} under {rate}");
            }
            Ok(())
        }
        run::<Sliding>(&rates, &steps)?;
        run::<Calendar>(&[rate("1/s calendar"), rate("9/day calendar"), rate("2/week calendar"), rate("1/h calendar")], &steps)?;
        run::<Paced>(&rates.map(|rate| rate.burst(2).unwrap()), &steps)?;
    }
}

/// What requests that count make of a state, whether or not others come between them.
fn is_the_same_without_what_does_not_count<S: State>(
    rate: &Rate,
    requests: &[(u64, u32)],
    slack: u64,
) -> Result<(), TestCaseError> {
    let (mut state, mut plain, mut now) = (S::default(), S::default(), 0);
    for (turn, (gap, cost)) in requests.iter().enumerate() {
        now += gap;
        // Three that cost nothing, and one that is given back.
        for cost in [0, 0, 0, 1] {
            if Turned::wait(&mut state, rate, at(now), cost) == 0 {
                let receipt = Turned::take(&mut state, rate, at(now), cost);
                state.give_back(rate, at(now), receipt, cost);
            }
        }
        if turn % 3 > 0 {
            continue;
        }
        let wait = Turned::wait(&mut state, rate, at(now), *cost);
        let without = Turned::wait(&mut plain, rate, at(now), *cost);
        prop_assert!(
            wait >= without && wait - without <= slack,
            "{wait}, not {without}, under {rate}"
        );
        if wait == 0 {
            Turned::take(&mut state, rate, at(now), *cost);
            Turned::take(&mut plain, rate, at(now), *cost);
        }
        let (room, without) = (
            Turned::room(&mut state, rate, at(now)),
            Turned::room(&mut plain, rate, at(now)),
        );
        prop_assert!(room.left == without.left || slack > 0 && room.left < without.left);
        prop_assert!(room.full_in >= without.full_in && room.full_in - without.full_in <= slack);
    }
    // The largest burst takes 40 periods to fill.
    prop_assert!(state.is_idle(at(now + 41 * rate.nanos())));
    Ok(())
}

proptest! {
    /// Whatever costs 0 in between: never more than N, and what was paid for runs off in its time.
    #[test]
    fn what_costs_nothing_or_was_given_back_keeps_nothing_alive(
        (count, seconds, requests) in traffic(),
        burst in 1..40_u32,
    ) {
        let rate = Rate::new(count, Duration::from_secs(seconds.into())).unwrap();
        // Within a sub-window, what was given back cannot be told from what was not.
        let part = if count <= 64 { 0 } else { rate.nanos() / 64 };
        is_the_same_without_what_does_not_count::<Sliding>(&rate, &requests, part)?;
        is_the_same_without_what_does_not_count::<Paced>(&rate.burst(burst).unwrap(), &requests, 0)?;
        let calendar = Rate::new(count, Duration::from_secs(60)).unwrap().calendar().unwrap();
        is_the_same_without_what_does_not_count::<Calendar>(&calendar, &requests, 0)?;
    }

    #[test]
    fn nobody_waits_for_longer_than_a_period((count, seconds, requests) in traffic()) {
        fn run<S: State>(rate: &Rate, requests: &[(u64, u32)]) -> Result<(), TestCaseError> {
            let (mut state, mut now) = (S::default(), 0);
            for (gap, cost) in requests {
                now += gap;
                let wait = Turned::wait(&mut state, rate, at(now), *cost);
                prop_assert!(wait <= rate.nanos(), "a wait of {wait} under {rate}");
                if wait == 0 || now % 3 == 0 {
                    Turned::take(&mut state, rate, at(now), *cost);
                }
                let full_in = Turned::room(&mut state, rate, at(now)).full_in;
                prop_assert!(full_in <= rate.nanos(), "full in {full_in} under {rate}");
            }
            Ok(())
        }
        let rate = Rate::new(count, Duration::from_secs(seconds.into())).unwrap();
        run::<Sliding>(&rate, &requests)?;
        let calendar = Rate::new(count, Duration::from_secs(60)).unwrap().calendar().unwrap();
        run::<Calendar>(&calendar, &requests)?;
    }

    /// In parts, at any time, whatever others have entered since.
    #[test]
    fn giving_back_in_parts_forgives_nobody_else(
        count in 1..30_u32,
        burst in 4..40_u32,
        steps in prop::collection::vec((0..20_u64, 1..5_u32, any::<bool>()), 1..60),
    ) {
        let rate = Rate::new(count, Duration::from_secs(60)).unwrap().burst(burst).unwrap();
        let (mut state, mut others, mut now) = (Paced::default(), Paced::default(), 0);
        let (first, mut left) = (Turned::take(&mut state, &rate, at(0), 12), 12);
        for (gap, cost, back) in steps {
            now += gap * SECOND;
            let back = if back { cost.min(left) } else { 0 };
            if back > 0 {
                left -= back;
                state.turn(&rate, at(now));
                state.give_back(&rate, at(now), first, back);
            } else if Turned::wait(&mut state, &rate, at(now), cost) == 0 {
                Turned::take(&mut state, &rate, at(now), cost);
                Turned::take(&mut others, &rate, at(now), cost);
            }
            let (all, without) = (Turned::room(&mut state, &rate, at(now)), Turned::room(&mut others, &rate, at(now)));
            prop_assert!(all.full_in >= without.full_in, "{} is less than {}", all.full_in, without.full_in);
        }
    }
}

#[test]
fn a_day_of_two_thousand_is_never_more_than_that_in_any_24_hours() {
    // What a bucket that refills gets wrong: a full one, and what flows into it meanwhile.
    let rate = rate("2000/day");
    let mut state = Sliding::default();
    let day = 24 * 3600 * SECOND;
    let admitted = (0..20_000)
        .filter(|n| admit(&mut state, &rate, n * (day / 20_000), 1))
        .count();
    assert_eq!(admitted, 2000);
}

#[test]
fn a_sliding_state_has_at_most_66_entries_and_an_idle_one_no_heap() {
    let mut state = Sliding::default();
    let minute = rate("100000/min");
    for n in 0..10_000 {
        assert!(admit(&mut state, &minute, n * (60 * SECOND / 1000), 1));
        let Sliding::Many(log) = &state else { continue };
        assert!(log.len() <= 66);
    }
    assert!(Turned::room(&mut state.clone(), &minute, at(3600 * SECOND)).left == 100_000);
    assert!(!state.is_idle(at(0)) && state.is_idle(at(3600 * SECOND)));
    assert!(size_of::<Sliding>() <= 16 && size_of::<Paced>() <= 8 && size_of::<Calendar>() <= 16);
}

#[test]
fn what_is_left_and_when_it_is_back_are_told() {
    let mut state = Sliding::default();
    let five = rate("5/min");
    for _ in 0..2 {
        assert!(admit(&mut state, &five, 10 * SECOND, 1));
    }
    assert_eq!(
        Turned::room(&mut state, &five, at(20 * SECOND)),
        Room {
            left: 3,
            full_in: 50 * SECOND
        }
    );
    let mut state = Paced::default();
    let burst = rate("60/min burst 5");
    assert!(admit(&mut state, &burst, 0, 4));
    assert_eq!(
        Turned::room(&mut state, &burst, at(SECOND)),
        Room {
            left: 2,
            full_in: 3 * SECOND
        }
    );
    let mut state = Calendar::default();
    let calendar = rate("5/day calendar");
    assert_eq!(
        Turned::room(&mut state, &calendar, at(SECOND)),
        Room {
            left: 5,
            full_in: 0
        }
    );
    assert!(admit(&mut state, &calendar, SECOND, 4));
    assert_eq!(
        Turned::room(&mut state, &calendar, at(SECOND)),
        Room {
            left: 1,
            full_in: 86_399 * SECOND
        }
    );
}

#[test]
fn a_cost_known_afterwards_may_exceed_the_limit_and_is_waited_out() {
    fn run<S: State>(rate: &Rate, wait: u64) {
        let mut state = S::default();
        let receipt = Turned::take(&mut state, rate, at(0), 1);
        Turned::take(&mut state, rate, at(0), 19);
        assert_eq!(Turned::room(&mut state, rate, at(0)).left, 0);
        assert_eq!(Turned::wait(&mut state, rate, at(0), 1), wait);
        state.give_back(rate, at(0), receipt, 15);
        assert_eq!(Turned::room(&mut state, rate, at(0)).left, 5);
    }
    run::<Sliding>(&rate("10/min"), 60 * SECOND);
    run::<Calendar>(&rate("10/min calendar"), 60 * SECOND);
    assert_eq!(rate("10/min burst 10").form(), Form::Paced { burst: 10 });
    let (mut state, paced) = (Paced::default(), rate("10/min burst 10"));
    Turned::take(&mut state, &paced, at(0), 20);
    assert_eq!(Turned::wait(&mut state, &paced, at(0), 1), 60 * SECOND);
}

#[test]
fn weeks_begin_on_monday_and_days_at_midnight() {
    // 2024-01-14 was a Sunday.
    let sunday = 1_705_190_400 * SECOND;
    for (text, from, to) in [
        ("1/week calendar", sunday + 86_399 * SECOND, SECOND),
        ("1/day calendar", sunday, 86_400 * SECOND),
    ] {
        let mut state = Calendar::default();
        assert!(admit(&mut state, &rate(text), from, 1));
        assert_eq!(
            Turned::wait(&mut state, &rate(text), at(from), 1),
            to,
            "{text}"
        );
    }
}

#[test]
fn a_clock_that_is_stepped_back_forgives_nothing_and_locks_nobody() {
    fn run<S: State>(rate: &Rate) {
        let (far, mut state) = (4_000_000_000 * SECOND, S::default());
        for _ in 0..rate.most() {
            assert!(admit(&mut state, rate, far, 1));
        }
        let back = far - 1_000_000_000 * SECOND;
        assert!(!admit(&mut state, rate, back, 1), "forgiven");
        assert!(
            admit(&mut state, rate, back + 2 * rate.nanos() + rate.nanos(), 1),
            "locked"
        );
    }
    run::<Sliding>(&rate("5/min"));
    run::<Sliding>(&rate("500/min"));
    run::<Paced>(&rate("5/min burst 5"));
    run::<Calendar>(&rate("5/min calendar"));
}
