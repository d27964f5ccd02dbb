//! Sending: may this member invite that one, and what becomes of it.
//!
//! The refusals stand in the order in which they are answered. Deliberately absent: repeats by request id (`store/command/send.rs` looks
//! them up before it asks here), and connection limits of the crossing case, which connection-service decides.

use service_kit::{id::Side, time::Time};
use uuid::Uuid;

use super::{
    accept::{self, Accepting},
    invitation::{Happening, Invitation, State, Transition},
    member::{Member, WhoCanInvite},
    pair::{Live, Pair},
    policy::Policy,
    refusal::Refusal,
};

/// What a sending came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// A new invitation; it was charged.
    Created(Transition),
    /// The other member's invitation stood, so this was its acceptance.
    Crossed(Accepting),
}

/// What a decision about sending needs besides the pair and the two members.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The side of the pair that sends.
    pub side: Side,
    /// The id for a new invitation.
    pub id: Uuid,
    /// Until when the inviter's own withdrawal stands in the way.
    pub withdraw_cooldown_until: Option<Time>,
    /// The caller's request id, if any: remembered with a crossing's acceptance.
    pub request_id: Option<Uuid>,
    /// Whether the two have a connection in common, as connection-service has just said; `None` if it could not.
    pub have_mutual: Option<bool>,
    /// How far connection-service's feed has been followed.
    pub cursor: u64,
    /// The numbers.
    pub policy: &'a Policy,
    /// The store's time.
    pub now: Time,
}

/// Sends an invitation from `inviter` to `invitee`, or accepts the one that stands the other way.
///
/// On a refusal nothing changes, except that a masked one is noted in the inviter's log of them.
pub fn send(
    pair: &mut Pair,
    inviter: &mut Member,
    invitee: &mut Member,
    sending: &Sending<'_>,
) -> Result<Sent, Refusal> {
    let Sending {
        side, now, policy, ..
    } = *sending;
    let asking = Asking {
        side,
        withdraw_cooldown_until: sending.withdraw_cooldown_until,
        policy,
        now,
    };
    if let Way::Cross(id) = own_side(pair, inviter, &asking)? {
        return accept::accept(pair, side, &id, sending.request_id, policy, now).map(Sent::Crossed);
    }
    if is_unavailable(pair, invitee, side, sending.have_mutual, now) {
        inviter.probes.record(now, policy.probe_window);
        return Err(Refusal::RecipientUnavailable);
    }
    Ok(Sent::Created(create(pair, inviter, invitee, sending)))
}

/// What the inviter's own side of a sending depends on besides the pair and the inviter.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The side of the pair that would send.
    pub side: Side,
    /// Until when the inviter's own withdrawal stands in the way.
    pub withdraw_cooldown_until: Option<Time>,
    /// The numbers.
    pub policy: &'a Policy,
    /// The store's time.
    pub now: Time,
}

/// What a sending is, as far as the inviter's own side determines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A new invitation, unless the invitee's side stands against it.
    Invite,
    /// The acceptance of the other member's invitation, which is this one.
    Cross(Uuid),
}

/// Everything that the inviter's own side determines; nothing of it depends on what the invitee has done in silence.
pub fn own_side(pair: &Pair, inviter: &Member, asking: &Asking<'_>) -> Result<Way, Refusal> {
    let Asking {
        side, now, policy, ..
    } = *asking;
    if inviter.erased {
        return Err(Refusal::MemberNotFound);
    }
    if pair.facts.connection.is_some() {
        return Err(Refusal::AlreadyConnected);
    }
    if let Some(Live { invitation, .. }) = &pair.live {
        return if invitation.inviter == side {
            Err(Refusal::InvitationPending {
                invitation_id: invitation.id,
            })
        } else {
            Ok(Way::Cross(invitation.id))
        };
    }
    if *pair.facts.blocked_by.get(side) {
        return Err(Refusal::MemberBlockedByYou);
    }
    if let Some(retry_time) = asking.withdraw_cooldown_until.filter(|until| *until > now) {
        return Err(Refusal::ResendCooldown { retry_time });
    }
    let allowed = inviter.allowed(policy, now);
    if let Some(restriction) = allowed.restriction {
        return Err(Refusal::SenderRestricted {
            restricted_until: restriction.until,
        });
    }
    let quota = inviter.quota_within(&allowed.limits, policy, now);
    if quota.remaining == 0 {
        return Err(Refusal::WeeklyCapReached {
            weekly_cap: quota.weekly_cap,
            used: quota.used,
            next_place_time: quota.next_place_time,
        });
    }
    if quota.pending_sent >= quota.pending_cap {
        return Err(Refusal::PendingCapReached {
            pending_cap: quota.pending_cap,
        });
    }
    if inviter.connections >= policy.connections_max {
        return Err(Refusal::ConnectionLimitReached);
    }
    let probes = inviter.probes.count(now, policy.probe_window);
    if probes >= policy.probe_refusals_max {
        let retry_time = inviter
            .probes
            .next_place(now, policy.probe_window, policy.probe_refusals_max)
            .unwrap_or_else(|| now.plus(policy.probe_window));
        return Err(Refusal::ProbeLimitReached { retry_time });
    }
    Ok(Way::Invite)
}

/// The one masked refusal: whichever of these holds, the inviter must not know which.
fn is_unavailable(
    pair: &Pair,
    invitee: &Member,
    side: Side,
    have_mutual: Option<bool>,
    now: Time,
) -> bool {
    let closed = match invitee.preferences.who_can_invite {
        WhoCanInvite::Everyone => false,
        // What is not known does not open a door.
        WhoCanInvite::SecondDegree => have_mutual != Some(true),
        WhoCanInvite::Nobody => true,
    };
    let declined_lately = pair
        .declined
        .get(side)
        .as_ref()
        .is_some_and(|declined| declined.cooldown_until > now);
    *pair.facts.blocked_by.get(side.other())
        || pair.bars.get(side).is_some()
        || closed
        || declined_lately
        || invitee.erased
}

fn create(
    pair: &mut Pair,
    inviter: &mut Member,
    invitee: &Member,
    sending: &Sending<'_>,
) -> Transition {
    let Sending {
        side, now, policy, ..
    } = *sending;
    // Whoever declined and now invites ends the other's waiting, and can no longer take the decline back.
    if let Some(declined) = pair.declined.get_mut(side.other()) {
        declined.cooldown_until = now;
        declined.overtaken = true;
    }
    if let Some(declined) = pair.declined.get_mut(side) {
        declined.overtaken = true;
    }
    inviter.charges.record(now, policy.weekly_window);
    let invitation = Invitation {
        id: sending.id,
        inviter: side,
        filtered: invitee.received_pending
            >= invitee.plan_in_force(policy).1.pending_received_soft_max,
        create_time: now,
        expire_time: now.plus(policy.invitation_lifetime),
        decided_at: pair.facts_known_to(sending.cursor),
        acceptances: 0,
        last_event: 0,
    };
    pair.live = Some(Live {
        invitation: invitation.clone(),
        acceptance: None,
    });
    Transition {
        invitation,
        from: State::Absent,
        to: State::Pending,
        happening: Happening::Sent,
    }
}

#[cfg(test)]
mod tests;
