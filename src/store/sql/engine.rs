//! What a database must do for the stores: hand out connections, and run statements on them.
//!
//! Statements are written once, for both dialects: `$1` parameters, columns of whole numbers, texts
//! and bytes, and `RETURNING` instead of counts. What differs stands in [`Dialect`].

use super::locking::Locking;
use crate::store::{StoreError, StoreErrorKind};
use async_trait::async_trait;
use std::error::Error;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a statement of the store's own tasks may take, which is longer than one of a request:
/// some read, or remove, many rows.
pub(in crate::store) const UPKEEP_WITHIN: Duration = Duration::from_secs(30);

#[async_trait]
pub(in crate::store) trait Engine: Send + Sync + 'static {
    fn dialect(&self) -> &'static Dialect;

    async fn open(&self, purpose: Purpose) -> Result<Box<dyn Connection>, StoreError>;

    /// How often it was opened anew, because another file came in the place of the former one.
    fn times_opened(&self) -> u64 {
        0
    }

    /// Whether a failure is of a kind that ends without anybody's doing.
    fn may_pass(&self, failure: &StoreError) -> bool;

    /// What says at once that something changed; `None` where the database says nothing.
    async fn listen(&self) -> Result<Option<Box<dyn Listener>>, StoreError>;
}

/// What a connection is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    Read,
    Write,
    /// For the tasks of the store itself, which go on when the requests have all other connections.
    Upkeep,
    /// For the first connection, and for making the tables.
    Start,
    /// As [`Upkeep`](Self::Upkeep), for what writes: where there is one writer at a time, it waits
    /// for its turn.
    Housekeeping,
}

/// A connection that is closed when it is dropped, unless it was given back.
#[async_trait]
pub(in crate::store) trait Connection: Send {
    async fn run(&mut self, sql: &'static str, args: &[Arg<'_>]) -> Result<Vec<Row>, StoreError>;

    /// Several statements, without parameters.
    async fn batch(&mut self, sql: &'static str) -> Result<(), StoreError>;

    /// Nothing is under way on it: others may have it.
    fn give_back(self: Box<Self>);
}

#[async_trait]
pub(in crate::store) trait Listener: Send {
    /// Waits for a change; an error is the end of the connection.
    async fn changed(&mut self) -> Result<(), StoreError>;
}

/// Where two databases differ.
#[derive(Debug)]
pub(in crate::store) struct Dialect {
    /// Begins a transaction in which what is read stays as it is until it is written.
    pub(in crate::store) begin: &'static str,
    /// Begins a migration, which waits for that of another node.
    pub(in crate::store) begin_migration: &'static str,
    /// The steps of the schema, of which the first is version 1.
    pub(in crate::store) schema: &'static [&'static str],
    /// Begins a transaction that adds what happened: numbers are given in the order in which they
    /// can be read, so nobody else adds meanwhile.
    pub(in crate::store) begin_audit: &'static str,
    /// Adds what happened, in the order of `$1`, a JSON array of an object for each record, whose
    /// members are called as the columns.
    pub(in crate::store) insert_audit: &'static str,
    /// A row where the table is there that has the version of the schema.
    pub(in crate::store) schema_table: &'static str,
    /// Microseconds since 1970 by the database's clock.
    pub(in crate::store) now: &'static str,
    /// The key of id `$1`, locked.
    pub(in crate::store) lock_key: &'static str,
    /// The private token of id `$1`, locked.
    pub(in crate::store) lock_token: &'static str,
    /// The user of kind `$1` and id `$2` in whatever state, locked.
    pub(in crate::store) lock_account: &'static str,
    /// Locks the id `$1` of a token that may have no row; `None` where whoever writes is alone.
    pub(in crate::store) lock_id: Option<&'static str>,
    /// The family of id `$1`, locked.
    pub(in crate::store) lock_family: &'static str,
    /// The user of kind `$1` and id `$2`, locked.
    pub(in crate::store) lock_user: &'static str,
    /// What changes or removes many rows, each with locks of its own.
    pub(in crate::store) locking: Locking,
    /// Takes down the uses of keys in `$1`, a JSON array of `algorithm`, `digest` (hexadecimal)
    /// and `used`, and passes over keys that somebody is changing.
    pub(in crate::store) note_key_uses: &'static str,
    /// Takes down the uses of private tokens in `$1`, a JSON array of `id` and `used`, and passes
    /// over tokens that somebody is changing.
    pub(in crate::store) note_token_uses: &'static str,
    /// `incarnation, cursor, time` now; the time in microseconds by the database's clock.
    pub(in crate::store) cursor: &'static str,
    /// `incarnation, cursor, time` now, and at most `$2` changes after the cursor `$1`, in their order.
    /// What it reads is bounded by that, whatever transactions are under way.
    pub(in crate::store) changes: &'static str,
    /// Removes at most `$2` changes older than `$1` microseconds by the database's clock.
    pub(in crate::store) purge_changes: &'static str,
}

