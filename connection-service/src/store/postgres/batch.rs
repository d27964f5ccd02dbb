//! One transaction's rows: asked for by commands, loaded together, kept in memory, written once before the commit.
//!
//! Commands are synchronous, and know nothing of loading: a row that is not here yet reads as if there were none, and is noted (see
//! [`service_kit::postgres::BatchRows`]). Deliberately absent: statements (`load.rs`, `flush.rs`), and what commands see (`batch_rows.rs`,
//! `batch_labels.rs`).

use std::collections::{BTreeMap, BTreeSet};

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};
use service_kit::postgres::Cache;
use service_kit::secret::StoreSecret;
use service_kit::time::Time;
use uuid::Uuid;

use super::acknowledged::Acknowledged;
use super::lines::Lines;
use super::tables::fact::Appended;
use crate::domain::annotation::{Annotation, Notebook, OwnLabel};
use crate::domain::card::{Card, CardKeys};
use crate::domain::ensure::StoredVerdict;
use crate::domain::erase::Erasure;
use crate::domain::label::LabelId;
use crate::domain::member::Member;
use crate::domain::pair::Pair;
use crate::store::rows;

/// What the last row of all holds: what lasts from one transaction to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// What commands see of it.
    pub(super) seen: rows::Head,
    /// The number of the last change of a card.
    pub(super) cards: u64,
}

/// A card, with what follows from it where a command has put it.
pub(super) struct CardRow {
    pub(super) card: Card,
    /// `None` as it was loaded: nobody decides by it.
    pub(super) put: Option<CardPut>,
}

/// What is written beside a card's texts.
pub(super) struct CardPut {
    pub(super) keys: CardKeys,
    pub(super) change: u64,
}

/// Where a line of a list lies: whose it is, its time, and the other member.
pub(super) type LineKey = (MemberId, Time, MemberId);

/// Rows that are asked for by what they are and not by their key.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Range {
    PairsOf {
        member: MemberId,
        limit: u32,
    },
    /// A member's oldest removal marks.
    OldestMarks {
        member: MemberId,
        limit: usize,
    },
    /// The oldest removal marks of all members.
    MarksUntil {
        until: Time,
        limit: u32,
    },
    /// The oldest verdicts, with the positions that they were given at.
    VerdictsUntil {
        until: Time,
        limit: u32,
    },
    /// The oldest facts: their positions and times.
    OldestFacts {
        limit: u32,
    },
    /// The facts that name a member, from a position back.
    Chain {
        member: MemberId,
        from: u64,
    },
    LastAcknowledgement,
    AcknowledgedBy {
        time: Time,
    },
    Labelled {
        member: MemberId,
        label: LabelId,
        limit: u32,
    },
    /// One of all deleted labels that connections may still have.
    DroppedLabel,
    DroppedLabelsOf {
        member: MemberId,
        limit: u32,
    },
    /// Dismissals by or of a member.
    DismissalsAround {
        member: MemberId,
        limit: u32,
    },
}

/// What a range holds.
pub(super) enum Found {
    Pairs(Vec<PairKey>),
    /// Lines of removal marks, oldest first.
    Marks(Vec<LineKey>),
    Verdicts(Vec<(Uuid, u64)>),
    Facts(Vec<(u64, Time)>),
    /// Positions, each with that of the fact before it which names the member; the last may lead to one that was forgotten.
    Chain(BTreeMap<u64, u64>),
    Time(Option<Time>),
    Position(u64),
    Labelled(Vec<(Time, MemberId)>),
    Labels(Vec<(MemberId, LabelId)>),
    Dismissals(Vec<(MemberId, MemberId)>),
}

/// A member's labels, all of them: there are few, and they are found by their texts as well as by their numbers.
pub(super) type Labels = BTreeMap<LabelId, OwnLabel>;

/// The rows of one transaction.
pub(super) struct Batch {
    pub(super) secret: StoreSecret,
    /// Those who wait for an acknowledgement.
    pub(super) acknowledged: Acknowledged,
    pub(super) now: Time,
    /// As the transaction found it, and as it leaves it.
    pub(super) found: Head,
    pub(super) head: Head,
    pub(super) pairs: Cache<PairKey, Pair>,
    pub(super) members: Cache<MemberId, Member>,
    /// Those of the members asked for whose ids were erased.
    pub(super) erased: BTreeSet<MemberId>,
    pub(super) verdicts: Cache<Uuid, StoredVerdict>,
    pub(super) cards: Cache<MemberId, CardRow>,
    pub(super) notebooks: Cache<MemberId, Notebook>,
    pub(super) labels: Cache<MemberId, Labels>,
    pub(super) annotations: Cache<LineKey, Annotation>,
    pub(super) dismissals: Cache<(MemberId, MemberId), Time>,
    pub(super) erasures: Cache<MemberId, Erasure>,
    pub(super) ranges: Cache<Range, Found>,
    pub(super) connections: Lines<LineKey>,
    pub(super) blocks: Lines<LineKey>,
    pub(super) removal_marks: Lines<LineKey>,
    pub(super) labelled: Lines<(MemberId, LabelId, Time, MemberId)>,
    pub(super) dropped_labels: Lines<(MemberId, LabelId)>,
    pub(super) appended: Vec<Appended>,
    pub(super) newly_erased: BTreeMap<MemberId, u64>,
    /// Facts from which a member's name and the content are taken.
    pub(super) blanked: Vec<(u64, MemberId)>,
    pub(super) deleted_verdicts: Vec<Uuid>,
    /// Up to this position facts are deleted.
    pub(super) deleted_facts: Option<u64>,
    pub(super) deleted_dismissals: Vec<(MemberId, MemberId)>,
    /// Whose dismissals are cut to this number, and by which command.
    pub(super) bounded_dismissals: BTreeMap<MemberId, (u32, usize)>,
    pub(super) acknowledgement: Option<(Time, u64)>,
    /// Notes of acknowledgements that are older than the one for this time are deleted.
    pub(super) forgotten_acknowledgements: Option<Time>,
    /// The acknowledged position, if it has moved.
    pub(super) told: Option<u64>,
    /// Whether something was asked for whose absence would end a command early: what it would go on to ask for is not known yet.
    pub(super) looks: bool,
    /// Whether to commit although nothing was put.
    pub(super) touched: bool,
    /// Which command of the batch is under way, from 1.
    pub(super) command: usize,
}

