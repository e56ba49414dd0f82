use super::meter::Meter;
use super::recorder;
use super::tally::Tally;
use crate::reject::RejectionKind;
use std::fmt;
use std::sync::Arc;

/// Of each gate and scheme: one count of what was admitted, and one of each kind of refusal.
const KINDS: usize = 1 + RejectionKind::ALL.len();

/// What became of the requests of one layer, by gate, scheme and kind. A clone counts the same.
#[derive(Clone)]
pub(crate) struct Decisions(Option<Arc<Counted>>);

struct Counted {
    meter: Meter,
    gates: &'static [&'static str],
    schemes: Box<[&'static str]>,
    tally: Tally,
}

impl Decisions {
    pub(crate) fn new(
        meter: &Meter,
        gates: &'static [&'static str],
        schemes: impl Iterator<Item = &'static str>,
    ) -> Self {
        if !meter.is_on() {
            return Self(None);
        }
        let schemes: Box<[_]> = schemes.collect();
        let counted = Arc::new(Counted {
            meter: meter.clone(),
            gates,
            tally: Tally::new(gates.len() * schemes.len() * KINDS),
            schemes,
        });
        // The meter belongs to the realm and outlives the layer. A strong reference would keep the
        // counts of every layer that was ever built.
        let reported = Arc::downgrade(&counted);
        meter.report_by(move || match reported.upgrade() {
            Some(counted) => {
                counted.report();
                true
            }
            None => false,
        });
        Self(Some(counted))
    }

    #[inline]
    pub(crate) fn is_counted(&self) -> bool {
        self.0.is_some()
    }

    /// By the places of the gate and the scheme among their names.
    #[inline]
    pub(crate) fn admitted(&self, gate: usize, scheme: usize) {
        if let Some(counted) = &self.0 {
            counted.add(gate, scheme, 0);
        }
    }

    #[inline]
    pub(crate) fn refused(&self, gate: usize, scheme: usize, kind: RejectionKind) {
        if let Some(counted) = &self.0 {
            counted.add(gate, scheme, 1 + kind as usize);
        }
    }
}

impl Counted {
    #[inline]
    fn add(&self, gate: usize, scheme: usize, kind: usize) {
        // A scheme that has no name of its own is counted with requests that presented nothing.
        let scheme = if scheme < self.schemes.len() {
            scheme
        } else {
            0
        };
        self.tally
            .add((gate * self.schemes.len() + scheme) * KINDS + kind);
        self.meter.start_reporting();
    }

    fn report(&self) {
        self.tally.take(|count, requests| {
            let (pair, kind) = (count / KINDS, count % KINDS);
            let (gate, scheme) = (pair / self.schemes.len(), pair % self.schemes.len());
            let kind = match kind.checked_sub(1) {
                None => "admitted",
                Some(kind) => RejectionKind::ALL[kind].code(),
            };
            recorder::decided(self.gates[gate], self.schemes[scheme], kind, requests);
        });
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        // What was counted since the last report would be lost with the layer.
        self.report();
    }
}

impl fmt::Debug for Decisions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Decisions")
            .field(&self.is_counted())
            .finish()
    }
}
