//! What concerns one member alone: marking as seen, preferences, lifting a bar, and the plan that an operator gives.

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey},
    time::{Span, Time},
};

use super::{open, settle};
use crate::{
    domain::{
        decline::unbar as decide_unbar,
        invitation::{Effect, Role},
        member::{EventLink, Preferences, WhoCanInvite},
        refusal::Refusal,
    },
    store::rows::{EventKind, EventSide, NewEvent, PlanAct, Rows},
};

/// Marks everything that a member has received up to a time as seen.
pub fn mark_seen(
    rows: &mut dyn Rows,
    id: &MemberId,
    until: Time,
) -> Result<Result<(), Refusal>, StoreError> {
    let mut member = rows.member(id)?;
    if member.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let before = until.min(rows.now()).plus(Span::millis(1));
    let range = rows.unseen_range(id, &member.seen_until, before)?;
    let Some(latest) = range.latest else {
        return Ok(Ok(()));
    };
    member.seen_until = latest;
    member.received_unseen = member.received_unseen.saturating_sub(range.received);
    let event = NewEvent {
        kind: EventKind::Seen,
        invitation_id: latest,
        inviter: None,
        invitee: Some(EventSide {
            member: id.clone(),
            effect: Effect::None,
            previous: member.last_event,
            blank: false,
        }),
        previous_of_invitation: 0,
    };
    member.last_event = Some(EventLink {
        position: rows.append_event(event),
        role: Role::Invitee,
    });
    rows.put_member(member);
    Ok(Ok(()))
}

/// The preferences to change; `None` leaves one as it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PreferenceChange {
    /// Who may invite the member.
    pub who_can_invite: Option<WhoCanInvite>,
    /// After how many days the member's own invitations are withdrawn; `Some(None)` for never.
    pub auto_withdraw_days: Option<Option<u16>>,
}

/// Changes how a member wishes to be invited.
pub fn update_preferences(
    rows: &mut dyn Rows,
    id: &MemberId,
    change: PreferenceChange,
) -> Result<Result<Preferences, Refusal>, StoreError> {
    let mut member = rows.member(id)?;
    if member.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    if let Some(who_can_invite) = change.who_can_invite {
        member.preferences.who_can_invite = who_can_invite;
    }
    if let Some(days) = change.auto_withdraw_days {
        member.preferences.auto_withdraw_days = days;
        // The next run finds out what is due under the new wish.
        member.auto_withdraw_at = days.map(|_| rows.now());
    }
    let preferences = member.preferences;
    rows.put_member(member);
    Ok(Ok(preferences))
}

/// Lifts a member's bar against an inviter.
pub fn unbar(
    rows: &mut dyn Rows,
    member: &MemberId,
    inviter: &MemberId,
) -> Result<Result<(), Refusal>, StoreError> {
    if rows.member(member)?.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let Some(key) = PairKey::new(member, inviter) else {
        return Ok(Err(Refusal::SelfReference));
    };
    let before = open(rows, &key)?;
    let mut after = before.clone();
    if let Some(side) = key.side_of(member) {
        decide_unbar(&mut after, side);
    }
    if after != before {
        settle(rows, &before, after, &[], None)?;
    }
    Ok(Ok(()))
}

/// Gives a member a plan and records who did; nothing is recorded where the member has it already. Whether the plan is configured is the
/// caller's to check.
pub fn set_plan(
    rows: &mut dyn Rows,
    id: &MemberId,
    plan: &str,
    author: &str,
) -> Result<Result<(), Refusal>, StoreError> {
    let mut member = rows.member(id)?;
    if member.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    if member.assign_plan(plan) {
        rows.put_member(member);
        rows.append_act(PlanAct {
            author: author.to_owned(),
            member: id.clone(),
            plan: plan.to_owned(),
        });
    }
    Ok(Ok(()))
}
