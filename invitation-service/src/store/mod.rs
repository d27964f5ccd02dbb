//! What the store must do, whatever engine serves it.
//!
//! - A command's answer is given only after its commit; a command that fails has changed nothing.
//! - Commands on the same pair or member take effect one after the other; later ones see earlier ones.
//! - The store's time is the highest of the clock and the last committed time.
//! - Positions of events are given in the order of commits, without gaps.
//! - Reads see one committed state each and never wait for commands.
//!
//! Deliberately absent: decisions (`domain/`) and what a command entails (`command/`), which are the same for every engine.

mod catch_up;
mod codec;
pub mod command;
pub mod feed;
mod folding;
pub mod postgres;
mod reading;
pub mod rows;
pub mod sqlite;
mod standing_metrics;

use async_trait::async_trait;
use service_kit::{
    epoch::{Diverged, EpochId},
    error::StoreError,
    feed::Subscription,
    id::{MemberId, PairKey},
    secret::StoreSecret,
    store_health::StoreHealth,
    time::{Span, Time},
};
use uuid::Uuid;

use crate::domain::{
    accept::{Ruled, Ruling},
    act::Act,
    invitation::{Place, Role},
    member::{Preferences, Quota},
    pair::DeclineReason,
    refusal::Refusal,
    standing::told::{Known, Told},
    view::View,
};
use command::{
    AwaitedVerdict,
    answer::{Acceptance, Ending},
    facts::FeedFact,
    member::PreferenceChange,
    rebuild::FactsPage,
    send::{Answer, SendInvitation},
};
use feed::{MemberEvent, Reached, ServiceEvent, Stretch};
use rows::{FeedCursor, StandingAct};

/// A command's outcome: done or refused; or the store could not do its part.
pub type Decided<T> = Result<Result<T, Refusal>, StoreError>;

