//! What is said to the server, and what it answers.

use crate::rate::Form;
use crate::throttle::limiter::{Charge, Receipt, Standing};
use redis::{ErrorKind, RedisError, Script, ScriptInvocation};
use std::sync::LazyLock;

pub(super) const MICRO: u64 = 1_000;
const TAKE: &str = concat!(include_str!("states.lua"), include_str!("take.lua"));
const SETTLE: &str = concat!(include_str!("states.lua"), include_str!("settle.lua"));

/// When, how many requests at once, and for how long those that are not used yet may be kept. In
/// microseconds.
#[derive(Clone, Copy)]
pub(super) struct Wanted {
    /// 0 is the server's.
    pub(super) now: u64,
    pub(super) requests: u32,
    pub(super) hold: u64,
}

/// What is corrected in what was entered.
#[derive(Clone, Copy, Default)]
pub(super) struct Correction {
    /// In microseconds; 0 is the server's.
    pub(super) now: u64,
    /// So much is given back of what has that receipt.
    pub(super) back: (Receipt, u32),
    /// So much more is taken.
    pub(super) more: u32,
}

/// What the server granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) requests: u32,
    pub(super) hold: u64,
    pub(super) standings: Vec<Standing>,
}

/// Asks for requests under all rules together.
pub(super) fn take(prefix: &str, charges: &[Charge], wanted: Wanted) -> ScriptInvocation<'static> {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(TAKE));
    let mut call = SCRIPT.prepare_invoke();
    call.arg(wanted.now).arg(wanted.requests).arg(wanted.hold);
    for charge in charges {
        call.key(name(prefix, charge));
        add_rate(&mut call, charge);
        call.arg(charge.cost()).arg(u8::from(charge.refuses()));
    }
    call
}

/// Gives back what was entered under a receipt, and takes more. The answer is the receipt of that.
pub(super) fn settle(
    prefix: &str,
    charge: &Charge,
    correction: Correction,
) -> ScriptInvocation<'static> {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(SETTLE));
    let (Receipt(receipt), back) = correction.back;
    let mut call = SCRIPT.prepare_invoke();
    call.key(name(prefix, charge)).arg(correction.now);
    add_rate(&mut call, charge);
    call.arg(receipt).arg(back).arg(correction.more);
    call
}

/// What the server said to so many charges.
pub(super) fn granted(numbers: &[u64], charges: usize) -> Result<Granted, RedisError> {
    read(numbers, charges)
        .ok_or_else(|| RedisError::from((ErrorKind::UnexpectedReturnType, "the script's answer")))
}

fn read(numbers: &[u64], charges: usize) -> Option<Granted> {
    let ([requests, hold], rest) = numbers.split_first_chunk()?;
    let (each, []) = rest.as_chunks::<4>() else {
        return None;
    };
    if each.len() != charges {
        return None;
    }
    let standings = each.iter().map(|[wait, left, full_in, receipt]| Standing {
        wait: wait.saturating_mul(MICRO),
        left: u32::try_from(*left).unwrap_or(u32::MAX),
        full_in: full_in.saturating_mul(MICRO),
        receipt: Receipt(*receipt),
    });
    Some(Granted {
        requests: u32::try_from(*requests).ok()?,
        hold: *hold,
        standings: standings.collect(),
    })
}

/// Each rate of a caller has a key of its own.
fn name(prefix: &str, charge: &Charge) -> String {
    let (caller, rule, rate) = (charge.caller(), charge.rule(), charge.rate());
    format!(
        "{prefix}:{{{caller}}}:{}:{}:{}:{}:{}:{}",
        rule.scope(),
        rule.name(),
        form(charge),
        rate.count(),
        rate.seconds(),
        rate.most()
    )
}

fn form(charge: &Charge) -> &'static str {
    match charge.rate().form() {
        Form::Sliding => "s",
        Form::Paced { .. } => "p",
        Form::Calendar => "c",
    }
}

fn add_rate(call: &mut ScriptInvocation<'_>, charge: &Charge) {
    let rate = charge.rate();
    call.arg(form(charge))
        .arg(rate.count())
        .arg(rate.seconds())
        .arg(rate.most());
}
