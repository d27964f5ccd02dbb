//! Wrong ways to change invitation-service's pair, which stand in for a rule that was taken out.

use invitation_service::domain::{
    accept::Ruling,
    facts::{self, Learned},
    invitation::{Happening, State, Transition},
    pair::{Acceptance, Accepted, Facts, Live, Pair},
    policy::Policy,
};
use service_kit::time::Time;

/// Takes facts, newer or not.
pub(crate) fn adopted(
    pair: &mut Pair,
    facts: Facts,
    position: u64,
    policy: &Policy,
    now: Time,
) -> Learned {
    Learned {
        newer: true,
        transitions: facts::adopt(pair, facts, position, policy, now),
    }
}

/// Takes facts and draws no consequences.
pub(crate) fn only_copied(pair: &mut Pair, facts: Facts, position: u64) -> Learned {
    pair.facts = facts;
    pair.facts_position = position;
    Learned {
        newer: true,
        transitions: Vec::new(),
    }
}

/// Ends the live invitation.
pub(crate) fn ended(pair: &mut Pair) -> Option<Transition> {
    let live = pair.live.take()?;
    Some(Transition {
        from: live.state(),
        invitation: live.invitation,
        to: State::Gone,
        happening: Happening::Ended,
    })
}

/// Makes the live invitation pending.
pub(crate) fn forget_acceptance(pair: &mut Pair) {
    if let Some(live) = &mut pair.live {
        live.acceptance = None;
    }
}

/// Makes the live invitation an accepted one, if the verdict is for it.
pub(crate) fn accepted(pair: &mut Pair, ruling: &Ruling, now: Time) -> Option<Transition> {
    let awaited = |live: &mut Live| {
        live.invitation.id == ruling.invitation_id
            && live.invitation.acceptances == ruling.acceptance
            && live.acceptance.is_some()
    };
    let Live {
        invitation,
        acceptance,
    } = pair.live.take_if(awaited)?;
    let connect_time = acceptance.map_or(now, |acceptance: Acceptance| acceptance.time);
    let connect_time = ruling
        .facts
        .connection
        .map_or(connect_time, |connection| connection.connect_time);
    pair.accepted = Some(Accepted {
        invitation: invitation.clone(),
        connect_time,
        kept_until: invitation.expire_time,
        known_at: ruling.position,
    });
    Some(Transition {
        invitation,
        from: State::Accepting,
        to: State::Accepted { connect_time },
        happening: Happening::Accepted,
    })
}
