//! The commands: load what the decision needs, let the domain decide, put what follows. The same over every engine.
//!
//! Whatever a step of an invitation entails (both members' entries, counters, events) is drawn from the step in one place, [`settle`], so
//! that no command can forget a part of it. Deliberately absent: SQL, and the rules themselves.

pub mod answer;
pub mod eligibility;
pub mod erase;
pub mod facts;
pub mod member;
pub mod rebuild;
pub mod review;
pub mod send;
pub mod standing;
pub mod withdraw;

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey, Side},
};
use uuid::Uuid;

use super::rows::{EventKind, EventSide, NewEvent, Remembered, RememberedOutcome, Rows};
use crate::domain::{
    invitation::{Happening, Role, State, Transition, place, shown},
    member::EventLink,
    note::{Note, Source},
    pair::Pair,
    policy::Policy,
    refusal::Refusal,
    review::review,
    view::{Entry, View, view},
    withdraw::auto_withdraw_due,
};
use service_kit::{time::Time, trace::TraceContext};

/// An acceptance that connection-service is to rule on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedVerdict {
    /// The invitation.
    pub invitation_id: Uuid,
    /// Which of its acceptances.
    pub acceptance: u32,
    /// When it was accepted.
    pub accept_time: Time,
    /// Who had invited.
    pub inviter: MemberId,
    /// Who has accepted.
    pub invitee: MemberId,
    /// The trace of the call that accepted.
    pub trace: Option<TraceContext>,
}

impl AwaitedVerdict {
    /// The acceptance that a pair awaits the verdict of, if any.
    pub fn of(pair: &Pair) -> Option<Self> {
        let live = pair.live.as_ref()?;
        let acceptance = live.acceptance.as_ref()?;
        Some(Self {
            invitation_id: live.invitation.id,
            acceptance: live.invitation.acceptances,
            accept_time: acceptance.time,
            inviter: pair.key.member(live.invitation.inviter).clone(),
            invitee: pair.key.member(live.invitation.invitee()).clone(),
            trace: acceptance.trace,
        })
    }
}

/// The texts of a new invitation.
#[derive(Debug, Clone)]
pub(super) struct Content {
    pub(super) note: Note,
    pub(super) source: Source,
}

/// Loads a pair as it stands now: with everything done to it that was due.
pub(super) fn open(
    rows: &mut dyn Rows,
    policy: &Policy,
    key: &PairKey,
) -> Result<Pair, StoreError> {
    let before = rows.pair(key)?;
    let mut pair = before.clone();
    let steps = review(&mut pair, rows.now());
    if pair == before {
        return Ok(pair);
    }
    settle(rows, policy, &before, pair, &steps, None)
}

/// Puts a pair after a decision with everything that its steps entail. `content`: the texts of the invitation that was created, if one was.
pub(super) fn settle(
    rows: &mut dyn Rows,
    policy: &Policy,
    before: &Pair,
    mut after: Pair,
    steps: &[Transition],
    content: Option<&Content>,
) -> Result<Pair, StoreError> {
    for step in steps {
        let position = append_event(rows, &after.key, step)?;
        if let (Some(position), Some(invitation)) =
            (position, after.invitation_mut(&step.invitation.id))
        {
            invitation.last_event = position;
        }
        let awaited = after.live.as_mut().filter(|_| step.to == State::Accepting);
        if let Some(acceptance) = awaited.and_then(|live| live.acceptance.as_mut()) {
            acceptance.trace = rows.trace();
        }
        for role in Role::BOTH {
            settle_side(rows, &after.key, step, role, position, content)?;
        }
        standing::settle_step(rows, policy, before, &after, step, content)?;
        if step.from == State::Withdrawn {
            rows.blank_invitation_events(step.invitation.last_event)?;
        }
        if step.from == State::Accepting {
            settle_remembered(rows, before, step)?;
        }
    }
    standing::settle_report(rows, policy, before, &after)?;
    settle_connections(rows, before, &after)?;
    schedule_auto_withdrawal(rows, &after.key, steps)?;
    forget_of_the_erased(rows, &mut after)?;
    rows.put_pair(after.clone());
    Ok(after)
}

fn member_in<'a>(key: &'a PairKey, step: &Transition, role: Role) -> &'a MemberId {
    match role {
        Role::Inviter => key.member(step.invitation.inviter),
        Role::Invitee => key.member(step.invitation.invitee()),
    }
}

