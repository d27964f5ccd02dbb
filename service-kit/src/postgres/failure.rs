//! Why PostgreSQL did not do something, by what helps.
//!
//! Deliberately absent: the server's words. A message or its detail may repeat what is stored, so only the error's code, and the names of
//! the constraint or table that it concerns, are kept.

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use tokio_postgres::error::SqlState;

use crate::error::StoreError;

/// Why PostgreSQL did not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Another transaction was in the way; nothing was done, and doing all of it again helps.
    #[error("in the way of another transaction: {0}")]
    Conflict(Arc<str>),
    /// The server cannot be reached, is not ready or has no room, or is one that may not write; nothing was done.
    #[error("PostgreSQL is away: {0}")]
    Away(Arc<str>),
    /// The connection was lost before the answer to a commit: it may have been done or not.
    #[error("the answer to a commit was lost: {0}")]
    Doubt(Arc<str>),
    /// The history that the database has is not the one that was seen before.
    #[error("the database has gone back to an earlier state")]
    WentBack,
    /// The store's own error, which nothing here changes.
    #[error(transparent)]
    Store(StoreError),
}

impl Failure {
    /// A mistake in the program.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self::Store(StoreError::internal(why))
    }

    /// Rows that make no sense.
    pub fn corrupt(why: impl std::fmt::Display) -> Self {
        Self::Store(StoreError::corrupt(why))
    }

    /// A guard found another version of a row than was read.
    pub fn overtaken(table: &'static str) -> Self {
        Self::Conflict(format!("a row of {table} has another version").into())
    }

    fn of_code(code: &SqlState, place: Option<&str>) -> Self {
        let place = place.map_or_else(String::new, |place| format!(" at {place}"));
        let why = format!("{}{place}", code.code());
        match *code {
            SqlState::T_R_SERIALIZATION_FAILURE
            | SqlState::T_R_DEADLOCK_DETECTED
            | SqlState::UNIQUE_VIOLATION
            // Somebody else has made it at the same time: the table, or so far its type alone.
            | SqlState::DUPLICATE_TABLE
            | SqlState::DUPLICATE_OBJECT
            | SqlState::LOCK_NOT_AVAILABLE => Self::Conflict(why.into()),
            // What was asked took too long, or an operator ended it.
            SqlState::QUERY_CANCELED
            | SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
            // Whoever is on the same connection has thrown away what was kept there.
            | SqlState::INVALID_SQL_STATEMENT_NAME
            // A standby, or a primary that has become one.
            | SqlState::READ_ONLY_SQL_TRANSACTION => Self::Away(why.into()),
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => Self::corrupt(why),
            _ => match code.code().get(..2) {
                // Connections, the server's resources, an operator, the system beneath; and who may not come in.
                Some("08" | "53" | "57" | "58" | "28" | "3D") => Self::Away(why.into()),
                _ => Self::internal(why),
            },
        }
    }

    /// The same at the end of a transaction, where an answer that did not come leaves open what was done.
    #[must_use]
    pub fn at_commit(self) -> Self {
        match self {
            Self::Away(why) => Self::Doubt(why),
            other => other,
        }
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(told) = error.as_db_error() {
            // A statement was kept before a migration that gives its rows other columns.
            if told.routine() == Some("RevalidateCachedQuery") {
                return Self::Away("a statement that the server had kept is out of date".into());
            }
            return Self::of_code(told.code(), told.constraint().or(told.table()));
        }
        if error.is_closed() {
            return Self::Away("the connection is closed".into());
        }
        let mut cause = error.source();
        while let Some(source) = cause {
            if let Some(io) = source.downcast_ref::<io::Error>() {
                return Self::Away(io.to_string().into());
            }
            cause = source.source();
        }
        // What the client library itself says: of a host that has no name, of TLS that failed, of a column of another type.
        match error.to_string() {
            text if text.contains("connect")
                || text.contains("TLS")
                || text.contains("timeout") =>
            {
                Self::Away(text.into())
            }
            text => Self::internal(text),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Store(error) => error,
            other => Self::unavailable(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_sorted_by_what_helps() {
        let of = |code: &str| Failure::of_code(&SqlState::from_code(code), Some("pair_pkey"));
        for again in ["40001", "40P01", "23505", "55P03", "42P07", "42710"] {
            assert_eq!(
                of(again),
                Failure::Conflict(format!("{again} at pair_pkey").into())
            );
        }
        for away in [
            "57P01", "57P02", "57P03", "08006", "53300", "53100", "25006", "57014", "28P01",
            "3D000", "58030", "26000",
        ] {
            assert!(matches!(of(away), Failure::Away(_)), "{away}");
        }
        for corrupt in ["XX001", "XX002"] {
            assert!(
                matches!(of(corrupt), Failure::Store(StoreError::Corrupt(_))),
                "{corrupt}"
            );
        }
        for wrong in ["42601", "22P02", "23514", "XX000", "25P02"] {
            assert!(
                matches!(of(wrong), Failure::Store(StoreError::Internal(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn only_an_answer_that_did_not_come_leaves_a_doubt() {
        let away = Failure::Away("x".into());
        assert_eq!(away.at_commit(), Failure::Doubt("x".into()));
        let conflict = Failure::overtaken("pair");
        assert_eq!(conflict.clone().at_commit(), conflict);
    }

    #[test]
    fn outside_a_store_it_is_a_stores_error() {
        let kept = StoreError::corrupt("x");
        assert_eq!(StoreError::from(Failure::from(kept.clone())), kept);
        for failure in [
            Failure::overtaken("pair"),
            Failure::Away("x".into()),
            Failure::Doubt("x".into()),
            Failure::WentBack,
        ] {
            assert!(matches!(
                StoreError::from(failure),
                StoreError::Unavailable(_)
            ));
        }
    }
}
