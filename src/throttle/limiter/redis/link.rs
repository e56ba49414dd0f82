use super::connection::Connection;
use super::cure::Cure;
use redis::{FromRedisValue, RedisError, ScriptInvocation};
use std::sync::{Mutex, PoisonError};

/// The connection to the server, which all requests share, and another one where that is the cure.
///
/// A `ConnectionManager` connects again by itself where a connection has ended. It keeps one that
/// leads to a server which was demoted, one of which no packet comes through any more, and one
/// whose greeting was refused.
#[derive(Default)]
pub(super) struct Link(Mutex<Current>);

#[derive(Default)]
struct Current {
    /// How many there were before.
    number: u64,
    connection: Option<Connection>,
}

/// What may be asked a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repeat {
    /// What admits less where both were done.
    Always,
    /// What would admit more: only where the server has said that it did nothing.
    IfNotDone,
}

impl Link {
    /// Asks, and once more where another connection is the cure.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
        repeat: Repeat,
        connect: impl Fn() -> Result<Connection, RedisError>,
    ) -> Result<T, RedisError> {
        // Once more and not in a loop: what the second connection cannot do either is an outage.
        let (mut connection, number) = self.current(&connect)?;
        connection.check().await?;
        let error = match call.invoke_async(&mut connection.manager).await {
            Err(error) if Cure::of(&error) == Cure::AnotherConnection => error,
            answer => return answer,
        };
        // After an error of the connection itself the manager connects again. One that works, but
        // leads to a server which was demoted, it would keep for good.
        if !error.is_unrecoverable_error() {
            self.replace(number);
        }
        // The connection broke before an answer came, so the server may have done it.
        if repeat == Repeat::IfNotDone && error.is_unrecoverable_error() {
            return Err(error);
        }
        let (mut connection, number) = self.current(&connect)?;
        connection.check().await?;
        let answer = call.invoke_async(&mut connection.manager).await;
        if let Err(error) = &answer
            && Cure::of(error) == Cure::AnotherConnection
            && !error.is_unrecoverable_error()
        {
            self.replace(number);
        }
        answer
    }

    /// The connection, and its number.
    pub(super) fn current(
        &self,
        connect: impl Fn() -> Result<Connection, RedisError>,
    ) -> Result<(Connection, u64), RedisError> {
        // Held while a connection is described, which waits for nobody: it is made when it is first
        // used, outside of this lock. A panic leaves the old one in place.
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &current.connection {
            Some(connection) => connection.clone(),
            None => current.connection.insert(connect()?).clone(),
        };
        Ok((connection, current.number))
    }

    /// How many connections there were before the present one.
    pub(super) fn number(&self) -> u64 {
        let current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.number
    }

    /// The next request makes another connection, unless that was done since the one of that
    /// number.
    pub(super) fn replace(&self, number: u64) {
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if current.number == number {
            current.number += 1;
            current.connection = None;
        }
    }
}