/// Appends the event of a step, unless it is one that nobody's list shows.
fn append_event(
    rows: &mut dyn Rows,
    key: &PairKey,
    step: &Transition,
) -> Result<Option<u64>, StoreError> {
    if step.happening == Happening::Forgotten {
        return Ok(None);
    }
    let mut side = |role| -> Result<EventSide, StoreError> {
        let member = member_in(key, step, role);
        Ok(EventSide {
            member: member.clone(),
            effect: step.effect(role),
            previous: rows.member(member)?.last_event,
            blank: false,
        })
    };
    let event = NewEvent {
        kind: EventKind::Step(step.happening),
        invitation_id: step.invitation.id,
        inviter: Some(side(Role::Inviter)?),
        invitee: Some(side(Role::Invitee)?),
        previous_of_invitation: step.invitation.last_event,
    };
    Ok(Some(rows.append_event(event)))
}

fn settle_side(
    rows: &mut dyn Rows,
    key: &PairKey,
    step: &Transition,
    role: Role,
    position: Option<u64>,
    content: Option<&Content>,
) -> Result<(), StoreError> {
    let id = member_in(key, step, role).clone();
    let mut member = rows.member(&id)?;
    member.count(step, role);
    if let Some(position) = position {
        member.last_event = Some(EventLink { position, role });
    }
    rows.put_member(member);
    settle_entry(rows, key, step, role, content)
}

/// Makes a member's entry say what the step leaves for them.
fn settle_entry(
    rows: &mut dyn Rows,
    key: &PairKey,
    step: &Transition,
    role: Role,
    content: Option<&Content>,
) -> Result<(), StoreError> {
    let member = member_in(key, step, role);
    let invitation_id = &step.invitation.id;
    let filtered = step.invitation.filtered;
    let Some((place, shown)) = place(step.to, role, filtered).zip(shown(step.to, role)) else {
        if place(step.from, role, filtered).is_some()
            && rows.entry(member, invitation_id)?.is_some()
        {
            rows.put_entry(member, invitation_id, None);
        }
        return Ok(());
    };
    let now = rows.now();
    // The id of a new invitation is new: there is nothing to look for.
    let kept = if step.from == State::Absent {
        None
    } else {
        rows.entry(member, invitation_id)?
    };
    let mut entry = match kept {
        Some(entry) => entry,
        None => new_entry(rows, key, step, role, content)?,
    };
    if (entry.place, entry.shown) != (place, shown) {
        entry.update_time = now;
    }
    entry.place = place;
    entry.shown = shown;
    match step.to {
        State::Accepted { connect_time } => entry.connect_time = Some(connect_time),
        State::Declined | State::Withdrawn => entry.note = Note::default(),
        State::Absent | State::Pending | State::Accepting | State::Gone => {
            entry.connect_time = None;
        }
    }
    rows.put_entry(member, invitation_id, Some(entry));
    Ok(())
}

/// The entry of a member who has none: of a new invitation, or, when a decline is taken back, after the other side's, which kept all but
/// the note.
fn new_entry(
    rows: &mut dyn Rows,
    key: &PairKey,
    step: &Transition,
    role: Role,
    content: Option<&Content>,
) -> Result<Entry, StoreError> {
    let other_role = match role {
        Role::Inviter => Role::Invitee,
        Role::Invitee => Role::Inviter,
    };
    let other = member_in(key, step, other_role).clone();
    let Content { note, source } = if let Some(content) = content {
        content.clone()
    } else {
        let mirror = rows.entry(&other, &step.invitation.id)?;
        let mirror = mirror
            .ok_or_else(|| StoreError::corrupt("an invitation has no entry on either side"))?;
        Content {
            note: mirror.note,
            source: mirror.source,
        }
    };
    let (place, shown) = place(step.to, role, step.invitation.filtered)
        .zip(shown(step.to, role))
        .ok_or_else(|| StoreError::internal("an entry for a side that keeps none"))?;
    Ok(Entry {
        other,
        role,
        place,
        shown,
        note,
        source,
        create_time: step.invitation.create_time,
        update_time: step.invitation.create_time,
        expire_time: step.invitation.expire_time,
        connect_time: None,
    })
}

