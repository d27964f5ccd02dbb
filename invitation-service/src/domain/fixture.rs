//! What the tables of this room are written in: two members, one invitation between them, a few numbers and the hours they are met at.
//!
//! Deliberately absent: what is expected of anything; that stands in the tables.

use service_kit::{
    id::{MemberId, PairKey, Side},
    time::{Span, Time},
};
use uuid::Uuid;

use super::{
    invitation::{Happening, Invitation, State, Transition},
    member::Member,
    pair::{
        Acceptance, Accepted, Connection, DeclineReason, Declined, Facts, Live, Pair, Withdrawn,
    },
    policy::Policy,
};

/// Who sends the invitation of every [`Before`].
pub(super) const INVITER: Side = Side::Low;
/// Who receives it.
pub(super) const INVITEE: Side = Side::High;

/// When it was sent. No whole second, so that rounding shows.
pub(super) const START: Time = Time::from_millis(1_700_000_000_250);
/// The shortest time there is.
pub(super) const TICK: Span = Span::millis(1);
/// A day.
pub(super) const DAY: Span = Span::days(1);

/// How far the feed had been followed when the invitation was sent.
pub(super) const CURSOR: u64 = 100;

/// The invitation.
pub(super) const ID: Uuid = id(1);

/// An id that sorts by its number.
pub(super) const fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// So long after the start.
pub(super) const fn at(after: Span) -> Time {
    START.plus(after)
}

/// Small numbers, so that a case reaches them in one line.
pub(super) fn policy() -> Policy {
    Policy {
        weekly_cap: 3,
        pending_sent_max: 4,
        pending_received_soft_max: 2,
        connections_max: 3,
        probe_refusals_max: 2,
        ..Policy::default()
    }
}

/// The member on a side.
pub(super) fn member(side: Side) -> Member {
    Member::new(key().member(side).clone())
}

/// Ada is the low side, Ben the high one.
pub(super) fn key() -> PairKey {
    let [ada, ben] = ["ada", "ben"].map(|name| MemberId::parse(name).unwrap());
    PairKey::new(&ada, &ben).unwrap()
}

/// An invitation from a side, sent at the start.
pub(super) fn invitation(id: Uuid, inviter: Side) -> Invitation {
    Invitation {
        id,
        inviter,
        filtered: false,
        create_time: START,
        expire_time: at(policy().invitation_lifetime),
        decided_at: CURSOR,
        acceptances: 0,
        last_event: 0,
    }
}

/// What has become of the invitation before a case begins; whatever happened to it happened at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    Nothing,
    Pending,
    /// The first acceptance awaits its verdict.
    Accepting,
    Accepted,
    Declined(DeclineReason),
    /// So long ago that the invitee sees it no longer, while the inviter still has to wait.
    DeclinedForgotten,
    Withdrawn,
}

/// A pair with one invitation, from [`INVITER`] to [`INVITEE`].
pub(super) fn pair(before: Before) -> Pair {
    pair_inviting(INVITER, before)
}

/// A pair with one invitation, from this side to the other.
pub(super) fn pair_inviting(inviter: Side, before: Before) -> Pair {
    let mut pair = Pair::new(key());
    let mut invitation = invitation(ID, inviter);
    let declined = |invitation, reason, forgotten| Declined {
        invitation,
        reason,
        kept_until: at(policy().ended_kept),
        cooldown_until: at(policy().decline_cooldown),
        overtaken: false,
        forgotten,
    };
    match before {
        Before::Nothing => {}
        Before::Pending => pair.live = Some(pending(invitation)),
        Before::Accepting => {
            invitation.acceptances = 1;
            pair.live = Some(accepting(invitation));
        }
        Before::Accepted => {
            invitation.acceptances = 1;
            pair.facts = connected_by(ID);
            pair.accepted = Some(Accepted {
                invitation,
                connect_time: START,
                kept_until: at(policy().accepted_kept),
                known_at: CURSOR,
            });
        }
        Before::Declined(reason) => {
            *pair.declined.get_mut(inviter) = Some(declined(invitation, reason, false));
            if reason.bars() {
                *pair.bars.get_mut(inviter) = Some(super::pair::Bar {
                    reason,
                    time: START,
                });
            }
        }
        Before::DeclinedForgotten => {
            *pair.declined.get_mut(inviter) =
                Some(declined(invitation, DeclineReason::NotNow, true));
        }
        Before::Withdrawn => pair.withdrawn.push(Withdrawn {
            invitation,
            kept_until: at(policy().ended_kept),
        }),
    }
    pair
}

/// A live invitation that nobody has answered.
pub(super) fn pending(invitation: Invitation) -> Live {
    Live {
        invitation,
        acceptance: None,
    }
}

/// A live invitation whose acceptance awaits the verdict since the start.
pub(super) fn accepting(invitation: Invitation) -> Live {
    Live {
        invitation,
        acceptance: Some(Acceptance {
            time: START,
            attempts: 0,
            next_attempt: at(policy().acceptance_first_retry),
            request_id: None,
            trace: None,
            overtaken: false,
        }),
    }
}

/// Nothing holds between the two.
pub(super) fn strangers() -> Facts {
    Facts::default()
}

/// The two are connected since the start, by the acceptance of this invitation.
pub(super) fn connected_by(invitation_id: Uuid) -> Facts {
    Facts {
        connection: Some(Connection {
            connect_time: START,
            invitation_id: Some(invitation_id),
        }),
        ..Facts::default()
    }
}

/// The two are connected since the start, by no invitation.
pub(super) fn connected_elsewhere() -> Facts {
    Facts {
        connection: Some(Connection {
            connect_time: START,
            invitation_id: None,
        }),
        ..Facts::default()
    }
}

/// This side has blocked the other.
pub(super) fn blocked_by(side: Side) -> Facts {
    let mut facts = Facts::default();
    *facts.blocked_by.get_mut(side) = true;
    facts
}

/// The state of an invitation whose connection was made at the start.
pub(super) const CONNECTED: State = State::Accepted {
    connect_time: START,
};

/// Which invitation took which step, and why: all of a transition but the invitation's particulars.
pub(super) type Step = (Uuid, State, State, Happening);

/// The steps of transitions.
pub(super) fn steps(transitions: &[Transition]) -> Vec<Step> {
    let step = |t: &Transition| (t.invitation.id, t.from, t.to, t.happening);
    transitions.iter().map(step).collect()
}

/// What became of the invitation [`ID`], as a pair tells it.
pub(super) fn state(pair: &Pair) -> State {
    let is_it = |invitation: &Invitation| invitation.id == ID;
    let declined = [&pair.declined.low, &pair.declined.high];
    if let Some(live) = pair.live.as_ref().filter(|live| is_it(&live.invitation)) {
        live.state()
    } else if let Some(accepted) = pair.accepted.as_ref().filter(|a| is_it(&a.invitation)) {
        State::Accepted {
            connect_time: accepted.connect_time,
        }
    } else if declined
        .into_iter()
        .flatten()
        .any(|d| is_it(&d.invitation) && d.is_kept())
    {
        State::Declined
    } else if pair.withdrawn.iter().any(|w| is_it(&w.invitation)) {
        State::Withdrawn
    } else {
        State::Gone
    }
}
