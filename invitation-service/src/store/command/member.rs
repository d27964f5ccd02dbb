//! What concerns one member alone: marking as seen, preferences, lifting a bar, and what operators do about what the member may send.

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
        policy::Policy,
        refusal::Refusal,
    },
    store::rows::{EventKind, EventSide, NewEvent, Rows, StandingAct},
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
    policy: &Policy,
    member: &MemberId,
    inviter: &MemberId,
) -> Result<Result<(), Refusal>, StoreError> {
    if rows.member(member)?.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let Some(key) = PairKey::new(member, inviter) else {
        return Ok(Err(Refusal::SelfReference));
    };
    let before = open(rows, policy, &key)?;
    let mut after = before.clone();
    if let Some(side) = key.side_of(member) {
        decide_unbar(&mut after, side);
    }
    if after != before {
        settle(rows, policy, &before, after, &[], None)?;
    }
    Ok(Ok(()))
}

/// Does what an operator does about a member and records it. Where it is so already nothing is recorded, but for what a request id is to be
/// remembered by: a request is done once, however late it is repeated.
pub fn act(
    rows: &mut dyn Rows,
    policy: &Policy,
    asked: &StandingAct,
) -> Result<Result<(), Refusal>, StoreError> {
    let mut member = rows.member(&asked.member)?;
    let done = match &asked.request_id {
        Some(request_id) => rows.act_of_request(&asked.author, request_id)?,
        None => None,
    };
    if let Some((concerned, act)) = done {
        let of_this = concerned.map_or(member.erased, |concerned| concerned == asked.member);
        if !of_this || act != asked.act {
            return Ok(Err(Refusal::RequestIdReused));
        }
        if !member.erased {
            return Ok(Ok(()));
        }
    }
    if member.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let changes = member.act(&asked.act, policy, rows.now());
    if changes {
        rows.put_member(member);
    }
    if changes || asked.request_id.is_some() {
        rows.append_act(asked.clone());
    }
    Ok(Ok(()))
}
