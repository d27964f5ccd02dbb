//! One transaction's rows: asked for by commands, loaded together, kept in memory, written once before the commit.
//!
//! Commands are synchronous, and know nothing of loading: a row that is not here yet reads as if there were none, and is noted. When all
//! commands of a batch have run, what was noted is loaded in a few statements, and they run again from the start, until nothing is missing;
//! only then what they came to counts. Deliberately absent: statements (`load.rs`, `flush.rs`), and when to run (`engine.rs`).

use service_kit::{
    epoch::EpochId,
    error::StoreError,
    id::{IdSource, MemberId, PairKey},
    secret::StoreSecret,
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use super::cache::Cache;
use crate::{
    domain::{
        act::Act,
        member::{EventLink, Member},
        pair::Pair,
        standing::News,
        view::Entry,
    },
    store::rows::{FeedCursor, NewEvent, OldEntry, Remembered, StandingAct, UnseenRange},
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
    /// Whether a row was asked for whose absence would end a command early: what it would go on to ask for is not known yet.
    pub(super) looks: bool,
    /// Whether to commit although nothing was put.
    pub(super) touched: bool,
    /// Which command of the batch is under way, from 1.
    pub(super) command: usize,
    trace: Option<TraceContext>,
}

impl Batch {
    /// A batch that has not begun.
    pub(super) fn new(secret: StoreSecret, ids: IdSource) -> Self {
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
            looks: false,
            touched: false,
            command: 0,
            trace: None,
        }
    }

    /// Says which trace the next command belongs to, and that it begins.
    pub(super) fn serve(&mut self, trace: Option<TraceContext>) {
        self.trace = trace;
        self.command += 1;
    }

    pub(super) fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Undoes what commands have put, so that they can run again from the start: at `clock`, or at the last committed time if that is later.
    pub(super) fn restart(&mut self, clock: Time) {
        self.now = clock.max(self.found.last_time);
        self.head = self.found;
        self.ids.resume_after(self.found.last_id);
        self.pairs.reset();
        self.members.reset();
        self.entries.reset();
        self.remembered.reset();
        self.cooldowns.reset();
        self.ranges.reset();
        self.newly_erased.clear();
        self.deleted_members.clear();
        self.acts.clear();
        self.appended.clear();
        self.blanked_invitations.clear();
        self.blanked.clear();
        self.standings.clear();
        self.looks = false;
        self.touched = false;
        self.command = 0;
        self.trace = None;
    }

    /// Has all that was asked for loaded anew.
    pub(super) fn unload(&mut self) {
        self.pairs.unload();
        self.members.unload();
        self.erased.clear();
        self.entries.unload();
        self.remembered.unload();
        self.cooldowns.unload();
        // What they are asked by may depend on the time, which is another then.
        self.ranges.clear();
    }

    /// Forgets all that was asked for: the transaction is over.
    pub(super) fn clear(&mut self) {
        self.pairs.clear();
        self.members.clear();
        self.erased.clear();
        self.entries.clear();
        self.remembered.clear();
        self.cooldowns.clear();
        self.ranges.clear();
    }

    /// Whether something was asked for that is not here.
    pub(super) fn wants(&self) -> bool {
        self.wants_locked()
            || self.entries.wanted().next().is_some()
            || self.remembered.wanted().next().is_some()
            || self.cooldowns.wanted().next().is_some()
            || self.ranges.wanted().next().is_some()
    }

    /// Whether a row was asked for that is not here and is to be locked.
    pub(super) fn wants_locked(&self) -> bool {
        self.pairs.wanted().next().is_some() || self.members.wanted().next().is_some()
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

    /// Whom the events concern that were appended.
    pub(super) fn concerned(&self) -> impl Iterator<Item = &str> {
        let events = self.appended.iter().map(|appended| &appended.event);
        let sides = events.flat_map(|event| event.inviter.iter().chain(&event.invitee));
        sides.map(|side| side.member.as_str())
    }
}

/// A range holds what the database has. Where an earlier command of the batch has put what belongs into it, the command fails, and runs again
/// in a transaction of its own, after the earlier ones' commit.
pub(super) fn overtaken() -> StoreError {
    StoreError::internal("an earlier command of the batch has changed what is looked through")
}
