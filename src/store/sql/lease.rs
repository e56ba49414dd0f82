use super::engine::{Arg, Connection, GaveWay, Row, check_storable};
use crate::store::{StoreError, StoreErrorKind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// What takes longer to roll back is closed, which ends the transaction as well.
const ROLLBACK_WITHIN: Duration = Duration::from_secs(1);

/// A connection in use.
///
/// However its use ends, the next one finds a connection that works: it goes back only where
/// nothing is under way on it, and is closed where a statement failed or was given up half-way.
pub(super) struct Lease<'a> {
    /// `None` while it is handed over, at the end.
    connection: Option<Box<dyn Connection>>,
    state: State,
    statements: &'a AtomicU64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Idle,
    InTransaction,
    /// A statement is under way, or failed in a way that says nothing of the connection.
    Unsure,
}

impl<'a> Lease<'a> {
    pub(super) fn new(connection: Box<dyn Connection>, statements: &'a AtomicU64) -> Self {
        Self {
            connection: Some(connection),
            state: State::Idle,
            statements,
        }
    }

    pub(super) async fn run(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        check_storable(args)?;
        self.statements.fetch_add(1, Ordering::Relaxed);
        // Unsure while the statement is under way: whoever is dropped half-way leaves an answer on
        // the connection, which the next one would take for its own.
        let state = std::mem::replace(&mut self.state, State::Unsure);
        let result = self.connection()?.run(sql, args).await;
        let is_usable = match &result {
            Ok(_) => true,
            // An answer that says no: the connection is well.
            Err(error) => error.kind() != StoreErrorKind::Unavailable || GaveWay::is_why(error),
        };
        if is_usable {
            self.state = state;
        }
        result
    }

    /// Runs a statement of which at most the first row matters.
    pub(super) async fn first(
        &mut self,
        sql: &'static str,
        args: &[Arg<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.run(sql, args).await?.into_iter().next())
    }

    pub(super) async fn begin(&mut self, begin: &'static str) -> Result<(), StoreError> {
        self.batch(begin, State::InTransaction).await
    }

    pub(super) async fn script(&mut self, sql: &'static str) -> Result<(), StoreError> {
        self.batch(sql, self.state).await
    }

    pub(super) async fn commit(mut self) -> Result<(), StoreError> {
        self.batch("COMMIT", State::Idle).await
    }

    async fn batch(&mut self, sql: &'static str, then: State) -> Result<(), StoreError> {
        self.state = State::Unsure;
        self.connection()?.batch(sql).await?;
        self.state = then;
        Ok(())
    }

    fn connection(&mut self) -> Result<&mut dyn Connection, StoreError> {
        match &mut self.connection {
            Some(connection) => Ok(&mut **connection),
            None => Err(StoreError::new(StoreErrorKind::Unavailable)),
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else {
            return;
        };
        match self.state {
            State::Idle => connection.give_back(),
            State::InTransaction => {
                // Without a runtime it is closed, which ends the transaction as well.
                if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                    runtime.spawn(roll_back(connection));
                }
            }
            State::Unsure => drop(connection),
        }
    }
}

async fn roll_back(mut connection: Box<dyn Connection>) {
    let rollback = tokio::time::timeout(ROLLBACK_WITHIN, connection.batch("ROLLBACK"));
    if let Ok(Ok(())) = rollback.await {
        connection.give_back();
    }
}
