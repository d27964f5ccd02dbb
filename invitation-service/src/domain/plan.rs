//! Plans: named sets of limits, and which of them hold for a member.
//!
//! A member's row keeps the name alone; what the name grants is the policy's, so that a changed plan holds at once for all who have it.
//! Deliberately absent: who assigns plans and when (`store/command/member.rs` keeps a record), and what a plan costs.

use service_kit::time::Time;

use super::{
    member::Member,
    policy::Policy,
    standing::{Restriction, Terms},
};

/// The plan of every member who was given no other. Its limits are the policy's own.
pub const BASIC: &str = "basic";

/// The highest weekly cap that anybody can have: each charge is 8 bytes of the member's row, which every send writes.
pub const WEEKLY_CAP_MAX: u32 = 10_000;

/// What a plan grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many invitations may be charged to a member in any week.
    pub weekly_cap: u32,
    /// How many unanswered invitations an inviter may have.
    pub pending_sent_max: u32,
    /// How many unanswered invitations an invitee has before further ones are filtered.
    pub pending_received_soft_max: u32,
}

/// What a member may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    /// The restriction for which sends are refused, if there is one.
    pub restriction: Option<Restriction>,
    /// The limits in force.
    pub limits: Limits,
}

impl Policy {
    /// The limits of [`BASIC`].
    pub const fn basic(&self) -> Limits {
        Limits {
            weekly_cap: self.weekly_cap,
            pending_sent_max: self.pending_sent_max,
            pending_received_soft_max: self.pending_received_soft_max,
        }
    }

    /// Every plan that can be assigned, by name.
    pub fn plan_names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(BASIC).chain(self.plans.keys().map(String::as_str))
    }

    /// The plan of this name; `None` where there is none.
    fn plan(&self, name: &str) -> Option<Limits> {
        self.plans.get(name).copied()
    }
}

impl Member {
    /// The name of the plan in force with its limits. A plan that was assigned and is no longer configured grants what [`BASIC`] does,
    /// until it is configured again or another is assigned.
    pub fn plan_in_force<'a>(&'a self, policy: &Policy) -> (&'a str, Limits) {
        let own = self.plan.as_deref();
        let configured = own.and_then(|name| Some((name, policy.plan(name)?)));
        configured.unwrap_or((BASIC, policy.basic()))
    }

    /// What the member may send at a time, as plan, standing and operators have it: the one place that decides what holds for a member.
    pub fn allowed(&self, policy: &Policy, now: Time) -> Allowed {
        let (_, plan) = self.plan_in_force(policy);
        let standing = self.standing.at(now, &terms(policy, plan));
        Allowed {
            restriction: standing.restriction_in_force(&policy.standing),
            limits: standing.limits(plan, &policy.standing),
        }
    }

    /// By what the member is judged.
    pub fn terms<'a>(&self, policy: &'a Policy) -> Terms<'a> {
        terms(policy, self.plan_in_force(policy).1)
    }

    /// Gives the member a plan; whether that changes anything.
    pub fn assign_plan(&mut self, name: &str) -> bool {
        let plan = (name != BASIC).then(|| name.to_owned());
        let changes = self.plan != plan;
        self.plan = plan;
        changes
    }
}

fn terms(policy: &Policy, plan: Limits) -> Terms<'_> {
    Terms {
        policy: &policy.standing,
        pending_sent_max: plan.pending_sent_max,
    }
}

#[cfg(test)]
mod tests;
