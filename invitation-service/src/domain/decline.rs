//! Declining, strengthening a decline, taking it back, and the bars that reports set.
//!
//! Deliberately absent: telling anybody. The inviter's side has no place for a declined invitation (`invitation.rs`).

use service_kit::{id::Side, time::Time};
use uuid::Uuid;

use super::{
    invitation::{Happening, State, Transition},
    pair::{Bar, DeclineReason, Declined, Live, Pair},
    policy::Policy,
    refusal::Refusal,
};

/// What declining or undoing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Declining {
    /// The invitation changed; an older declined one of the same inviter may have gone for it.
    Done(Vec<Transition>),
    /// It was so before; the reason may have become stronger.
    Repeated,
    /// An acceptance awaits its verdict; only that decides.
    AwaitsVerdict,
}

/// Declines an invitation on behalf of the side it was sent to, or strengthens the reason.
pub fn decline(
    pair: &mut Pair,
    side: Side,
    id: &Uuid,
    reason: DeclineReason,
    policy: &Policy,
    now: Time,
) -> Result<Declining, Refusal> {
    if let Some(settled) = settled(pair, side, id)? {
        return Ok(settled);
    }
    let inviter = side.other();
    if let Some(declined) = pair.declined.get_mut(inviter)
        && declined.invitation.id == *id
        && declined.is_kept()
    {
        if reason > declined.reason {
            declined.reason = reason;
            bar(pair, inviter, reason, now);
        }
        return Ok(Declining::Repeated);
    }
    let Some(live) = pair
        .live
        .take_if(|live| live.invitation.id == *id && live.acceptance.is_none())
    else {
        return Err(Refusal::InvitationNotFound);
    };
    let older = pair.declined.get_mut(inviter).replace(Declined {
        invitation: live.invitation.clone(),
        reason,
        kept_until: now.plus(policy.ended_kept),
        cooldown_until: now.plus(policy.decline_cooldown),
        overtaken: false,
        forgotten: false,
    });
    bar(pair, inviter, reason, now);
    let mut transitions = Vec::new();
    transitions.extend(older.and_then(Declined::forget));
    transitions.push(Transition {
        invitation: live.invitation,
        from: State::Pending,
        to: State::Declined,
        happening: Happening::Declined,
    });
    Ok(Declining::Done(transitions))
}

/// Takes a decline back, with its bar, if nothing came between.
pub fn undo_decline(
    pair: &mut Pair,
    side: Side,
    id: &Uuid,
    now: Time,
) -> Result<Declining, Refusal> {
    if let Some(settled) = settled(pair, side, id)? {
        return Ok(settled);
    }
    let inviter = side.other();
    let is_live = pair
        .live
        .as_ref()
        .is_some_and(|live| live.invitation.id == *id);
    if is_live {
        return Ok(Declining::Repeated);
    }
    let Some(declined) = pair
        .declined
        .get(inviter)
        .as_ref()
        .filter(|declined| declined.invitation.id == *id && declined.is_kept())
    else {
        return Err(Refusal::InvitationNotFound);
    };
    let overtaken = declined.overtaken
        || declined.invitation.expire_time <= now
        || pair.live.is_some()
        || pair.facts.connection.is_some()
        || pair.facts.blocked();
    if overtaken {
        return Err(Refusal::InvitationNotPending);
    }
    if declined.reason.bars() {
        *pair.bars.get_mut(inviter) = None;
    }
    // What was known when it was sent, not what is known now, so that a block of the meantime ends it.
    let invitation = declined.invitation.clone();
    *pair.declined.get_mut(inviter) = None;
    pair.live = Some(Live {
        invitation: invitation.clone(),
        acceptance: None,
    });
    Ok(Declining::Done(vec![Transition {
        invitation,
        from: State::Declined,
        to: State::Pending,
        happening: Happening::DeclineUndone,
    }]))
}

/// The answers that do not depend on whether it is a decline or its undoing.
fn settled(pair: &Pair, side: Side, id: &Uuid) -> Result<Option<Declining>, Refusal> {
    if let Some(accepted) = pair.accepted.as_ref().filter(|a| a.invitation.id == *id) {
        return Err(if accepted.invitation.inviter == side {
            Refusal::InvitationNotFound
        } else {
            Refusal::AlreadyAccepted
        });
    }
    if let Some(live) = pair.live.as_ref().filter(|live| live.invitation.id == *id) {
        if live.invitation.inviter == side {
            return Err(Refusal::InvitationNotFound);
        }
        if live.acceptance.is_some() {
            return Ok(Some(Declining::AwaitsVerdict));
        }
    }
    Ok(None)
}

fn bar(pair: &mut Pair, inviter: Side, reason: DeclineReason, now: Time) {
    if reason.bars() {
        *pair.bars.get_mut(inviter) = Some(Bar { reason, time: now });
    }
}

/// Lifts the bar of `side` against the other. Nothing else changes: the days after a decline still count.
pub fn unbar(pair: &mut Pair, side: Side) {
    *pair.bars.get_mut(side.other()) = None;
}

impl Declined {
    /// The step by which the invitee forgets the invitation, unless that was taken before.
    pub(super) fn forget(self) -> Option<Transition> {
        self.is_kept().then_some(Transition {
            invitation: self.invitation,
            from: State::Declined,
            to: State::Gone,
            happening: Happening::Forgotten,
        })
    }
}

#[cfg(test)]
mod tests;
