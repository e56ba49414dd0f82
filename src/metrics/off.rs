//! Nobody counts.

#![cfg_attr(
    not(all(feature = "jwt", feature = "api-key", feature = "basic")),
    allow(dead_code, reason = "each scheme counts a part of it")
)]

use super::{Cache, Callee, Gauge, Outcome};
use crate::clock::Clock;
use crate::reject::RejectionKind;
use std::sync::Arc;

#[derive(Clone, Debug, Default)]
pub(crate) struct Meter;

#[derive(Debug)]
pub(crate) struct Started;

#[derive(Clone, Debug)]
pub(crate) struct Decisions;

impl Meter {
    pub(crate) fn of_recorder(_: &Arc<dyn Clock>) -> Self {
        Self
    }

    pub(crate) fn happened(&self, _: &'static str) {}

    pub(crate) fn throttled(&self, _: &str, _: &str) {}

    pub(crate) fn would_throttle(&self, _: &str, _: &str) {}

    #[inline]
    pub(crate) fn looked_up(&self, _: Cache, _: bool) {}

    #[inline]
    pub(crate) fn started(&self) -> Started {
        Started
    }

    #[inline]
    pub(crate) fn called(&self, _: Callee, _: Started, _: Outcome) {}

    pub(crate) fn read_off(&self, _: Gauge, _: impl Fn() -> Option<f64> + Send + Sync + 'static) {}
}

impl Decisions {
    pub(crate) fn new(
        _: &Meter,
        _: &'static [&'static str],
        _: impl Iterator<Item = &'static str>,
    ) -> Self {
        Self
    }

    #[inline]
    pub(crate) fn is_counted(&self) -> bool {
        false
    }

    #[inline]
    pub(crate) fn admitted(&self, _: usize, _: usize) {}

    #[inline]
    pub(crate) fn refused(&self, _: usize, _: usize, _: RejectionKind) {}
}
