//! What operators do about what a member may send.
//!
//! Deliberately absent: who did it and when, which the store records beside, and whether a plan is configured, which is the caller's to check.

use service_kit::time::Time;

use super::{member::Member, policy::Policy};

/// An act of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Gives the member a plan.
    Plan(String),
    /// Sets the weekly cap that holds in place of plan and standing; `None` takes it away.
    WeeklyCap(Option<u32>),
    /// Restricts the member until a time.
    Restrict(Time),
    /// Lifts the restriction.
    LiftRestriction,
    /// Takes down the flags that are up.
    ClearFlags,
}

impl Member {
    /// Does it; whether that changes anything.
    pub fn act(&mut self, act: &Act, policy: &Policy, now: Time) -> bool {
        let terms = self.terms(policy);
        self.standing.advance(now, &terms);
        match act {
            Act::Plan(name) => self.assign_plan(name),
            Act::WeeklyCap(cap) => self.standing.set_weekly_cap(*cap),
            Act::Restrict(until) => self.standing.impose_restriction(*until),
            Act::LiftRestriction => self.standing.lift_restriction(),
            Act::ClearFlags => self.standing.clear_flags(),
        }
    }
}