impl Batch {
    /// A batch that has not begun, of a store that has not been looked at.
    pub(super) fn new(secret: StoreSecret, acknowledged: Acknowledged) -> Self {
        let head = Head {
            seen: rows::Head::default(),
            cards: 0,
        };
        Self {
            secret,
            acknowledged,
            now: Time::ZERO,
            found: head,
            head,
            pairs: Cache::default(),
            members: Cache::default(),
            erased: BTreeSet::new(),
            verdicts: Cache::default(),
            cards: Cache::default(),
            notebooks: Cache::default(),
            labels: Cache::default(),
            annotations: Cache::default(),
            dismissals: Cache::default(),
            erasures: Cache::default(),
            ranges: Cache::default(),
            connections: Lines::default(),
            blocks: Lines::default(),
            removal_marks: Lines::default(),
            labelled: Lines::default(),
            dropped_labels: Lines::default(),
            appended: Vec::new(),
            newly_erased: BTreeMap::new(),
            blanked: Vec::new(),
            deleted_verdicts: Vec::new(),
            deleted_facts: None,
            deleted_dismissals: Vec::new(),
            bounded_dismissals: BTreeMap::new(),
            acknowledgement: None,
            forgotten_acknowledgements: None,
            told: None,
            looks: false,
            touched: false,
            command: 0,
        }
    }

    /// Says that the next command begins.
    pub(super) fn serve_next(&mut self) {
        self.command += 1;
    }

    /// Undoes what commands have put, so that they can run again from the start: at `clock`, or at the last committed time if that is later.
    pub(super) fn restart_at(&mut self, clock: Time) {
        self.now = clock.max(self.found.seen.last_time);
        self.head = self.found;
        self.pairs.reset();
        self.members.reset();
        self.verdicts.reset();
        self.cards.reset();
        self.notebooks.reset();
        self.labels.reset();
        self.annotations.reset();
        self.dismissals.reset();
        self.erasures.reset();
        self.ranges.reset();
        self.connections.clear();
        self.blocks.clear();
        self.removal_marks.clear();
        self.labelled.clear();
        self.dropped_labels.clear();
        self.appended.clear();
        self.newly_erased.clear();
        self.blanked.clear();
        self.deleted_verdicts.clear();
        self.deleted_facts = None;
        self.deleted_dismissals.clear();
        self.bounded_dismissals.clear();
        self.acknowledgement = None;
        self.forgotten_acknowledgements = None;
        self.told = None;
        self.looks = false;
        self.touched = false;
        self.command = 0;
    }

    /// Has everything loaded anew that was asked for by its key.
    pub(super) fn unload_all(&mut self) {
        self.pairs.unload();
        self.members.unload();
        self.erased.clear();
        self.verdicts.unload();
        self.cards.unload();
        self.notebooks.unload();
        self.labels.unload();
        self.annotations.unload();
        self.dismissals.unload();
        self.erasures.unload();
        // What they are asked by may depend on the time, which is another then.
        self.ranges.clear();
    }

    /// Forgets all that was asked for and put: the transaction is over.
    pub(super) fn clear_all(&mut self) {
        self.restart_at(self.now);
        self.pairs.clear();
        self.members.clear();
        self.erased.clear();
        self.verdicts.clear();
        self.cards.clear();
        self.notebooks.clear();
        self.labels.clear();
        self.annotations.clear();
        self.dismissals.clear();
        self.erasures.clear();
        self.ranges.clear();
    }

    /// Whether something was asked for that is not here.
    pub(super) fn wants_rows(&self) -> bool {
        self.pairs.wanted().next().is_some()
            || self.members.wanted().next().is_some()
            || self.verdicts.wanted().next().is_some()
            || self.cards.wanted().next().is_some()
            || self.notebooks.wanted().next().is_some()
            || self.labels.wanted().next().is_some()
            || self.annotations.wanted().next().is_some()
            || self.dismissals.wanted().next().is_some()
            || self.erasures.wanted().next().is_some()
            || self.ranges.wanted().next().is_some()
    }

    /// Looks a range up, which an earlier command of the batch must not have changed (see [`overtaken`]). `None` where it is not here yet.
    pub(super) fn range(&mut self, range: &Range) -> Option<&Found> {
        let found = self.ranges.get(range);
        if found.is_none() {
            self.looks = true;
        }
        found
    }

    /// Whom the facts name that were appended.
    pub(super) fn named(&self) -> impl Iterator<Item = &str> {
        let concerned = self.appended.iter().flat_map(|fact| &fact.concerned);
        concerned.map(MemberId::as_str)
    }
}

/// A range holds what the database has. Where an earlier command of the batch has put what belongs into it, the command fails, and runs again
/// in a transaction of its own, after the earlier ones' commit.
pub(super) fn overtaken() -> StoreError {
    StoreError::internal("an earlier command of the batch has changed what is looked through")
}

/// A range that was looked up as another kind of range.
pub(super) fn wrong_range() -> StoreError {
    StoreError::internal("a range that holds something else")
}
