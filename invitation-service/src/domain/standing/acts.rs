//! What operators do with a standing. Each act is safe to repeat and says whether it changed anything.
//!
//! They hold under every [`super::Mode`]: that is about what the service concludes by itself. Deliberately absent: who did it and when,
//! which is recorded beside.

use service_kit::time::Time;

use super::{Cause, Restriction, Standing, Strikes};

impl Standing {
    /// Sets the weekly cap that holds instead of plan and standing, or with `None` takes it away.
    pub fn set_weekly_cap(&mut self, cap: Option<u32>) -> bool {
        let changes = self.cap != cap;
        self.cap = cap;
        changes
    }

    /// Restricts the member until a time, in place of any restriction there is.
    pub fn impose_restriction(&mut self, until: Time) -> bool {
        let restriction = Some(Restriction {
            until,
            cause: Cause::Operator,
        });
        let changes = self.restriction != restriction;
        self.restriction = restriction;
        changes
    }

    /// Ends the restriction at once. The strikes that led to it are remembered, but the next needs as many outcomes as if one had been now.
    ///
    /// As of the last step; advance first.
    pub fn lift_restriction(&mut self) -> bool {
        let lifted = self.restriction.take();
        self.strikes = self.strikes.map(|strikes| Strikes {
            outcomes: self.outcomes,
            ..strikes
        });
        lifted.is_some_and(|restriction| restriction.until > self.clock)
    }

    /// Takes down the flags that are up. Each is up again when its sign has gone and come back. What led to a flag for the same note or for rounds
    /// on one pair is forgotten.
    pub fn clear_flags(&mut self) -> bool {
        if self.flags().is_empty() {
            return false;
        }
        self.cleared = self.signs;
        self.withdrawals.clear();
        self.notes.clear();
        true
    }
}
