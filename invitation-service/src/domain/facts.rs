//! Learning what connection-service says of a pair: which of two truths holds, and what it does to an invitation.
//!
//! Facts come from the feed and with live answers, each with the position in the feed at which they were read; the newer decide. An
//! invitation was made knowing the facts up to `decided_at`; only later ones can end it. Deliberately absent: the feed itself.

use service_kit::{id::Side, time::Time};

use super::{
    accept,
    invitation::{Happening, State, Transition},
    pair::{Acceptance, Facts, Live, Pair},
    policy::Policy,
};

/// What came of facts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learned {
    /// Whether they were news.
    pub newer: bool,
    /// What they did to invitations.
    pub transitions: Vec<Transition>,
}

/// Takes facts read at `position`, if they are newer than what is known (`cursor`: how far the feed has been followed), and draws the
/// consequences.
pub fn learn(
    pair: &mut Pair,
    facts: Facts,
    position: u64,
    cursor: u64,
    policy: &Policy,
    now: Time,
) -> Learned {
    if position <= pair.facts_known_to(cursor) {
        return Learned {
            newer: false,
            transitions: overtake(pair, &facts, position, policy, now)
                .into_iter()
                .collect(),
        };
    }
    Learned {
        newer: true,
        transitions: adopt(pair, facts, position, policy, now),
    }
}

/// Takes facts read at `position` for what holds, without asking whether they are newer, and draws the consequences.
pub fn adopt(
    pair: &mut Pair,
    facts: Facts,
    position: u64,
    policy: &Policy,
    now: Time,
) -> Vec<Transition> {
    pair.facts = facts;
    pair.facts_position = position;
    let mut transitions = Vec::new();
    transitions.extend(forget_accepted_without_connection(pair));
    transitions.extend(end_if_overtaken(pair, &facts, position, policy, now));
    if pair.facts.connection.is_some() {
        // After a connection either may invite again, so no decline outlives it.
        for side in Side::BOTH {
            if let Some(declined) = pair.declined.get_mut(side) {
                declined.cooldown_until = now;
                declined.overtaken = true;
            }
        }
    }
    if pair.facts.blocked() {
        for side in Side::BOTH {
            if let Some(declined) = pair.declined.get_mut(side) {
                declined.overtaken = true;
            }
        }
    }
    transitions
}

/// An accepted invitation goes with its connection.
fn forget_accepted_without_connection(pair: &mut Pair) -> Option<Transition> {
    let standing = pair
        .facts
        .connection
        .map(|connection| connection.connect_time);
    let ended = pair
        .accepted
        .take_if(|accepted| standing != Some(accepted.connect_time));
    ended.map(|accepted| Transition {
        invitation: accepted.invitation,
        from: State::Accepted {
            connect_time: accepted.connect_time,
        },
        to: State::Gone,
        happening: Happening::Forgotten,
    })
}

/// What facts of `position` do to the live invitation, if they are later than what it was decided at. They need not be the copy's.
fn end_if_overtaken(
    pair: &mut Pair,
    facts: &Facts,
    position: u64,
    policy: &Policy,
    now: Time,
) -> Option<Transition> {
    let live = pair.live.as_mut()?;
    if position <= live.invitation.decided_at {
        return None;
    }
    if let Some(connection) = facts.connection
        && connection.invitation_id == Some(live.invitation.id)
    {
        return accept::connect(pair, connection.connect_time, policy, now);
    }
    if let Some(acceptance) = &mut live.acceptance {
        // Only its verdict decides, for it may have connected the two since. It is not given back after a block, though.
        if facts.blocked() {
            acceptance.overtaken = true;
            acceptance.next_attempt = acceptance.next_attempt.min(now);
        }
        return None;
    }
    if !facts.blocked() && facts.connection.is_none() {
        return None;
    }
    end_live(pair, Happening::Ended)
}

/// An event that is old for the copy. A block in it still overtakes what was decided before it, though it may have been lifted since.
fn overtake(
    pair: &mut Pair,
    facts: &Facts,
    position: u64,
    policy: &Policy,
    now: Time,
) -> Option<Transition> {
    if !facts.blocked() {
        return None;
    }
    for side in Side::BOTH {
        if let Some(declined) = pair.declined.get_mut(side)
            && declined.invitation.decided_at < position
        {
            declined.overtaken = true;
        }
    }
    end_if_overtaken(pair, facts, position, policy, now)
}

/// Ends the live invitation without a trace for its members.
pub(super) fn end_live(pair: &mut Pair, happening: Happening) -> Option<Transition> {
    pair.live.take().map(|live| Transition {
        from: live.state(),
        invitation: live.invitation,
        to: State::Gone,
        happening,
    })
}

/// Forgets positions beyond `common_position`: the history that they belonged to is not followed any more.
pub fn rewind(pair: &mut Pair, common_position: u64) {
    pair.facts_position = pair.facts_position.min(common_position);
    if let Some(live) = &mut pair.live {
        live.invitation.decided_at = live.invitation.decided_at.min(common_position);
    }
}

/// Has an acceptance ruled on once more whose connection connection-service may have lost: it was known only beyond `common_position`.
///
/// Asking again is harmless where nothing was lost: the same verdict is given.
pub fn offer_again(pair: &mut Pair, common_position: u64, now: Time) -> Option<Transition> {
    let accepted = pair
        .accepted
        .take_if(|accepted| accepted.known_at > common_position)?;
    if pair.live.is_some() {
        return None;
    }
    let connect_time = accepted.connect_time;
    pair.facts.connection = None;
    pair.live = Some(Live {
        invitation: accepted.invitation.clone(),
        acceptance: Some(Acceptance {
            time: connect_time,
            attempts: 0,
            next_attempt: now,
            request_id: None,
            trace: None,
            overtaken: false,
        }),
    });
    Some(Transition {
        invitation: accepted.invitation,
        from: State::Accepted { connect_time },
        to: State::Accepting,
        happening: Happening::Accepting,
    })
}

#[cfg(test)]
mod tests;
