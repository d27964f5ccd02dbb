//! Accepting, and the verdict that finishes it.
//!
//! An acceptance is durable before connection-service hears of it; from then on nothing but the verdict decides. Deliberately absent: the
//! call to connection-service, and connection limits, which it alone knows.

use service_kit::{id::Side, time::Time};
use uuid::Uuid;

use super::{
    facts::{self, Learned},
    invitation::{Happening, State, Transition},
    pair::{Acceptance, Accepted, Facts, Live, Pair},
    policy::Policy,
    refusal::Refusal,
};

/// What accepting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Accepting {
    /// The acceptance is stored and awaits its verdict.
    Started(Transition),
    /// An earlier acceptance awaits its verdict.
    InProgress,
    /// The two are connected by this invitation.
    Done {
        /// The moment the connection was made.
        connect_time: Time,
    },
}

/// Accepts an invitation on behalf of the side it was sent to.
pub fn accept(
    pair: &mut Pair,
    side: Side,
    id: &Uuid,
    request_id: Option<Uuid>,
    policy: &Policy,
    now: Time,
) -> Result<Accepting, Refusal> {
    if let Some(accepted) = pair.accepted.as_ref().filter(|a| a.invitation.id == *id) {
        if accepted.invitation.inviter == side {
            return Err(Refusal::InvitationNotFound);
        }
        return Ok(Accepting::Done {
            connect_time: accepted.connect_time,
        });
    }
    let declined = pair.declined.get(side.other()).as_ref();
    if declined.is_some_and(|declined| declined.invitation.id == *id && declined.is_kept()) {
        return Err(Refusal::InvitationNotPending);
    }
    let Some(live) = pair
        .live
        .as_mut()
        .filter(|live| live.invitation.id == *id && live.invitation.inviter != side)
    else {
        return Err(Refusal::InvitationNotFound);
    };
    if let Some(acceptance) = &mut live.acceptance {
        // A crossing invitation that meets an acceptance under way shares its verdict.
        acceptance.request_id = acceptance.request_id.or(request_id);
        return Ok(Accepting::InProgress);
    }
    live.invitation.acceptances = live.invitation.acceptances.saturating_add(1);
    live.acceptance = Some(Acceptance {
        time: now,
        attempts: 0,
        next_attempt: now.plus(policy.acceptance_first_retry),
        request_id,
        trace: None,
        overtaken: false,
    });
    Ok(Accepting::Started(Transition {
        invitation: live.invitation.clone(),
        from: State::Pending,
        to: State::Accepting,
        happening: Happening::Accepting,
    }))
}

/// connection-service's verdict on one acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It connected the two.
    Created,
    /// The two were connected already.
    Already,
    /// A connection limit stood against it.
    Refused {
        /// Whose connections are full.
        full: Side,
    },
    /// A removal, a block or an erasure came after it, or stood against it.
    Overtaken,
}

/// A verdict, what it answers, and what connection-service said of the pair with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The invitation.
    pub invitation_id: Uuid,
    /// Which of its acceptances.
    pub acceptance: u32,
    /// The verdict.
    pub verdict: Verdict,
    /// What holds between the two.
    pub facts: Facts,
    /// Where in the feed the facts were read.
    pub position: u64,
}

/// What a ruling came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruled {
    /// The two are connected by this invitation.
    Connected {
        /// The moment the connection was made.
        connect_time: Time,
    },
    /// The invitation is pending again.
    Returned {
        /// Whose connections are full.
        full: Side,
    },
    /// The invitation is gone.
    Gone,
    /// The ruling is not for an acceptance that awaits one.
    NotAwaited,
}

/// Applies a ruling: to the acceptance it answers and to no other, its facts only if they are newer than the copy's.
pub fn rule(
    pair: &mut Pair,
    ruling: &Ruling,
    cursor: u64,
    policy: &Policy,
    now: Time,
) -> (Ruled, Vec<Transition>) {
    let awaited = is_awaited(pair, ruling);
    let Learned {
        mut transitions, ..
    } = facts::learn(pair, ruling.facts, ruling.position, cursor, policy, now);
    if let Some(accepted) = pair
        .accepted
        .as_ref()
        .filter(|a| a.invitation.id == ruling.invitation_id)
    {
        let connect_time = accepted.connect_time;
        return (Ruled::Connected { connect_time }, transitions);
    }
    if !awaited {
        return (Ruled::NotAwaited, transitions);
    }
    if !is_awaited(pair, ruling) {
        // What was learned with the verdict has ended the invitation.
        return (Ruled::Gone, transitions);
    }
    let ruled = match ruling.verdict {
        Verdict::Created | Verdict::Already => {
            if let Some(connection) = pair.facts.connection {
                let connect_time = connection.connect_time;
                transitions.extend(connect(pair, connect_time, policy, now));
                Ruled::Connected { connect_time }
            } else {
                // It was made, and removed again before this answer arrived.
                transitions.extend(facts::end_live(pair, Happening::Ended));
                Ruled::Gone
            }
        }
        // Connected in another way since: nothing is left to wait for an answer.
        Verdict::Refused { .. } if pair.facts.connection.is_some() || is_overtaken(pair) => {
            transitions.extend(facts::end_live(pair, Happening::Ended));
            Ruled::Gone
        }
        Verdict::Refused { full } => {
            transitions.extend(give_back(pair));
            Ruled::Returned { full }
        }
        Verdict::Overtaken => {
            transitions.extend(facts::end_live(pair, Happening::Ended));
            Ruled::Gone
        }
    };
    (ruled, transitions)
}

fn is_overtaken(pair: &Pair) -> bool {
    let live = pair.live.as_ref();
    live.and_then(|live| live.acceptance.as_ref())
        .is_some_and(|acceptance| acceptance.overtaken)
}

fn is_awaited(pair: &Pair, ruling: &Ruling) -> bool {
    pair.live.as_ref().is_some_and(|live| {
        live.acceptance.is_some()
            && live.invitation.id == ruling.invitation_id
            && live.invitation.acceptances == ruling.acceptance
    })
}

/// The live invitation became the connection of the two.
pub(super) fn connect(
    pair: &mut Pair,
    connect_time: Time,
    policy: &Policy,
    now: Time,
) -> Option<Transition> {
    let live = pair.live.take()?;
    let from = live.state();
    pair.accepted = Some(Accepted {
        invitation: live.invitation.clone(),
        connect_time,
        kept_until: now.plus(policy.accepted_kept),
        known_at: pair.facts_position,
    });
    Some(Transition {
        invitation: live.invitation,
        from,
        to: State::Accepted { connect_time },
        happening: Happening::Accepted,
    })
}

fn give_back(pair: &mut Pair) -> Option<Transition> {
    let live = pair.live.as_mut()?;
    live.acceptance = None;
    let Live { invitation, .. } = live;
    Some(Transition {
        invitation: invitation.clone(),
        from: State::Accepting,
        to: State::Pending,
        happening: Happening::Returned,
    })
}

#[cfg(test)]
mod tests;
