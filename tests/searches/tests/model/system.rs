//! What is tested: anything that takes the commands and shows what members are shown.
//!
//! Deliberately absent: what is expected of it (`rules.rs`). A failing store is no answer; it panics.

use invitation_service::{
    domain::{
        accept::{Ruled, Ruling},
        act::Act,
        invitation::{Place, Role},
        member::{Preferences, Quota},
        pair::DeclineReason,
        policy::Policy,
        refusal::Refusal,
        standing::Counts as Outcomes,
        view::View,
    },
    store::{
        Barred, Counts, ListOrder, ListQuery,
        command::{
            AwaitedVerdict,
            answer::{Acceptance, Ending},
            facts::FeedFact,
            member::PreferenceChange,
            send::{Answer, SendInvitation},
        },
        rows::StandingAct,
    },
};
use service_kit::{
    epoch::EpochId,
    id::{MemberId, PairKey},
    time::Time,
};
use uuid::Uuid;

/// The one history of the connection-service that every system under test follows.
pub(crate) const EPOCH: EpochId = EpochId::from_bytes([5; 16]);

/// Everything that a member is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Shown {
    /// The answers to [`queries`].
    pub(crate) lists: Vec<Vec<View>>,
    pub(crate) counts: Counts,
    pub(crate) quota: Quota,
    /// What became of what the member sent, as operators see it.
    pub(crate) became: Outcomes,
    pub(crate) preferences: Preferences,
    pub(crate) bars: Vec<Barred>,
    /// Whose invitation is live between the member and each of the others.
    pub(crate) states: Vec<Option<(Role, Uuid)>>,
    /// What on the member's own side stands against inviting each of the others; refused of who was erased.
    pub(crate) eligibility: Result<Vec<Option<Refusal>>, Refusal>,
    /// What is shown of each invitation.
    pub(crate) invitations: Vec<Option<View>>,
    /// What the member's lists hold in the eyes of somebody who has followed the member's events; `None` where there are none to follow.
    pub(crate) watched: Option<Vec<View>>,
}

/// Every list of a member, each in one of its orders, and Sent with what was withdrawn lately in the other.
pub(crate) fn queries(member: &MemberId) -> [ListQuery; 4] {
    let query = |list, order, include_recently_withdrawn| ListQuery {
        member: member.clone(),
        list,
        order,
        include_recently_withdrawn,
        sent_before: None,
        after: None,
        limit: 100,
    };
    [
        query(Place::Sent, ListOrder::Newest, false),
        query(Place::Sent, ListOrder::Oldest, true),
        query(Place::Received, ListOrder::Newest, false),
        query(Place::Filtered, ListOrder::Oldest, false),
    ]
}

/// That the operator gives a member a plan.
pub(crate) fn assigns(member: &MemberId, plan: &str) -> StandingAct {
    StandingAct {
        author: "operator".to_owned(),
        request_id: None,
        member: member.clone(),
        act: Act::Plan(plan.to_owned()),
    }
}

/// One store with its commands and reads, called from one thread.
pub(crate) trait System {
    /// The numbers it works with.
    fn policy(&self) -> &Policy;
    /// Sets its clock, forward or back.
    fn set_clock(&mut self, at: Time);
    /// How far it has followed the feed.
    fn followed(&mut self) -> u64;

    fn send(&mut self, command: SendInvitation) -> Result<Answer, Refusal>;
    fn accept(&mut self, member: &MemberId, id: &Uuid) -> Result<Acceptance, Refusal>;
    fn decline(
        &mut self,
        member: &MemberId,
        id: &Uuid,
        reason: DeclineReason,
    ) -> Result<Ending, Refusal>;
    fn undo_decline(&mut self, member: &MemberId, id: &Uuid) -> Result<Ending, Refusal>;
    fn withdraw(&mut self, member: &MemberId, id: &Uuid) -> Result<Ending, Refusal>;
    fn mark_seen(&mut self, member: &MemberId, until: Time) -> Result<(), Refusal>;
    fn update_preferences(
        &mut self,
        member: &MemberId,
        change: PreferenceChange,
    ) -> Result<Preferences, Refusal>;
    fn unbar(&mut self, member: &MemberId, inviter: &MemberId) -> Result<(), Refusal>;

    fn set_plan(&mut self, member: &MemberId, plan: &str) -> Result<(), Refusal>;

    fn rule(&mut self, key: &PairKey, ruling: &Ruling) -> Ruled;
    fn fold(&mut self, facts: Vec<FeedFact>, until: u64);
    /// Erases the member completely.
    fn erase(&mut self, member: &MemberId);
    fn review(&mut self, key: &PairKey) -> Option<AwaitedVerdict>;
    fn auto_withdraw(&mut self, member: &MemberId);
    fn due_pairs(&mut self) -> Vec<PairKey>;
    fn due_members(&mut self) -> Vec<MemberId>;

    /// Everything that a member is shown, of these invitations and in relation to these others.
    fn shown(&mut self, member: &MemberId, others: &[MemberId], ids: &[Uuid]) -> Shown;
    /// Something that must hold within the system whatever the commands were, if it does not.
    fn flaw(&mut self, erased: &[MemberId]) -> Option<String>;
}
