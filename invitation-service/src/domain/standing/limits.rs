//! What a standing allows: the level in force and the limits that follow from it.
//!
//! Deliberately absent: plans, whose limits arrive as an argument (`plan.rs`), and refusing (`send.rs`).

use super::{Cause, Grade, Level, Mode, Restriction, Standing, StandingPolicy};
use crate::domain::plan::Limits;

impl Standing {
    /// How the member is regarded. Under [`Mode::Shadow`] what is concluded, though it is not applied.
    ///
    /// As of the last step; to ask later, see [`Standing::at`]. So are all that follow.
    pub fn level(&self, policy: &StandingPolicy) -> Level {
        let grade = if policy.mode == Mode::Off {
            Grade::Normal
        } else {
            self.grade
        };
        self.restriction(policy)
            .map_or(grade.level(), |_| Level::Restricted)
    }

    /// The restriction, if there is one. Under [`Mode::Off`] only an operator's.
    pub fn restriction(&self, policy: &StandingPolicy) -> Option<Restriction> {
        self.restriction.filter(|restriction| {
            restriction.until > self.clock
                && (policy.mode != Mode::Off || restriction.cause == Cause::Operator)
        })
    }

    /// The restriction for which sending is refused, if there is one. Under [`Mode::Shadow`] only an operator's.
    pub fn restriction_in_force(&self, policy: &StandingPolicy) -> Option<Restriction> {
        self.restriction(policy).filter(|restriction| {
            policy.mode == Mode::Enforce || restriction.cause == Cause::Operator
        })
    }

    /// The limits in force of a member with a plan: none may be sent while restricted; else the weekly cap is the operator's, or the lower of
    /// the plan's and the standing's.
    pub fn limits(&self, plan: Limits, policy: &StandingPolicy) -> Limits {
        let grade = if policy.mode == Mode::Enforce {
            self.grade
        } else {
            Grade::Normal
        };
        let lower = plan.weekly_cap.min(policy.weekly_cap(grade));
        let weekly_cap = if self.restriction_in_force(policy).is_some() {
            0
        } else {
            self.cap.unwrap_or(lower)
        };
        Limits {
            weekly_cap,
            pending_sent_max: plan.pending_sent_max.min(policy.pending_sent_max(grade)),
            ..plan
        }
    }
}
