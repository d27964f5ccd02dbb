//! `SendInvitation`'s transaction.
//!
//! Deliberately absent: the limiter and the question to connection-service, which come before (`usecase/send_invitation.rs`).

use service_kit::{
    epoch::EpochId,
    error::StoreError,
    id::{MemberId, PairKey, Side, Sides},
    time::Time,
};
use uuid::Uuid;

use super::{AwaitedVerdict, Content, open, settle, shown_to};
use crate::{
    domain::{
        accept::Accepting,
        facts::learn,
        invitation::{Place, Role, Shown},
        member::{Member, Quota},
        note::{Note, Source},
        pair::{Facts, Pair},
        policy::Policy,
        refusal::Refusal,
        send::{Sending, Sent, send as decide},
        view::View,
    },
    store::rows::{Remembered, RememberedOutcome, Rows},
};

/// An invitation to send.
#[derive(Debug, Clone)]
pub struct SendInvitation {
    /// Who invites.
    pub inviter: MemberId,
    /// Who is invited.
    pub invitee: MemberId,
    /// The note.
    pub note: Note,
    /// The caller's word for where it came from.
    pub source: Source,
    /// Makes it safe to repeat.
    pub request_id: Option<Uuid>,
    /// What connection-service said of the two, if it answered in time.
    pub told: Option<Told>,
}

/// What connection-service said of a pair in a live answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The history that the position belongs to.
    pub epoch: EpochId,
    /// Where in the feed it was read.
    pub position: u64,
    /// What holds between the two.
    pub facts: Facts,
    /// Whether each side was erased.
    pub erased: Sides<bool>,
    /// Whether the two have a connection in common; `None` when connection-service could not say.
    pub have_mutual: Option<bool>,
}

/// What a sending came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The new invitation, or the other's that was accepted, as the inviter is shown it.
    pub view: View,
    /// What happened.
    pub outcome: Outcome,
    /// What the inviter has used of their limits.
    pub quota: Quota,
    /// The times charged to the inviter, for the limiter; empty for a repeated answer.
    pub charges: Vec<Time>,
}

