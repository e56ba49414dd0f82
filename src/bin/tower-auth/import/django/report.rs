use super::kind::Kind;
use crate::console::{Console, List, Record, note};
use crate::failure::Failure;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// How many ids a line for people has.
const SHOWN: usize = 10;

/// What became of all rows. Ids alone, and what they are: no name, no hash, no token.
pub(super) struct Report {
    kinds: Vec<KindReport>,
}

/// What became of the rows of one kind: each is moved, was there or was left.
#[derive(Serialize, JsonSchema)]
pub(crate) struct KindReport {
    kind: Kind,
    /// How many rows Django has.
    read: u64,
    /// How many of them were added to the store, or would be.
    moved: u64,
    /// How many were in the store already.
    there: u64,
    /// Which were not moved.
    left: Vec<Told>,
    /// What is to be known of some that were moved, or were there.
    notes: Vec<Told>,
    /// Whether nothing was written.
    dry_run: bool,
}

/// What is said of one row.
#[derive(Serialize, JsonSchema)]
struct Told {
    /// The id of the user or of the row, the prefix of a key, or the id that a token has in the store.
    id: String,
    /// In words.
    why: String,
}

impl Report {
    pub(super) fn new(dry_run: bool) -> Self {
        let kinds = Kind::ALL.into_iter().map(|kind| KindReport {
            kind,
            read: 0,
            moved: 0,
            there: 0,
            left: Vec::new(),
            notes: Vec::new(),
            dry_run,
        });
        Self {
            kinds: kinds.collect(),
        }
    }

    fn of(&mut self, kind: Kind) -> &mut KindReport {
        // OK because there is one of each kind, in their order.
        &mut self.kinds[kind as usize]
    }

    pub(super) fn moved(&mut self, kind: Kind) {
        let report = self.of(kind);
        report.read += 1;
        report.moved += 1;
    }

    pub(super) fn there(&mut self, kind: Kind) {
        let report = self.of(kind);
        report.read += 1;
        report.there += 1;
    }

    /// Whether any row of that kind was in the store before.
    pub(super) fn has_some_there(&self, kind: Kind) -> bool {
        self.kinds[kind as usize].there > 0
    }

    pub(super) fn left(&mut self, kind: Kind, id: &str, why: impl Into<String>) {
        let report = self.of(kind);
        report.read += 1;
        report.left.push(Told::new(id, why));
    }

    pub(super) fn note(&mut self, kind: Kind, id: &str, why: impl Into<String>) {
        self.of(kind).notes.push(Told::new(id, why));
    }

    pub(super) fn show(&self, console: Console) -> Result<(), Failure> {
        let mut list = List::new(console);
        list.page(&self.kinds)?;
        list.end();
        if console.is_for_people() {
            for kind in &self.kinds {
                kind.tell(&kind.left, "left");
                kind.tell(&kind.notes, "note");
            }
        }
        Ok(())
    }
}

impl Told {
    fn new(id: &str, why: impl Into<String>) -> Self {
        Self {
            id: id.to_owned(),
            why: why.into(),
        }
    }
}

impl KindReport {
    /// A line for each reason, with the first ids.
    fn tell(&self, all: &[Told], word: &str) {
        let mut by_reason: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for told in all {
            by_reason.entry(&told.why).or_default().push(&told.id);
        }
        for (why, ids) in by_reason {
            let more = match ids.len().checked_sub(SHOWN) {
                None | Some(0) => String::new(),
                Some(more) => format!(" and {more} more (--json lists all)"),
            };
            let shown = ids[..ids.len().min(SHOWN)].join(", ");
            note(&format!(
                "{word}: {}: {why}: {shown}{more}",
                self.kind.name()
            ));
        }
    }
}

impl Record for KindReport {
    const COLUMNS: &'static [&'static str] = &["kind", "read", "moved", "there", "left"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.kind.name().to_owned(),
            self.read.to_string(),
            self.moved.to_string(),
            self.there.to_string(),
            self.left.len().to_string(),
        ]
    }
}
