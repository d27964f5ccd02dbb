//! What the commands need of an engine: rows to load and to put, inside one transaction.
//!
//! An engine keeps what was put and writes it with the commit, so that commands of one batch see each other in order. Deliberately absent:
//! decisions, and reads outside a transaction (`store/mod.rs`).

use service_kit::{
    epoch::EpochId,
    error::StoreError,
    id::{MemberId, PairKey},
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use crate::domain::{
    act::Act,
    invitation::{Effect, Happening, Place},
    member::{EventLink, Member, Quota},
    pair::Pair,
    view::Entry,
};

/// One transaction's rows.
pub trait Rows {
    /// The store's time: the highest of the clock and the last committed time, the same throughout the transaction.
    fn now(&self) -> Time;
    /// The trace of the request that the command serves, if it serves one.
    fn trace(&self) -> Option<TraceContext> {
        None
    }
    /// A new UUIDv7, sorting after every earlier one.
    fn next_id(&mut self) -> Uuid;
    /// Any number, for spreading waits.
    fn jitter(&mut self) -> u32;
    /// A keyed hash that does not tell what was hashed.
    fn keyed_hash(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 16];

    /// How far connection-service's feed has been followed.
    fn cursor(&self) -> FeedCursor;
    /// Notes how far it has been followed.
    fn put_cursor(&mut self, cursor: FeedCursor);

    /// The pair; an empty one where there is no row.
    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError>;
    /// Says which pairs a command was given to go through, before it changes the first. An engine whose rows are elsewhere fetches them together, with
    /// what goes with them: a row that is missing may end a command early, and then each would be fetched after the one before it. Pairs that
    /// were found here need not be announced.
    fn announce(&mut self, _keys: &mut dyn Iterator<Item = &PairKey>) {}
    /// Keeps the pair, or deletes its row when nothing is left in it.
    fn put_pair(&mut self, pair: Pair);

    /// The member; a new one where there is no row, marked as erased if it was.
    fn member(&mut self, id: &MemberId) -> Result<Member, StoreError>;
    /// Keeps the member.
    fn put_member(&mut self, member: Member);
    /// Marks the id as erased for ever, by its keyed hash.
    fn put_erased(&mut self, id: &MemberId);
    /// Records an act of an operator for good, with the store's time.
    fn append_act(&mut self, act: StandingAct);
    /// Whom an operator's request concerned, unless the member was erased since, and what was done; `None` where nothing is recorded of it.
    fn act_of_request(
        &mut self,
        author: &str,
        request_id: &Uuid,
    ) -> Result<Option<(Option<MemberId>, Act)>, StoreError>;
    /// Deletes everything kept under the member alone: the row, remembered requests, the name in acts of operators.
    fn delete_member(&mut self, id: &MemberId);

    /// What the member keeps of the invitation, if anything.
    fn entry(
        &mut self,
        member: &MemberId,
        invitation_id: &Uuid,
    ) -> Result<Option<Entry>, StoreError>;
    /// Keeps, moves or (with `None`) deletes it.
    fn put_entry(&mut self, member: &MemberId, invitation_id: &Uuid, entry: Option<Entry>);
    /// The oldest entries in a list that were sent before a time, oldest first, at most `limit`.
    fn oldest_entries(
        &mut self,
        member: &MemberId,
        place: Place,
        sent_before: Time,
        limit: usize,
    ) -> Result<Vec<OldEntry>, StoreError>;
    /// What the member received that sorts after `after` and was sent before `before`.
    fn unseen_range(
        &mut self,
        member: &MemberId,
        after: &Uuid,
        before: Time,
    ) -> Result<UnseenRange, StoreError>;
    /// Up to `limit` pairs of a member, in no particular order.
    fn some_pairs(&mut self, member: &MemberId, limit: usize) -> Result<Vec<PairKey>, StoreError>;
    /// Up to `limit` pairs that sort after `after` (if given) and not after `until` (if given), in order.
    fn pairs_between(
        &mut self,
        after: Option<&PairKey>,
        until: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<PairKey>, StoreError>;

    /// The answer remembered for a request id, however old.
    fn remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
    ) -> Result<Option<Remembered>, StoreError>;
    /// Remembers it, or (with `None`) forgets it.
    fn put_remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
        remembered: Option<Remembered>,
    );

    /// Until when an inviter's own withdrawal stands in the way of inviting this member again, by the hash of the ordered pair.
    fn withdraw_cooldown(&mut self, ordered_pair: &[u8; 16]) -> Result<Option<Time>, StoreError>;
    /// Notes it.
    fn put_withdraw_cooldown(&mut self, ordered_pair: &[u8; 16], until: Time);

    /// Appends an event and returns its position, the next after the last.
    fn append_event(&mut self, event: NewEvent) -> u64;
    /// Takes the names out of an invitation's events, from the latest back to the first. They keep their positions.
    fn blank_invitation_events(&mut self, last_event: u64) -> Result<(), StoreError>;
    /// Takes a member's name out of that member's events, at most `limit` of them, from this one back; where to go on, if there are more.
    fn blank_member_events(
        &mut self,
        from: Option<EventLink>,
        limit: usize,
    ) -> Result<Option<EventLink>, StoreError>;
}

