//! Why a store could not do its part.
//!
//! Deliberately absent: refusals of a rule (those are the services' own) and the outward answer (see [`crate::status`]).

use std::sync::Arc;

use rusqlite::ErrorCode;

/// Why a store could not do its part. Never shown outward: `Display` is for the log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Too much waits already; nothing was done.
    #[error("the store's queue is full")]
    Overloaded,
    /// The store cannot be reached or used now (busy, disk full, closed); nothing was done, unless it lies elsewhere and the answer to a
    /// commit was lost. A later attempt may succeed.
    #[error("the store is unavailable: {0}")]
    Unavailable(Arc<str>),
    /// What is stored is not what was written; repeating does not help.
    #[error("the store is corrupt: {0}")]
    Corrupt(Arc<str>),
    /// A mistake in the program; repeating does not help.
    #[error("internal store error: {0}")]
    Internal(Arc<str>),
}

impl StoreError {
    /// [`StoreError::Unavailable`] because of `why`.
    pub fn unavailable(why: impl std::fmt::Display) -> Self {
        Self::Unavailable(why.to_string().into())
    }

    /// [`StoreError::Corrupt`] because of `why`.
    pub fn corrupt(why: impl std::fmt::Display) -> Self {
        Self::Corrupt(why.to_string().into())
    }

    /// [`StoreError::Internal`] because of `why`.
    pub fn internal(why: impl std::fmt::Display) -> Self {
        Self::Internal(why.to_string().into())
    }

    /// Logs that `work`, which nobody waits for and which is tried again, has failed: as an error, but at debug where the store only cannot
    /// be used now, which [`crate::store_health`] tells of once.
    pub fn log(&self, work: &str) {
        match self {
            Self::Overloaded | Self::Unavailable(_) => tracing::debug!("{work} failed: {self}"),
            Self::Corrupt(_) | Self::Internal(_) => tracing::error!("{work} failed: {self}"),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly,
            ) => Self::unavailable(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::corrupt(error),
            _ => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::ffi;

    fn of(code: i32) -> StoreError {
        rusqlite::Error::SqliteFailure(ffi::Error::new(code), None).into()
    }

    #[test]
    fn driver_errors_are_sorted_by_what_helps() {
        for code in [
            ffi::SQLITE_BUSY,
            ffi::SQLITE_LOCKED,
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_BUSY_SNAPSHOT,
        ] {
            assert!(matches!(of(code), StoreError::Unavailable(_)), "{code}");
        }
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            assert!(matches!(of(code), StoreError::Corrupt(_)), "{code}");
        }
        for code in [
            ffi::SQLITE_CONSTRAINT,
            ffi::SQLITE_MISUSE,
            ffi::SQLITE_ERROR,
        ] {
            assert!(matches!(of(code), StoreError::Internal(_)), "{code}");
        }
        assert!(matches!(
            rusqlite::Error::QueryReturnedNoRows.into(),
            StoreError::Internal(_)
        ));
    }
}
