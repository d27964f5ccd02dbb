//! One transaction's rows: asked for by commands, loaded together, kept in memory, written once before the commit.
//!
//! Commands are synchronous, and know nothing of loading: a row that is not here yet reads as if there were none, and is noted. When all
//! commands of a batch have run, what was noted is loaded in a few statements, and they run again from the start, until nothing is missing;
//! only then what they came to counts. Deliberately absent: statements (`load.rs`, `flush.rs`), and when to run (service-kit's engine).

use service_kit::{
    epoch::EpochId,
    error::StoreError,
    id::{IdSource, MemberId, PairKey},
    postgres::Cache,
    secret::StoreSecret,
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use crate::{
    domain::{
        act::Act,
        member::{EventLink, Member},
        pair::Pair,
        standing::News,
        view::Entry,
    },
    store::{
        rows::{FeedCursor, NewEvent, OldEntry, Remembered, StandingAct, UnseenRange},
        standing_metrics::StandingMetrics,
    },
};

/// What the last row of all holds: what lasts from one transaction to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) last_time: Time,
    pub(super) last_id: Uuid,
    pub(super) position: u64,
    pub(super) acts: u64,
    pub(super) cursor: FeedCursor,
    /// The process that leads, by the number of the epoch that it began; 0 before one has.
    pub(super) leader: i64,
}

impl Head {
    /// Of a store that has not been looked at.
    pub(super) const UNKNOWN: Self = Self {
        last_time: Time::ZERO,
        last_id: Uuid::nil(),
        position: 0,
        acts: 0,
        cursor: FeedCursor {
            epoch: None,
            position: 0,
        },
        leader: 0,
    };

    /// Which history of connection-service has been followed.
    pub(super) fn feed_epoch(&self) -> Option<EpochId> {
        self.cursor.epoch
    }
}

/// A pair's row with when it is due.
#[derive(Clone)]
pub(super) struct PairRow {
    pub(super) pair: Pair,
    pub(super) due: Option<Time>,
}

/// Rows that are asked for by what they are and not by their key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Range {
    Oldest {
        member: MemberId,
        place: i16,
        before: Time,
        limit: usize,
    },
    Unseen {
        member: MemberId,
        after: Uuid,
        before: Time,
    },
    PairsOf {
        member: MemberId,
        limit: usize,
    },
    PairsBetween {
        after: Option<PairKey>,
        until: Option<PairKey>,
        limit: usize,
    },
    /// A member's events from this link back: one more than the limit, if there are so many.
    Chain {
        link: i64,
        limit: usize,
    },
    Act {
        author: String,
        request_id: Uuid,
    },
}

/// What a range holds.
pub(super) enum Found {
    Oldest(Vec<OldEntry>),
    Unseen(UnseenRange),
    Pairs(Vec<PairKey>),
    Chain(Vec<EventLink>),
    Act(Option<(Option<MemberId>, Act)>),
}

/// An event as it is appended.
pub(super) struct Appended {
    pub(super) position: u64,
    pub(super) event: NewEvent,
}

/// The rows of one transaction.
pub(super) struct Batch {
    pub(super) secret: StoreSecret,
    pub(super) ids: IdSource,
    pub(super) now: Time,
    /// As the transaction found it, and as it leaves it.
    pub(super) found: Head,
    pub(super) head: Head,
    pub(super) pairs: Cache<PairKey, PairRow>,
    pub(super) members: Cache<MemberId, Member>,
    /// Those of the members asked for whose ids were erased.
    pub(super) erased: Vec<MemberId>,
    pub(super) entries: Cache<(MemberId, Uuid), Entry>,
    pub(super) remembered: Cache<(MemberId, Uuid), Remembered>,
    pub(super) cooldowns: Cache<[u8; 16], Time>,
    pub(super) ranges: Cache<Range, Found>,
    pub(super) newly_erased: Vec<MemberId>,
    pub(super) deleted_members: Vec<MemberId>,
    /// Each with the command that appended it.
    pub(super) acts: Vec<(StandingAct, usize)>,
    pub(super) appended: Vec<Appended>,
    /// The last events of invitations, from which on names are taken out.
    pub(super) blanked_invitations: Vec<u64>,
    /// Events of which one member's name is taken out.
    pub(super) blanked: Vec<EventLink>,
    /// How standings have changed.
    pub(super) standings: Vec<News>,
    /// Where that is shown once it is committed.
    pub(super) standing_metrics: StandingMetrics,
    /// Whether a row was asked for whose absence would end a command early: what it would go on to ask for is not known yet.
    pub(super) looks: bool,
    /// Whether to commit although nothing was put.
    pub(super) touched: bool,
    /// Which command of the batch is under way, from 1.
    pub(super) command: usize,
    /// Which trace that belongs to.
    pub(super) trace: Option<TraceContext>,
}

impl Batch {
    /// A batch that has not begun.
    pub(super) fn new(
        secret: StoreSecret,
        ids: IdSource,
        standing_metrics: StandingMetrics,
    ) -> Self {
        Self {
            secret,
            ids,
            now: Time::ZERO,
            found: Head::UNKNOWN,
            head: Head::UNKNOWN,
            pairs: Cache::default(),
            members: Cache::default(),
            erased: Vec::new(),
            entries: Cache::default(),
            remembered: Cache::default(),
            cooldowns: Cache::default(),
            ranges: Cache::default(),
            newly_erased: Vec::new(),
            deleted_members: Vec::new(),
            acts: Vec::new(),
            appended: Vec::new(),
            blanked_invitations: Vec::new(),
            blanked: Vec::new(),
            standings: Vec::new(),
            standing_metrics,
            looks: false,
            touched: false,
            command: 0,
            trace: None,
        }
    }

    /// Has the batch commit although nothing was put.
    pub(super) fn touch(&mut self) {
        self.touched = true;
    }

    /// Looks a range up, which an earlier command of the batch must not have changed (see [`overtaken`]). `None` where it is not here yet.
    pub(super) fn range(&mut self, range: &Range) -> Option<&Found> {
        let found = self.ranges.get(range);
        if found.is_none() {
            self.looks = true;
        }
        found
    }
}

/// A range holds what the database has. Where an earlier command of the batch has put what belongs into it, the command fails, and runs again
/// in a transaction of its own, after the earlier ones' commit.
pub(super) fn overtaken() -> StoreError {
    StoreError::internal("an earlier command of the batch has changed what is looked through")
}
