//! What time alone does to a pair: expiry, forgetting, and taking up an acceptance that nobody saw through.
//!
//! Runs before every command on a pair, so that it does not matter how late the sweeper is. Deliberately absent: finding the pairs whose
//! time has come.

use service_kit::{
    id::Side,
    time::{Span, Time},
};

use super::{
    facts,
    invitation::{Happening, State, Transition},
    pair::Pair,
    policy::Policy,
};

/// Does what is due by `now`.
pub fn review(pair: &mut Pair, now: Time) -> Vec<Transition> {
    let mut transitions = Vec::new();
    let expired = pair
        .live
        .as_ref()
        .is_some_and(|live| live.acceptance.is_none() && live.invitation.expire_time <= now);
    if expired {
        transitions.extend(facts::end_live(pair, Happening::Expired));
    }
    if let Some(accepted) = pair.accepted.take_if(|accepted| accepted.kept_until <= now) {
        transitions.push(forgotten(
            accepted.invitation,
            State::Accepted {
                connect_time: accepted.connect_time,
            },
        ));
    }
    let kept = pair
        .withdrawn
        .partition_point(|withdrawn| withdrawn.kept_until <= now);
    for withdrawn in pair.withdrawn.drain(..kept) {
        transitions.push(forgotten(withdrawn.invitation, State::Withdrawn));
    }
    for side in Side::BOTH {
        let Some(declined) = pair.declined.get_mut(side) else {
            continue;
        };
        if declined.is_kept() && declined.kept_until <= now {
            declined.forgotten = true;
            transitions.push(forgotten(declined.invitation.clone(), State::Declined));
        }
        if declined.forgotten && declined.cooldown_until <= now {
            *pair.declined.get_mut(side) = None;
        }
    }
    transitions
}

fn forgotten(invitation: super::invitation::Invitation, from: State) -> Transition {
    Transition {
        invitation,
        from,
        to: State::Gone,
        happening: Happening::Forgotten,
    }
}

/// Takes up the pair's acceptance for one attempt, if its time has come: the next attempt is put off by a growing wait, so that attempts of
/// several workers, or of one that died, do not meet. `jitter`: any number; spreads the wait over the upper half.
pub fn take_up(pair: &mut Pair, policy: &Policy, now: Time, jitter: u32) -> bool {
    let Some(acceptance) = pair.live.as_mut().and_then(|live| live.acceptance.as_mut()) else {
        return false;
    };
    if acceptance.next_attempt > now {
        return false;
    }
    let doubled = policy.acceptance_first_retry.as_millis() << acceptance.attempts.min(16);
    let longest = doubled.min(policy.acceptance_retry_max.as_millis()).max(2);
    let wait = longest / 2 + i64::from(jitter) % (longest / 2);
    acceptance.attempts = acceptance.attempts.saturating_add(1);
    acceptance.next_attempt = now.plus(Span::millis(wait));
    true
}

#[cfg(test)]
mod tests;