/// What an operator does about a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingAct {
    /// The name of the credential that it is done with.
    pub author: String,
    /// Stands for the request, if the operator gave it an id.
    pub request_id: Option<Uuid>,
    /// Whom it concerns.
    pub member: MemberId,
    /// What is done.
    pub act: Act,
}

/// How far connection-service's feed has been followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedCursor {
    /// The history that the position belongs to; `None` before the first contact.
    pub epoch: Option<EpochId>,
    /// Everything up to here has been folded.
    pub position: u64,
}

/// An entry found by age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OldEntry {
    /// The invitation.
    pub invitation_id: Uuid,
    /// The other member.
    pub other: MemberId,
    /// When it was sent.
    pub create_time: Time,
    /// When it expires if it is pending then.
    pub expire_time: Time,
}

/// What lies between two marks of seeing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnseenRange {
    /// The latest invitation in the range, in Received or Filtered.
    pub latest: Option<Uuid>,
    /// How many of those in Received lie in the range.
    pub received: u32,
}

/// What a request id was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// A keyed hash of the invitee, note and source.
    pub content: [u8; 16],
    /// When it was answered.
    pub time: Time,
    /// The invitation that was created or accepted.
    pub invitation_id: Uuid,
    /// What happened.
    pub outcome: RememberedOutcome,
    /// The figures it was answered with.
    pub quota: Quota,
}

/// What a remembered request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RememberedOutcome {
    /// A new invitation.
    Sent {
        /// When it was to expire.
        expire_time: Time,
    },
    /// The acceptance of the other's, whose verdict is awaited.
    Accepting,
    /// The acceptance of the other's; the two were connected.
    Connected {
        /// The moment the connection was made.
        connect_time: Time,
        /// When the other's invitation was sent.
        create_time: Time,
    },
    /// The acceptance of the other's; it came to nothing, for a block, a removal or an erasure.
    Ended {
        /// When the other's invitation was sent.
        create_time: Time,
    },
}

/// What an event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// A step of an invitation.
    Step(Happening),
    /// The invitee marked everything up to the invitation as seen.
    Seen,
    /// The names were taken out.
    Blank,
}

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// What it tells.
    pub kind: EventKind,
    /// The invitation.
    pub invitation_id: Uuid,
    /// Who invites; nobody for [`EventKind::Seen`].
    pub inviter: Option<EventSide>,
    /// Who is invited.
    pub invitee: Option<EventSide>,
    /// The position of the invitation's event before this one; 0 if there is none.
    pub previous_of_invitation: u64,
}

/// What an event is to one of its two members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSide {
    /// Who.
    pub member: MemberId,
    /// What it does to the member's lists.
    pub effect: Effect,
    /// The member's event before this one.
    pub previous: Option<EventLink>,
    /// The name is not to be written: the member is being erased.
    pub blank: bool,
}
