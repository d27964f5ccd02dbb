//! What time it is for a store that several processes share: the database's clock says.
//!
//! A transaction reads it. Between two, it is what was read last and the time that has passed here since. Deliberately absent: never going
//! back behind the last committed time, which whoever knows that time sees to.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::clock::Clock;
use crate::time::{Span, Time};

/// Whose clock counts.
#[derive(Clone)]
pub enum TimeSource {
    /// The database's, which is the same for all processes.
    Database,
    /// The given one: for tests, which move it.
    Given(Arc<dyn Clock>),
}

impl std::fmt::Debug for TimeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Database => "Database",
            Self::Given(_) => "Given",
        })
    }
}

/// The clock of a store. Clones show the same time.
#[derive(Clone, Debug)]
pub struct StoreClock {
    source: TimeSource,
    /// What the database's clock showed last, and when that was here.
    heard: Arc<Mutex<(Time, Instant)>>,
}

impl StoreClock {
    /// A clock that was told just now what time it is for the database.
    pub fn new(source: TimeSource, database: Time) -> Self {
        Self {
            source,
            heard: Arc::new(Mutex::new((database, Instant::now()))),
        }
    }

    /// The time of a transaction that has read the database's clock. Notes what it showed.
    pub fn of(&self, database: Time) -> Time {
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = (database, Instant::now());
        match &self.source {
            TimeSource::Database => database,
            TimeSource::Given(clock) => clock.now(),
        }
    }

    /// The time now, as far as it can be said without asking.
    pub fn now(&self) -> Time {
        match &self.source {
            TimeSource::Given(clock) => clock.now(),
            TimeSource::Database => {
                let (time, at) = *self.heard.lock().unwrap_or_else(PoisonError::into_inner);
                let passed = i64::try_from(at.elapsed().as_millis()).unwrap_or(i64::MAX);
                time.plus(Span::millis(passed))
            }
        }
    }
}