impl Answer {
    /// Whether this very command was charged.
    pub fn is_charged(&self) -> bool {
        self.outcome == Outcome::Sent && !self.charges.is_empty()
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A new invitation.
    Sent,
    /// The other's was accepted; the verdict is awaited.
    Accepting(AwaitedVerdict),
    /// The other's was accepted and the two are connected.
    Connected,
    /// The other's was accepted, which came to nothing since, for a block, a removal or an erasure.
    Ended,
}

/// Sends an invitation, accepts the one that stands the other way, or repeats the answer given to this request id.
pub fn send(
    rows: &mut dyn Rows,
    policy: &Policy,
    command: &SendInvitation,
) -> Result<Result<Answer, Refusal>, StoreError> {
    let content_hash = content_hash(rows, command);
    if let Some(request_id) = &command.request_id
        && let Some(remembered) = rows.remembered(&command.inviter, request_id)?
        && remembered.time.plus(policy.request_kept) > rows.now()
    {
        if remembered.content != content_hash {
            return Ok(Err(Refusal::RequestIdReused));
        }
        return repeat(rows, policy, command, &remembered);
    }
    let mut inviter = rows.member(&command.inviter)?;
    if inviter.erased {
        return Ok(Err(Refusal::MemberNotFound));
    }
    let Some(key) = PairKey::new(&command.inviter, &command.invitee) else {
        return Ok(Err(Refusal::SelfReference));
    };
    let side = key
        .side_of(&command.inviter)
        .ok_or_else(|| StoreError::internal("a pair without its member"))?;
    expire_overdue_at_the_cap(rows, policy, &command.inviter, Place::Sent)?;
    expire_overdue_at_the_cap(rows, policy, &command.invitee, Place::Received)?;
    let before = open(rows, policy, &key)?;
    let pair = listen(rows, policy, before, command.told.as_ref())?;
    // Loaded again: what was due, or told, may have changed the counters.
    inviter.clone_from(&rows.member(&command.inviter)?);
    let mut invitee = rows.member(&command.invitee)?;
    if let Some(told) = &command.told {
        inviter.erased |= *told.erased.get(side);
        invitee.erased |= *told.erased.get(side.other());
    }
    decide_and_settle(
        rows,
        policy,
        command,
        &pair,
        (inviter, invitee),
        side,
        content_hash,
    )
}

fn decide_and_settle(
    rows: &mut dyn Rows,
    policy: &Policy,
    command: &SendInvitation,
    before: &Pair,
    (mut inviter, mut invitee): (Member, Member),
    side: Side,
    content_hash: [u8; 16],
) -> Result<Result<Answer, Refusal>, StoreError> {
    let cooldown_key = cooldown_key(rows, &command.inviter, &command.invitee);
    let sending = Sending {
        side,
        id: rows.next_id(),
        withdraw_cooldown_until: rows.withdraw_cooldown(&cooldown_key)?,
        request_id: command.request_id,
        have_mutual: command.told.as_ref().and_then(|told| told.have_mutual),
        cursor: rows.cursor().position,
        policy,
        now: rows.now(),
    };
    let mut after = before.clone();
    let decided = decide(&mut after, &mut inviter, &mut invitee, &sending);
    if !inviter.erased {
        // On a refusal too: a masked one is noted.
        rows.put_member(inviter);
    }
    let (steps, content, invitation_id) = match decided {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(Sent::Created(step)) => {
            let id = step.invitation.id;
            let content = Content {
                note: command.note.clone(),
                source: command.source.clone(),
            };
            (vec![step], Some(content), id)
        }
        Ok(Sent::Crossed(crossed)) => {
            let live = after.live.as_ref();
            let id = live.map(|live| live.invitation.id);
            let id =
                id.ok_or_else(|| StoreError::internal("a crossing without the other invitation"))?;
            let steps = match crossed {
                Accepting::Started(step) => vec![step],
                Accepting::InProgress | Accepting::Done { .. } => Vec::new(),
            };
            (steps, None, id)
        }
    };
    let created = content.is_some();
    let after = settle(rows, policy, before, after, &steps, content.as_ref())?;
    let view = shown_to(rows, &command.inviter, &invitation_id)?;
    let inviter = rows.member(&command.inviter)?;
    let now = rows.now();
    let answer = Answer {
        outcome: match AwaitedVerdict::of(&after) {
            _ if created => Outcome::Sent,
            Some(awaited) => Outcome::Accepting(awaited),
            None => return Err(StoreError::internal("a crossing that awaits nothing")),
        },
        view,
        quota: inviter.quota(policy, now),
        charges: inviter.charges.times().to_vec(),
    };
    // An acceptance under way for another request has its verdict remembered there.
    let acceptance = after
        .live
        .as_ref()
        .and_then(|live| live.acceptance.as_ref());
    let follows_verdict =
        acceptance.is_some_and(|acceptance| acceptance.request_id == command.request_id);
    if let Some(request_id) = &command.request_id
        && (created || follows_verdict)
    {
        let outcome = if created {
            RememberedOutcome::Sent {
                expire_time: now.plus(policy.invitation_lifetime),
            }
        } else {
            RememberedOutcome::Accepting
        };
        let remembered = Remembered {
            content: content_hash,
            time: now,
            invitation_id,
            outcome,
            quota: answer.quota,
        };
        rows.put_remembered(&command.inviter, request_id, Some(remembered));
    }
    Ok(Ok(answer))
}

/// Takes what connection-service said, if it is of the history that is followed; an erasure is left to the feed.
fn listen(
    rows: &mut dyn Rows,
    policy: &Policy,
    before: Pair,
    told: Option<&Told>,
) -> Result<Pair, StoreError> {
    let cursor = rows.cursor();
    let Some(told) =
        told.filter(|told| cursor.epoch == Some(told.epoch) && told.erased == Sides::default())
    else {
        return Ok(before);
    };
    let mut pair = before.clone();
    let learned = learn(
        &mut pair,
        told.facts,
        told.position,
        cursor.position,
        policy,
        rows.now(),
    );
    // News that says what was known already is not worth a row: the feed will bring it too.
    if !learned.newer || (pair.facts == before.facts && learned.transitions.is_empty()) {
        let mut unchanged = before;
        unchanged.facts_position = pair.facts_position;
        return Ok(unchanged);
    }
    settle(rows, policy, &before, pair, &learned.transitions, None)
}

/// Where a member's list, Sent or Received, is at its cap, invitations that have expired but were not swept yet must not count.
pub(super) fn expire_overdue_at_the_cap(
    rows: &mut dyn Rows,
    policy: &Policy,
    id: &MemberId,
    place: Place,
) -> Result<(), StoreError> {
    let member = rows.member(id)?;
    let (pending, max) = if place == Place::Sent {
        let limits = member.allowed(policy, rows.now()).limits;
        (member.sent_pending, limits.pending_sent_max)
    } else {
        let (_, plan) = member.plan_in_force(policy);
        (member.received_pending, plan.pending_received_soft_max)
    };
    if pending >= max {
        expire_overdue(rows, policy, id, place)?;
    }
    Ok(())
}

/// How many overdue invitations one send expires at most; each frees a place.
const OVERDUE_MAX: usize = 100;

fn expire_overdue(
    rows: &mut dyn Rows,
    policy: &Policy,
    member: &MemberId,
    place: Place,
) -> Result<(), StoreError> {
    let now = rows.now();
    let border = now
        .minus(policy.invitation_lifetime)
        .plus(service_kit::time::Span::millis(1));
    for old in rows.oldest_entries(member, place, border, OVERDUE_MAX)? {
        if old.expire_time <= now
            && let Some(key) = PairKey::new(member, &old.other)
        {
            open(rows, policy, &key)?;
        }
    }
    Ok(())
}

/// The answer that was given to this request id, even if things have moved on.
fn repeat(
    rows: &mut dyn Rows,
    policy: &Policy,
    command: &SendInvitation,
    remembered: &Remembered,
) -> Result<Result<Answer, Refusal>, StoreError> {
    let id = remembered.invitation_id;
    // The other's invitation as it was when it was accepted, without the texts, which may have been erased since.
    let crossed = |place, shown, create_time, update_time, seen| View {
        id,
        inviter: command.invitee.clone(),
        invitee: command.inviter.clone(),
        place,
        shown,
        note: Note::default(),
        source: Source::default(),
        create_time,
        update_time,
        expire_time: None,
        seen: Some(seen),
    };
    let (view, outcome) = match remembered.outcome {
        RememberedOutcome::Sent { expire_time } => {
            let view = View {
                id,
                inviter: command.inviter.clone(),
                invitee: command.invitee.clone(),
                place: Place::Sent,
                shown: Shown::Pending,
                // The note it brought, not a stored one, which may have been erased since.
                note: command.note.clone(),
                source: command.source.clone(),
                create_time: remembered.time,
                update_time: remembered.time,
                expire_time: Some(expire_time),
                seen: None,
            };
            (view, Outcome::Sent)
        }
        RememberedOutcome::Connected {
            connect_time,
            create_time,
        } => {
            let entry = rows.entry(&command.inviter, &id)?;
            let view = if entry.is_some_and(|entry| entry.role == Role::Invitee) {
                shown_to(rows, &command.inviter, &id)?
            } else {
                crossed(
                    Place::Accepted,
                    Shown::Accepted,
                    create_time,
                    connect_time,
                    true,
                )
            };
            (view, Outcome::Connected)
        }
        RememberedOutcome::Ended { create_time } => {
            let seen = rows.member(&command.inviter)?.has_seen(&id);
            let view = crossed(
                Place::Received,
                Shown::Accepting,
                create_time,
                remembered.time,
                seen,
            );
            (view, Outcome::Ended)
        }
        RememberedOutcome::Accepting => {
            let key = PairKey::new(&command.inviter, &command.invitee)
                .ok_or_else(|| StoreError::corrupt("a remembered crossing with oneself"))?;
            let pair = open(rows, policy, &key)?;
            let awaited = AwaitedVerdict::of(&pair).filter(|awaited| awaited.invitation_id == id);
            let awaited = awaited
                .ok_or_else(|| StoreError::corrupt("a remembered crossing that awaits nothing"))?;
            (
                shown_to(rows, &command.inviter, &id)?,
                Outcome::Accepting(awaited),
            )
        }
    };
    Ok(Ok(Answer {
        view,
        outcome,
        quota: remembered.quota,
        charges: Vec::new(),
    }))
}

fn content_hash(rows: &dyn Rows, command: &SendInvitation) -> [u8; 16] {
    let parts = [
        command.invitee.as_str().as_bytes(),
        command.note.as_str().as_bytes(),
        command.source.as_str().as_bytes(),
    ];
    rows.keyed_hash("acquaint send request content", &parts)
}

/// Under which a withdrawal's cool-down is kept, so that nothing names the two together.
pub(super) fn cooldown_key(rows: &dyn Rows, inviter: &MemberId, invitee: &MemberId) -> [u8; 16] {
    let parts = [inviter.as_str().as_bytes(), invitee.as_str().as_bytes()];
    rows.keyed_hash("acquaint withdraw cool-down", &parts)
}
