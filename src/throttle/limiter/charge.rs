use super::caller_hash::CallerHash;
use super::rule_id::RuleId;
use crate::rate::Rate;

/// What a request costs one caller under one rule.
///
/// A counter belongs to a [rule](Self::rule), a [caller](Self::caller) and a [rate](Self::rate)
/// together: a caller who is counted under two rates of one rule has two, so that neither forgives
/// what the other remembers.
#[derive(Clone, Debug)]
#[must_use]
pub struct Charge {
    rule: RuleId,
    caller: CallerHash,
    rate: Rate,
    cost: u32,
    refuses: bool,
    corrected: bool,
}

impl Charge {
    /// Of that cost, under a rule that refuses what goes beyond its rate.
    pub fn new(rule: RuleId, caller: CallerHash, rate: Rate, cost: u32) -> Self {
        Self {
            rule,
            caller,
            rate,
            cost,
            refuses: true,
            corrected: false,
        }
    }

    /// Under a rule that only observes: what goes beyond its rate passes, and is not counted by it.
    pub fn observed(mut self) -> Self {
        self.refuses = false;
        self
    }

    /// Whose cost may be corrected afterwards.
    pub fn corrected_later(mut self) -> Self {
        self.corrected = true;
        self
    }

    /// The same of another cost.
    pub(crate) fn costing(&self, cost: u32) -> Self {
        Self {
            cost,
            ..self.clone()
        }
    }

    /// The rule.
    #[must_use]
    pub fn rule(&self) -> &RuleId {
        &self.rule
    }

    /// Who is counted.
    #[must_use]
    pub fn caller(&self) -> CallerHash {
        self.caller
    }

    /// How much the caller may.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.rate
    }

    /// What the request costs; it may be 0.
    #[must_use]
    pub fn cost(&self) -> u32 {
        self.cost
    }

    /// Whether the rule refuses what goes beyond its rate, or only observes.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.refuses
    }

    /// Whether the cost may be corrected afterwards, which takes a [`Receipt`](super::Receipt).
    #[must_use]
    pub fn is_corrected_later(&self) -> bool {
        self.corrected
    }
}