/// The answer remembered for a crossing invitation follows what becomes of the acceptance. Only one that a limit refuses is forgotten: then
/// the same request may be tried again. Any other was answered with success, or may have been.
fn settle_remembered(
    rows: &mut dyn Rows,
    before: &Pair,
    step: &Transition,
) -> Result<(), StoreError> {
    let request_id = before
        .live
        .as_ref()
        .and_then(|live| live.acceptance.as_ref())
        .and_then(|acceptance| acceptance.request_id);
    let Some(request_id) = request_id else {
        return Ok(());
    };
    let member = before.key.member(step.invitation.invitee()).clone();
    let remembered = rows.remembered(&member, &request_id)?;
    // The id may have been forgotten and used for another invitation since.
    let of_this = remembered.filter(|remembered| remembered.invitation_id == step.invitation.id);
    let Some(remembered) = of_this else {
        return Ok(());
    };
    let create_time = step.invitation.create_time;
    let outcome = match step.to {
        State::Accepted { connect_time } => Some(RememberedOutcome::Connected {
            connect_time,
            create_time,
        }),
        State::Pending => None,
        _ => Some(RememberedOutcome::Ended { create_time }),
    };
    let remembered = outcome.map(|outcome| Remembered {
        outcome,
        ..remembered
    });
    rows.put_remembered(&member, &request_id, remembered);
    Ok(())
}

/// Where nothing is between two members, a row says for a while as of when that is known. Of somebody erased not even that is kept: a
/// verdict, or an answer about the two, may come after the erasure.
fn forget_of_the_erased(rows: &mut dyn Rows, pair: &mut Pair) -> Result<(), StoreError> {
    if !pair.is_empty(u64::MAX) {
        return Ok(());
    }
    for side in Side::BOTH {
        if rows.member(pair.key.member(side))?.erased {
            pair.facts_position = 0;
        }
    }
    Ok(())
}

/// Keeps both members' number of connections equal to what the copy of the facts knows.
fn settle_connections(rows: &mut dyn Rows, before: &Pair, after: &Pair) -> Result<(), StoreError> {
    let (was, is) = (
        before.facts.connection.is_some(),
        after.facts.connection.is_some(),
    );
    if was == is {
        return Ok(());
    }
    for side in Side::BOTH {
        let mut member = rows.member(after.key.member(side))?;
        member.connections = if is {
            member.connections.saturating_add(1)
        } else {
            member.connections.saturating_sub(1)
        };
        rows.put_member(member);
    }
    Ok(())
}

/// An inviter who wishes for auto-withdrawal is scheduled with the first invitation that waits.
fn schedule_auto_withdrawal(
    rows: &mut dyn Rows,
    key: &PairKey,
    steps: &[Transition],
) -> Result<(), StoreError> {
    for step in steps.iter().filter(|step| step.to == State::Pending) {
        let mut inviter = rows.member(key.member(step.invitation.inviter))?;
        let Some(days) = inviter.preferences.auto_withdraw_days else {
            continue;
        };
        let due = auto_withdraw_due(step.invitation.create_time, days);
        if inviter
            .auto_withdraw_at
            .is_none_or(|scheduled| due < scheduled)
        {
            inviter.auto_withdraw_at = Some(due);
            rows.put_member(inviter);
        }
    }
    Ok(())
}

/// The pair that an invitation of a member's belongs to, as it stands now, and the member's side of it.
///
/// Refused when the member was erased, or keeps no such invitation.
pub(super) fn open_invitation(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    invitation_id: &Uuid,
) -> Result<Result<(Pair, Side), Refusal>, StoreError> {
    let entry = rows.entry(member, invitation_id)?;
    let Some(entry) = entry else {
        let erased = rows.member(member)?.erased;
        return Ok(Err(if erased {
            Refusal::MemberNotFound
        } else {
            Refusal::InvitationNotFound
        }));
    };
    let key = PairKey::new(member, &entry.other)
        .ok_or_else(|| StoreError::corrupt("an invitation to oneself"))?;
    let pair = open(rows, policy, &key)?;
    let side = pair
        .key
        .side_of(member)
        .ok_or_else(|| StoreError::internal("a pair without its member"))?;
    Ok(Ok((pair, side)))
}

/// An invitation as a member is shown it after a command on it.
pub(super) fn shown_to(
    rows: &mut dyn Rows,
    member: &MemberId,
    invitation_id: &Uuid,
) -> Result<View, StoreError> {
    let entry = rows.entry(member, invitation_id)?;
    let entry = entry.ok_or_else(|| StoreError::internal("a command left no entry to show"))?;
    let seen_until = rows.member(member)?.seen_until;
    Ok(view(member, &seen_until, *invitation_id, entry))
}
