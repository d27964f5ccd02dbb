//! What a transaction reads and writes: the rows of an engine, without a word of how it keeps them.
//!
//! Deliberately absent: decisions, and keeping the rows in step with each other; both are `transaction`'s.

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::time::Time;
use uuid::Uuid;

use super::cards::CardRows;
use super::dismissals::DismissalRows;
use super::label_rows::LabelRows;
use crate::domain::ensure::StoredVerdict;
use crate::domain::erase::Erasure;
use crate::domain::fact::Fact;
use crate::domain::member::Member;
use crate::domain::pair::Pair;

/// The state of the store as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The last position taken; 0 before the first.
    pub position: u64,
    /// The time of the last commit that changed something.
    pub last_time: Time,
    /// Up to here invitation-service has stored the facts.
    pub acknowledged: u64,
    /// Up to here facts have been forgotten.
    pub pruned: u64,
}

/// The lists of a member that follow from the pairs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Listing {
    /// With whom they are connected, since when.
    Connections,
    /// Whom they have blocked, since when.
    Blocks,
    /// Whom they have removed, when.
    RemovalMarks,
}

impl Listing {
    /// All of them.
    pub(super) const ALL: [Self; 3] = [Self::Connections, Self::Blocks, Self::RemovalMarks];
}

/// The rows of a store inside its one write transaction. Every change must be seen by later reads of the transaction at once, and
/// must be undone when it is rolled back. A deletion of what must be there must fail with [`StoreError::Corrupt`] when it is not.
pub(super) trait Rows: CardRows + LabelRows + DismissalRows {
    /// The clock's time; may be earlier than that of the last commit.
    fn clock(&self) -> Time;

    /// The state of the store as a whole.
    fn head(&mut self) -> Result<Head, StoreError>;
    /// Replaces it.
    fn put_head(&mut self, head: &Head) -> Result<(), StoreError>;

    /// What is stored about a pair; the empty pair when nothing is.
    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError>;
    /// Replaces it. An empty pair must leave no row.
    fn put_pair(&mut self, key: &PairKey, pair: &Pair) -> Result<(), StoreError>;
    /// Up to `limit` pairs of a member, in any order.
    fn pairs_of(
        &mut self,
        member: &MemberId,
        limit: u32,
    ) -> Result<Vec<(PairKey, Pair)>, StoreError>;

    /// What is stored about a member.
    fn member(&mut self, id: &MemberId) -> Result<Option<Member>, StoreError>;
    /// Replaces it.
    fn put_member(&mut self, id: &MemberId, member: &Member) -> Result<(), StoreError>;
    /// Removes it, if there is one.
    fn delete_member(&mut self, id: &MemberId) -> Result<(), StoreError>;

    /// Adds a line to a member's list; it must not be there yet.
    fn list(
        &mut self,
        listing: Listing,
        member: &MemberId,
        time: Time,
        other: &MemberId,
    ) -> Result<(), StoreError>;
    /// Takes a line off a member's list; it must be there.
    fn unlist(
        &mut self,
        listing: Listing,
        member: &MemberId,
        time: Time,
        other: &MemberId,
    ) -> Result<(), StoreError>;
    /// Whom a member's oldest removal mark is about.
    fn oldest_removal_mark(&mut self, member: &MemberId) -> Result<Option<MemberId>, StoreError>;
    /// Up to `limit` removal marks that are not later than `until`, oldest first: who removed whom.
    fn removal_marks_until(
        &mut self,
        until: Time,
        limit: u32,
    ) -> Result<Vec<(MemberId, MemberId)>, StoreError>;

    /// The verdict kept for an invitation.
    fn verdict(&mut self, invitation: &Uuid) -> Result<Option<StoredVerdict>, StoreError>;
    /// Replaces it.
    fn put_verdict(&mut self, invitation: &Uuid, verdict: &StoredVerdict)
    -> Result<(), StoreError>;
    /// Deletes up to `limit` verdicts given not later than `until`, oldest first, stopping at the first that was given at a position
    /// after `position`. Says how many.
    fn delete_verdicts_until(
        &mut self,
        until: Time,
        position: u64,
        limit: u32,
    ) -> Result<u32, StoreError>;

    /// Appends a fact at a position that is not taken, with the positions of the facts before it that name its members (of an
    /// erasure: `previous.low`). Those who watch must be woken after the commit.
    fn append_fact(
        &mut self,
        position: u64,
        time: Time,
        fact: &Fact,
        previous: Sides<u64>,
    ) -> Result<(), StoreError>;
    /// Deletes up to `limit` facts committed not later than `until`, oldest first. The last position deleted.
    fn delete_facts_until(&mut self, until: Time, limit: u32) -> Result<Option<u64>, StoreError>;
    /// Takes the content and the name of `member` from a fact that names them. The position of the fact before it that names them
    /// (0 for none); `None` when the fact itself has been forgotten.
    fn blank_fact(&mut self, position: u64, member: &MemberId) -> Result<Option<u64>, StoreError>;

    /// Whether the member was erased.
    fn is_erased(&mut self, id: &MemberId) -> Result<bool, StoreError>;
    /// Says that the member was erased by the fact at `position`, keeping no more of the id than a keyed hash.
    fn put_erased(&mut self, id: &MemberId, position: u64) -> Result<(), StoreError>;
    /// The erasure of a member that is not complete.
    fn erasure(&mut self, id: &MemberId) -> Result<Option<Erasure>, StoreError>;
    /// Replaces it.
    fn put_erasure(&mut self, id: &MemberId, erasure: &Erasure) -> Result<(), StoreError>;
    /// Removes it.
    fn delete_erasure(&mut self, id: &MemberId) -> Result<(), StoreError>;

    // Many pairs at once.
    /// From here on pairs, members and lines of lists that are put may be kept back, so that all are written in the best order. They need
    /// not be seen by reads, until [`Rows::write_held`].
    fn hold(&mut self);
    /// Writes what was kept back; from here on every change is seen at once again.
    fn write_held(&mut self) -> Result<(), StoreError>;

    /// When an acknowledgement was last noted.
    fn last_acknowledgement(&mut self) -> Result<Option<Time>, StoreError>;
    /// Notes that everything up to `position` was acknowledged at `time`, later than any noted before.
    fn put_acknowledgement(&mut self, time: Time, position: u64) -> Result<(), StoreError>;
    /// Up to where everything was acknowledged by `time` according to the notes; 0 when there is none so old.
    fn acknowledged_by(&mut self, time: Time) -> Result<u64, StoreError>;
    /// Deletes the notes that are older than the one that [`Rows::acknowledged_by`] answers with for `time`.
    fn forget_acknowledgements(&mut self, time: Time) -> Result<(), StoreError>;
    /// Those who must be told the new acknowledged position after the commit.
    fn tell_acknowledged(&mut self, position: u64);
}