/// Where invitations are kept.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Sends an invitation, accepts the one that stands the other way, or repeats an answer.
    async fn send(&self, command: SendInvitation) -> Decided<Answer>;
    /// What [`Store::send`] would decide, from one committed state, changing nothing.
    async fn preview_send(&self, command: SendInvitation) -> Decided<Answer>;
    /// For each invitee what on the inviter's own side stands against a sending now, if anything.
    async fn eligibility(
        &self,
        inviter: MemberId,
        invitees: Vec<MemberId>,
    ) -> Decided<Vec<Option<Refusal>>>;
    /// Accepts an invitation.
    async fn accept(&self, member: MemberId, invitation_id: Uuid) -> Decided<Acceptance>;
    /// Declines an invitation, or strengthens the reason.
    async fn decline(
        &self,
        member: MemberId,
        invitation_id: Uuid,
        reason: DeclineReason,
    ) -> Decided<Ending>;
    /// Takes a decline back.
    async fn undo_decline(&self, member: MemberId, invitation_id: Uuid) -> Decided<Ending>;
    /// Withdraws an invitation.
    async fn withdraw(&self, member: MemberId, invitation_id: Uuid) -> Decided<Ending>;
    /// Marks everything received up to a time as seen.
    async fn mark_seen(&self, member: MemberId, until: Time) -> Decided<()>;
    /// Changes how a member wishes to be invited.
    async fn update_preferences(
        &self,
        member: MemberId,
        change: PreferenceChange,
    ) -> Decided<Preferences>;
    /// Does what an operator does about a member, once for each request, and records it unless it is so already.
    async fn act(&self, act: StandingAct) -> Decided<()>;
    /// Lifts a member's bar against an inviter.
    async fn unbar(&self, member: MemberId, inviter: MemberId) -> Decided<()>;

    /// Applies a verdict; `None` when it is of a history that is not followed.
    async fn rule(
        &self,
        key: PairKey,
        epoch: EpochId,
        ruling: Ruling,
    ) -> Result<Option<Ruled>, StoreError>;
    /// Does what is due on a pair; the acceptance to see through, if its turn has come.
    async fn review(&self, key: PairKey) -> Result<Option<AwaitedVerdict>, StoreError>;
    /// Withdraws what a member wishes to be withdrawn, if that is due.
    async fn auto_withdraw(&self, member: MemberId) -> Result<(), StoreError>;
    /// Deletes some of what is kept for a time only and is over; whether there may be more.
    async fn forget_old(&self) -> Result<bool, StoreError>;

    /// Folds changes of connection-service's feed, in order, in as many transactions as leave others their turn, each with how far it has been
    /// followed.
    async fn fold(&self, facts: Vec<FeedFact>, until: FeedCursor) -> Result<(), StoreError>;
    /// Erases a part of what is kept of a member; whether that was the last of it.
    async fn erase(&self, member: MemberId) -> Result<bool, StoreError>;
    /// Forgets positions beyond a common one, for some pairs; where to go on.
    async fn rewind_pairs(
        &self,
        after: Option<PairKey>,
        common_position: u64,
    ) -> Result<Option<PairKey>, StoreError>;
    /// Takes a page of the other side's list; where to go on within it.
    async fn merge_page(&self, page: FactsPage) -> Result<Option<PairKey>, StoreError>;

    /// How far connection-service's feed has been followed.
    async fn cursor(&self) -> Result<FeedCursor, StoreError>;
    /// Pairs that are due, the longest due first.
    async fn due_pairs(&self, limit: usize) -> Result<Vec<PairKey>, StoreError>;
    /// Members whose auto-withdrawal is due, the longest due first.
    async fn due_members(&self, limit: usize) -> Result<Vec<MemberId>, StoreError>;

    /// What a member is shown of an invitation.
    async fn get(&self, member: MemberId, invitation_id: Uuid) -> Result<Option<View>, StoreError>;
    /// A page of one of a member's lists, and whether more follow.
    async fn list(&self, query: ListQuery) -> Result<(Vec<View>, bool), StoreError>;
    /// How many invitations a member's lists hold.
    async fn counts(&self, member: MemberId) -> Result<Counts, StoreError>;
    /// Whose invitation is live between a member and each of the others, as the member's lists show it.
    async fn states(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Option<(Role, Uuid)>>, StoreError>;
    /// What a member has used of their limits, and what they may know of their standing.
    async fn quota(&self, member: MemberId) -> Result<OwnQuota, StoreError>;
    /// All that there is to know of a member's standing.
    async fn standing(&self, member: MemberId) -> Result<Known, StoreError>;
    /// What operators did, newest first: about a member or anybody, before the act of a number; and whether more follow.
    async fn acts(
        &self,
        member: Option<MemberId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<RecordedAct>, bool), StoreError>;
    /// Every plan that was ever assigned, in order.
    async fn assigned_plans(&self) -> Result<Vec<String>, StoreError>;
    /// How a member wishes to be invited.
    async fn preferences(&self, member: MemberId) -> Result<Preferences, StoreError>;
    /// Whom a member has barred, in the order of ids, after one of them; and whether more follow.
    async fn bars(
        &self,
        member: MemberId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<(Vec<Barred>, bool), StoreError>;
    // Exporting.
    /// Whether the member was erased, or is being erased.
    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError>;
    /// Some of the invitations that a member keeps, in whatever place, in the order of their ids, from after one; and after which to go on
    /// where more may follow. At most `limit` are looked at.
    async fn kept_invitations(
        &self,
        member: MemberId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<View>, Option<Uuid>), StoreError>;

    /// The oldest of a member's pending invitations that match.
    async fn select(&self, selection: Selection) -> Result<Selected, StoreError>;

    /// The position of the last event.
    async fn head(&self) -> Result<u64, StoreError>;
    /// The events after a position; `None` when some of them are no longer kept.
    async fn service_events(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Option<Stretch<ServiceEvent>>, StoreError>;
    /// What became of a member's lists beyond what a watch has reached; `None` when that can no longer be said.
    async fn member_events(
        &self,
        member: MemberId,
        reached: Reached,
    ) -> Result<Option<Stretch<MemberEvent>>, StoreError>;
    /// Wakes whoever waits for a member's events, or (with `None`) for all.
    fn subscribe(&self, member: Option<&MemberId>) -> Subscription;

    /// The history that positions belong to.
    fn epoch(&self) -> EpochId;
    /// Whether a position of a history is part of this store's.
    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged>;
    /// The store's secret, for tokens.
    fn secret(&self) -> &StoreSecret;
    /// Whether the store works, as its use has shown.
    fn health(&self) -> &StoreHealth;
    /// Writes and reads, and changes nothing: whether the store works now.
    async fn probe(&self) -> Result<(), StoreError>;
    /// Whether other processes may use the same store at the same time.
    fn is_shared(&self) -> bool;
    /// Asks to lead, or to go on leading, for `span` from now; whether this process does. Of several on one store the one that leads follows
    /// connection-service's feed and does what nobody waits for. Once one has led, folding, erasing and rebuilding fail for every other. Asking for no
    /// time ends its turn: another may lead at once.
    async fn lead(&self, span: Span) -> Result<bool, StoreError>;
    /// Resolves when the store takes no more commands, which a process should not outlive.
    async fn closed(&self);
    /// Finishes what waits and releases the store.
    async fn close(&self);
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListOrder {
    /// The latest sent first.
    Newest,
    /// The earliest sent first.
    Oldest,
}

/// Which page of which list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListQuery {
    /// Whose.
    pub member: MemberId,
    /// Which: Sent, Received or Filtered.
    pub list: Place,
    /// In which order.
    pub order: ListOrder,
    /// Also those withdrawn lately.
    pub include_recently_withdrawn: bool,
    /// Only those sent before this time.
    pub sent_before: Option<Time>,
    /// The last invitation of the page before.
    pub after: Option<Uuid>,
    /// How many at most.
    pub limit: usize,
}

/// What a member may know of what they may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnQuota {
    /// What they have used of their limits.
    pub quota: Quota,
    /// The name of the plan in force.
    pub plan: String,
    /// How they are regarded.
    pub told: Told,
}

/// An act of an operator, as it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedAct {
    /// Later ones have higher numbers.
    pub number: u64,
    /// When it was done.
    pub time: Time,
    /// The name of the credential that it was done with.
    pub author: String,
    /// Whom it concerned; `None` if the member was erased since.
    pub member: Option<MemberId>,
    /// What was done.
    pub act: Act,
}

/// How many invitations a member's lists hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// In Received.
    pub received_pending: u32,
    /// In Received and not marked as seen.
    pub received_unseen: u32,
    /// In Filtered.
    pub filtered_pending: u32,
    /// In Sent.
    pub sent_pending: u32,
}

/// An inviter who is barred.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Barred {
    /// Who.
    pub inviter: MemberId,
    /// Why.
    pub reason: DeclineReason,
    /// Since when.
    pub time: Time,
}

/// Which of a member's pending invitations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Whose.
    pub member: MemberId,
    /// Of which list.
    pub list: Place,
    /// Only those sent before this time.
    pub sent_before: Option<Time>,
    /// Only those without a note.
    pub without_note: bool,
    /// How many at most.
    pub limit: usize,
    /// How many that match are counted at most; at least `limit`.
    pub count_max: usize,
}

/// The invitations that match a selection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The oldest, up to the limit.
    pub invitation_ids: Vec<Uuid>,
    /// How many match in all, up to as many as are counted.
    pub matched: u32,
}
