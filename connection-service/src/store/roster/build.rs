//! A roster that is being built.
//!
//! Deliberately absent: reading.

use service_kit::id::MemberId;
use service_kit::time::Time;
use tokio::time::Instant;

use super::{Keys, Moment, News, Roster};
use crate::store::Line;

/// A roster of which a part has been read.
pub(in crate::store) struct Build {
    roster: Roster,
    /// The last connection read, newest first.
    after: Option<Line>,
    begun: Instant,
}

impl Build {
    /// Of nobody, as of a moment.
    pub(in crate::store) fn begin(as_of: Moment) -> Self {
        Self {
            roster: Roster {
                as_of,
                ..Roster::default()
            },
            after: None,
            begun: Instant::now(),
        }
    }

    /// The connection after which the next chunk begins, newest first.
    pub(in crate::store) fn after(&self) -> Option<&Line> {
        self.after.as_ref()
    }

    /// Puts the next connection in.
    pub(in crate::store) fn add(&mut self, other: MemberId, time: Time, keys: Keys) {
        self.roster.insert(other.clone(), time, keys);
        self.after = Some(Line { other, time });
    }

    /// The moment from which on what has changed is missing.
    pub(in crate::store) fn as_of(&self) -> Moment {
        self.roster.as_of
    }

    /// The whole roster, with what has changed since it was begun, and when that was. `None` where the news do not go back so far.
    pub(in crate::store) fn finish(mut self, news: News) -> Option<(Roster, Instant)> {
        let whole = self.roster.take_in(news);
        whole.then_some((self.roster, self.begun))
    }
}
