//! What one member has on their own: counters under caps, charge times, preferences, and how far they have looked.
//!
//! Deliberately absent: anything about a particular other member; that is the pair's.

use service_kit::{id::MemberId, time::Time};
use uuid::Uuid;

use super::{
    invitation::{Place, Role, Transition, place},
    plan::Limits,
    policy::Policy,
    reckoning::Reckoned,
    standing::{Standing, Tag},
    window::RollingLog,
};

/// One member, as far as invitations go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub id: MemberId,
    /// The member was erased: nothing is kept of them, and the id is never used again.
    pub erased: bool,
    /// How many stand in the list Sent.
    pub sent_pending: u32,
    /// How many stand in the list Received.
    pub received_pending: u32,
    /// How many of those in Received sort after `seen_until`.
    pub received_unseen: u32,
    /// How many stand in the list Filtered.
    pub filtered_pending: u32,
    /// How many connections the copy of connection-service's facts knows.
    pub connections: u32,
    /// When invitations were charged. Kept apart from the invitations, which may be gone long before the charge is.
    pub charges: RollingLog,
    /// When masked refusals were met.
    pub probes: RollingLog,
    /// The plan that the member was given; `None` for the basic one.
    pub plan: Option<String>,
    /// How the member is regarded as an inviter.
    pub standing: Standing,
    /// How the member wishes to be invited.
    pub preferences: Preferences,
    /// The latest invitation that the member has marked as seen; every one received that sorts up to it is seen.
    pub seen_until: Uuid,
    /// When the member's own wish for auto-withdrawal next has something to do.
    pub auto_withdraw_at: Option<Time>,
    /// The latest event that concerns the member; each event names the one before it for either of its members.
    pub last_event: Option<EventLink>,
}

/// What tells an invitation apart from others for the inviter's standing, and says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traces {
    /// Of inviter and invitee, in this order.
    pub pair: Tag,
    /// Of the note without differences that nobody reads, if there is one.
    pub note: Option<Tag>,
}

/// A link in the list of a member's events: which event, and what the member is to its invitation. It serves also where the event no
/// longer names its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventLink {
    /// The event's position.
    pub position: u64,
    /// What the member is to the invitation.
    pub role: Role,
}

/// How a member wishes to be invited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Preferences {
    /// Who may invite the member.
    pub who_can_invite: WhoCanInvite,
    /// After how many days the member's own unanswered invitations are withdrawn; `None` for never.
    pub auto_withdraw_days: Option<u16>,
}

/// Who may invite a member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum WhoCanInvite {
    /// Everyone who is not blocked or barred.
    #[default]
    Everyone,
    /// Those of them who have a connection in common with the member.
    SecondDegree,
    /// Nobody.
    Nobody,
}

impl Member {
    /// A member of whom nothing is known yet.
    pub fn new(id: MemberId) -> Self {
        Self {
            id,
            erased: false,
            sent_pending: 0,
            received_pending: 0,
            received_unseen: 0,
            filtered_pending: 0,
            connections: 0,
            charges: RollingLog::default(),
            probes: RollingLog::default(),
            plan: None,
            standing: Standing::default(),
            preferences: Preferences::default(),
            seen_until: Uuid::nil(),
            auto_withdraw_at: None,
            last_event: None,
        }
    }

    /// Whether the member has seen an invitation they received.
    pub fn has_seen(&self, invitation_id: &Uuid) -> bool {
        *invitation_id <= self.seen_until
    }

    /// Counts a step of an invitation in which the member has this role.
    pub fn count(&mut self, step: &Transition, role: Role) {
        let filtered = step.invitation.filtered;
        if let Some(left) = place(step.from, role, filtered) {
            self.adjust(left, &step.invitation.id, u32::saturating_sub);
        }
        if let Some(entered) = place(step.to, role, filtered) {
            self.adjust(entered, &step.invitation.id, u32::saturating_add);
        }
    }

    /// Counts what a step of an invitation that the member has sent is to their standing. The invitation was sent at `sent_at`; `traces` is
    /// asked only where the step leaves some.
    pub fn reckon(
        &mut self,
        reckoned: Reckoned,
        sent_at: Time,
        traces: impl FnOnce() -> Traces,
        policy: &Policy,
        now: Time,
    ) {
        let terms = self.terms(policy);
        let standing = &mut self.standing;
        match reckoned {
            Reckoned::Sent => {
                let Traces { pair, note } = traces();
                standing.sent(pair, note, now, &terms);
            }
            Reckoned::Ended(outcome) => standing.ended(outcome, sent_at, now, &terms),
            Reckoned::Withdrawn => standing.withdrawn(traces().pair, sent_at, now, &terms),
            Reckoned::Gone => standing.gone(sent_at, now, &terms),
            Reckoned::Undone(outcome, at) => {
                standing.undone(outcome, (sent_at, at), now, &terms);
            }
        }
    }

    fn adjust(&mut self, place: Place, id: &Uuid, by: fn(u32, u32) -> u32) {
        match place {
            Place::Sent => self.sent_pending = by(self.sent_pending, 1),
            Place::Filtered => self.filtered_pending = by(self.filtered_pending, 1),
            Place::Received => {
                self.received_pending = by(self.received_pending, 1);
                if !self.has_seen(id) {
                    self.received_unseen = by(self.received_unseen, 1);
                }
            }
            Place::Withdrawn | Place::Declined | Place::Accepted => {}
        }
    }

    /// What the member has used of their limits.
    pub fn quota(&self, policy: &Policy, now: Time) -> Quota {
        self.quota_within(&self.allowed(policy, now).limits, policy, now)
    }

    /// What the member has used of these limits, which are those in force.
    pub fn quota_within(&self, limits: &Limits, policy: &Policy, now: Time) -> Quota {
        let used = self.charges.count(now, policy.weekly_window);
        let remaining = limits.weekly_cap.saturating_sub(used);
        let next_place_time = if remaining == 0 {
            self.charges
                .next_place(now, policy.weekly_window, limits.weekly_cap)
        } else {
            None
        };
        Quota {
            weekly_cap: limits.weekly_cap,
            used,
            remaining,
            next_place_time,
            pending_sent: self.sent_pending,
            pending_cap: limits.pending_sent_max,
        }
    }
}

/// What an inviter has used of their limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many invitations may be charged in any seven days.
    pub weekly_cap: u32,
    /// How many were.
    pub used: u32,
    /// How many may still be now.
    pub remaining: u32,
    /// When the next place is free, if none is now and the cap is not 0.
    pub next_place_time: Option<Time>,
    /// How many are unanswered.
    pub pending_sent: u32,
    /// How many may be.
    pub pending_cap: u32,
}

#[cfg(test)]
mod tests;
