use super::algorithm::{Calendar, Paced, Sliding};
use super::table::Table;
use std::sync::OnceLock;

/// The counters of one rule: a table for each algorithm, made when it is first needed. Which one
/// that is is a matter of the rate, and callers of one rule may have different rates.
pub(crate) struct Counters {
    most_keys: usize,
    sliding: OnceLock<Table<Sliding>>,
    paced: OnceLock<Table<Paced>>,
    calendar: OnceLock<Table<Calendar>>,
}

impl Counters {
    /// For so many callers at most, in each table.
    pub(crate) fn new(most_keys: usize) -> Self {
        Self {
            most_keys,
            sliding: OnceLock::new(),
            paced: OnceLock::new(),
            calendar: OnceLock::new(),
        }
    }

    #[inline]
    pub(crate) fn sliding(&self) -> &Table<Sliding> {
        self.sliding.get_or_init(|| Table::new(self.most_keys))
    }

    #[inline]
    pub(crate) fn paced(&self) -> &Table<Paced> {
        self.paced.get_or_init(|| Table::new(self.most_keys))
    }

    #[inline]
    pub(crate) fn calendar(&self) -> &Table<Calendar> {
        self.calendar.get_or_init(|| Table::new(self.most_keys))
    }

    /// How many callers have a counter.
    pub(crate) fn len(&self) -> usize {
        self.sliding.get().map_or(0, Table::len)
            + self.paced.get().map_or(0, Table::len)
            + self.calendar.get().map_or(0, Table::len)
    }
}
