//! What a step of an invitation is to its inviter's standing.
//!
//! What ends an invitation without the inviter's doing counts the same whether it was a decline, a block or the invitee's erasure, for no
//! figure may tell them apart. Deliberately absent: the counting itself (`standing.rs`).

use service_kit::{
    id::Side,
    time::{Span, Time},
};

use super::{
    invitation::{Happening, State, Transition},
    pair::{DeclineReason, Pair},
    standing::Outcome,
};

/// What a step counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reckoned {
    /// An invitation was sent.
    Sent,
    /// It has an outcome.
    Ended(Outcome),
    /// The inviter withdrew it by their own act.
    Withdrawn,
    /// It is gone, which says nothing about it.
    Gone,
    /// An outcome that it had at a time was undone: it is pending again.
    Undone(Outcome, Time),
}

/// What a step counts as, if as anything. `ended_kept`: for how long whoever declined could take it back when it was declined.
pub fn reckon(
    before: &Pair,
    after: &Pair,
    step: &Transition,
    ended_kept: Span,
) -> Option<Reckoned> {
    let inviter = step.invitation.inviter;
    match (step.from, step.to) {
        (State::Absent, State::Pending) => Some(Reckoned::Sent),
        (State::Pending | State::Accepting, State::Accepted { .. }) => {
            Some(Reckoned::Ended(Outcome::Accepted))
        }
        (State::Pending, State::Declined) => {
            let declined = after.declined.get(inviter).as_ref();
            let reason = declined.map_or(DeclineReason::NotNow, |declined| declined.reason);
            Some(Reckoned::Ended(of_reason(reason)))
        }
        (State::Pending, State::Withdrawn) => Some(Reckoned::Withdrawn),
        (State::Pending | State::Accepting, State::Gone) => {
            Some(if step.happening == Happening::Expired {
                Reckoned::Ended(Outcome::Expired)
            } else {
                overtaken(after, inviter)
            })
        }
        (State::Declined, State::Pending) => {
            let declined = before.declined.get(inviter).as_ref()?;
            let at = declined.kept_until.minus(ended_kept);
            Some(Reckoned::Undone(of_reason(declined.reason), at))
        }
        // Its connection may have been lost with the other store: the verdict will count it again.
        (State::Accepted { connect_time }, State::Accepting) => {
            Some(Reckoned::Undone(Outcome::Accepted, connect_time))
        }
        _ => None,
    }
}

/// When the decline was whose reason has become a report, if one has.
pub fn reported_after_all(before: &Pair, after: &Pair, ended_kept: Span) -> Option<(Side, Time)> {
    Side::BOTH.into_iter().find_map(|inviter| {
        let was = before.declined.get(inviter).as_ref()?;
        let is = after.declined.get(inviter).as_ref()?;
        let same = was.invitation.id == is.invitation.id;
        (same && !was.reason.bars() && is.reason.bars())
            .then(|| (inviter, is.kept_until.minus(ended_kept)))
    })
}

fn of_reason(reason: DeclineReason) -> Outcome {
    if reason.bars() {
        Outcome::Reported
    } else {
        Outcome::Declined
    }
}

/// A block, a connection made elsewhere, a removal or an erasure ended it. Whether it had been accepted makes no difference: the inviter
/// knows nothing of that.
fn overtaken(after: &Pair, inviter: Side) -> Reckoned {
    let blocked = *after.facts.blocked_by.get(inviter.other());
    if after.facts.connection.is_some() {
        Reckoned::Gone
    } else if !blocked && *after.facts.blocked_by.get(inviter) {
        // The inviter's own doing, and no cheaper than withdrawing.
        Reckoned::Ended(Outcome::Withdrawn)
    } else {
        Reckoned::Ended(Outcome::Declined)
    }
}

#[cfg(test)]
mod tests;
