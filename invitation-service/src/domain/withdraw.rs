//! Withdrawing, by the inviter's own act or by their standing wish.
//!
//! Deliberately absent: the cool-down after a withdrawal, which must not name the two together and so is no part of the pair.

use service_kit::{id::Side, time::Time};
use uuid::Uuid;

use super::{
    facts,
    invitation::{Happening, State, Transition},
    pair::{Pair, Withdrawn},
    policy::Policy,
    refusal::Refusal,
};

/// What withdrawing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Withdrawing {
    /// It is withdrawn.
    Done(Transition),
    /// It was withdrawn before.
    Repeated,
    /// An acceptance awaits its verdict; only that decides.
    AwaitsVerdict,
}

/// Withdraws an invitation on behalf of the side that sent it.
pub fn withdraw(
    pair: &mut Pair,
    side: Side,
    id: &Uuid,
    policy: &Policy,
    now: Time,
) -> Result<Withdrawing, Refusal> {
    let accepted = pair.accepted.as_ref().map(|accepted| &accepted.invitation);
    if accepted.is_some_and(|invitation| invitation.id == *id && invitation.inviter == side) {
        return Err(Refusal::AlreadyAccepted);
    }
    let repeated = pair
        .withdrawn
        .iter()
        .any(|withdrawn| withdrawn.invitation.id == *id && withdrawn.invitation.inviter == side);
    if repeated {
        return Ok(Withdrawing::Repeated);
    }
    let Some(live) = pair
        .live
        .as_ref()
        .filter(|live| live.invitation.id == *id && live.invitation.inviter == side)
    else {
        return Err(Refusal::InvitationNotFound);
    };
    if live.acceptance.is_some() {
        return Ok(Withdrawing::AwaitsVerdict);
    }
    let invitation = live.invitation.clone();
    pair.live = None;
    pair.withdrawn.push(Withdrawn {
        invitation: invitation.clone(),
        kept_until: now.plus(policy.ended_kept),
    });
    Ok(Withdrawing::Done(Transition {
        invitation,
        from: State::Pending,
        to: State::Withdrawn,
        happening: Happening::Withdrawn,
    }))
}

/// Ends a side's own pending invitation if it is at least `days` old: counts as expired, never as withdrawn.
pub fn auto_withdraw(pair: &mut Pair, side: Side, days: u16, now: Time) -> Option<Transition> {
    let live = pair.live.as_ref()?;
    let due = auto_withdraw_due(live.invitation.create_time, days);
    if live.invitation.inviter != side || live.acceptance.is_some() || due > now {
        return None;
    }
    facts::end_live(pair, Happening::Expired)
}

/// When an invitation sent at `create_time` is withdrawn for an inviter who wishes so after `days`.
pub fn auto_withdraw_due(create_time: Time, days: u16) -> Time {
    create_time.plus(service_kit::time::Span::days(i64::from(days)))
}

#[cfg(test)]
mod tests;