/// Why a database ended a transaction: two waited for each other, or were not one after the other.
/// Nothing of it was written, the other one goes on, and the same call may succeed now.
#[derive(Debug, thiserror::Error)]
#[error("the database ended this transaction so that another one could go on")]
pub(in crate::store) struct GaveWay(#[source] Box<dyn Error + Send + Sync>);

impl GaveWay {
    pub(in crate::store) fn because(source: impl Into<Box<dyn Error + Send + Sync>>) -> StoreError {
        StoreError::unavailable(Self(source.into()))
    }

    pub(super) fn is_why(error: &StoreError) -> bool {
        error.source().is_some_and(|source| source.is::<Self>())
    }
}

/// What a parameter is bound to.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Arg<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
    Bytes(&'a [u8]),
}

/// PostgreSQL keeps no NUL in a text, and SQLite does not promise to compare one: neither gets any.
pub(super) fn is_storable(text: &str) -> bool {
    !text.contains('\0')
}

pub(super) fn check_storable(args: &[Arg<'_>]) -> Result<(), StoreError> {
    for arg in args {
        if let Arg::Text(Some(text)) = arg
            && !is_storable(text)
        {
            return Err(StoreError::new(StoreErrorKind::Invalid));
        }
    }
    Ok(())
}

impl From<i64> for Arg<'_> {
    fn from(number: i64) -> Self {
        Self::Int(Some(number))
    }
}

impl From<SystemTime> for Arg<'_> {
    fn from(time: SystemTime) -> Self {
        Self::Int(Some(micros(time)))
    }
}

impl From<Option<SystemTime>> for Arg<'_> {
    fn from(time: Option<SystemTime>) -> Self {
        Self::Int(time.map(micros))
    }
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}

impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [u8; 32]> for Arg<'a> {
    fn from(bytes: &'a [u8; 32]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

/// The arguments of a statement, each converted.
macro_rules! args {
    ($($arg:expr),* $(,)?) => { &[$($crate::store::sql::engine::Arg::from($arg)),*] };
}
pub(in crate::store) use args;

/// One value of a row.
#[derive(Debug)]
pub(in crate::store) enum Cell {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row, read from its first column to its last.
#[derive(Debug)]
pub(in crate::store) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(in crate::store) fn new(cells: Vec<Cell>) -> Self {
        Self(cells.into_iter())
    }

    pub(super) fn int(&mut self) -> Result<i64, StoreError> {
        self.int_or_null()?.ok_or_else(unexpected)
    }

    pub(super) fn int_or_null(&mut self) -> Result<Option<i64>, StoreError> {
        match self.0.next() {
            Some(Cell::Int(number)) => Ok(Some(number)),
            Some(Cell::Null) => Ok(None),
            _ => Err(unexpected()),
        }
    }

    pub(super) fn time(&mut self) -> Result<SystemTime, StoreError> {
        self.int().map(from_micros)
    }

    pub(super) fn time_or_null(&mut self) -> Result<Option<SystemTime>, StoreError> {
        Ok(self.int_or_null()?.map(from_micros))
    }

    pub(super) fn text(&mut self) -> Result<String, StoreError> {
        self.text_or_null()?.ok_or_else(unexpected)
    }

    pub(super) fn text_or_null(&mut self) -> Result<Option<String>, StoreError> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(Some(text)),
            Some(Cell::Null) => Ok(None),
            _ => Err(unexpected()),
        }
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.0.next() {
            Some(Cell::Bytes(bytes)) => Ok(bytes),
            _ => Err(unexpected()),
        }
    }

    pub(super) fn number(&mut self) -> Result<u32, StoreError> {
        u32::try_from(self.int()?).map_err(|_| unexpected())
    }

    pub(super) fn digest(&mut self) -> Result<[u8; 32], StoreError> {
        self.digest_or_null()?.ok_or_else(unexpected)
    }

    pub(super) fn digest_or_null(&mut self) -> Result<Option<[u8; 32]>, StoreError> {
        match self.0.next() {
            Some(Cell::Bytes(bytes)) => Ok(Some(bytes.try_into().map_err(|_| unexpected())?)),
            Some(Cell::Null) => Ok(None),
            _ => Err(unexpected()),
        }
    }
}

fn unexpected() -> StoreError {
    StoreError::unavailable("a column holds something else than the schema says")
}

/// Microseconds since 1970, to which times are kept: the next earlier one; at either end of the
/// range, that end.
pub(super) fn micros(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => clamp(since),
        Err(before) => {
            let span = before.duration();
            let ceiling = clamp(span).saturating_add(i64::from(span.subsec_nanos() % 1_000 != 0));
            ceiling.saturating_neg()
        }
    }
}

fn clamp(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

fn from_micros(micros: i64) -> SystemTime {
    let span = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 {
        UNIX_EPOCH.checked_sub(span)
    } else {
        UNIX_EPOCH.checked_add(span)
    };
    time.unwrap_or(UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_kept_to_the_microsecond_on_both_sides_of_1970() {
        for micros_since in [
            0,
            1,
            -1,
            1_700_000_000_123_456,
            -5_000_000,
            i64::MAX,
            i64::MIN + 1,
        ] {
            assert_eq!(micros(from_micros(micros_since)), micros_since);
        }
        assert_eq!(
            micros(UNIX_EPOCH + Duration::from_nanos(1_999)),
            1,
            "never later than it was"
        );
        assert_eq!(micros(UNIX_EPOCH - Duration::from_nanos(1_001)), -2);
    }
}
