//! What members have used of their limits.

use invitation_service::domain::member::Quota;
use service_kit::time::{Span, Time};

use super::Model;
use crate::model::command::Who;

impl Model {
    pub(super) fn count_within(log: &[(Who, Time)], who: Who, now: Time, window: Span) -> u32 {
        let inside = log
            .iter()
            .filter(|(w, time)| *w == who && *time > now.minus(window) && *time <= now);
        u32::try_from(inside.count()).unwrap()
    }

    /// The first whole second at which fewer than so many count.
    pub(super) fn room_at(
        &self,
        log: &[(Who, Time)],
        who: Who,
        window: Span,
        max: u32,
    ) -> Option<Time> {
        let candidates = log
            .iter()
            .map(|(_, time)| time.plus(window).ceil_to_second());
        let has_room = |at: &Time| Self::count_within(log, who, *at, window) < max;
        candidates
            .filter(|at| *at > self.now)
            .filter(has_room)
            .min()
    }

    pub(super) fn live_sent(&self, who: Who) -> u32 {
        let sent = self
            .invitations
            .iter()
            .filter(|i| i.from == who && i.is_live());
        u32::try_from(sent.count()).unwrap()
    }

    /// What a member has used of their limits. `pending_sent` counts what keeps its place under the cap.
    pub(super) fn quota_in_force(&self, who: Who) -> Quota {
        let (limits, window) = (self.limits[who], self.policy.weekly_window);
        let used = Self::count_within(&self.charges, who, self.now, window);
        let remaining = limits.weekly_cap.saturating_sub(used);
        let full = remaining == 0 && limits.weekly_cap > 0;
        Quota {
            weekly_cap: limits.weekly_cap,
            used,
            remaining,
            next_place_time: full
                .then(|| self.room_at(&self.charges, who, window, limits.weekly_cap))
                .flatten(),
            pending_sent: self.live_sent(who),
            pending_cap: limits.pending_sent_max,
        }
    }

    /// What a member is shown of their limits.
    pub(crate) fn quota(&self, who: Who) -> Quota {
        Quota {
            pending_sent: self.counts(who).sent_pending,
            ..self.quota_in_force(who)
        }
    }

    pub(super) fn connections(&self, who: Who) -> usize {
        let others = (0..self.members.len()).filter(|other| *other != who);
        others
            .filter(|other| self.facts(who, *other).connection.is_some())
            .count()
    }
}
