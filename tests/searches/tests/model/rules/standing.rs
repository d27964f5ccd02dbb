//! What became of a member's invitations, counted from all of them anew.
//!
//! Deliberately absent: what is concluded from it, which tables of the domain have.

use invitation_service::domain::{
    pair::DeclineReason,
    standing::{Counts, Outcome},
};
use service_kit::time::{Span, Time};

use super::{Invitation, Model};
use crate::model::command::Who;

/// What an invitation counts as for its inviter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CountsAs {
    /// It is unanswered: as nothing, and in the end as expired.
    Unanswered,
    /// As nothing: the two were connected in another way.
    Nothing,
    /// As this, at this time.
    Outcome(Outcome, Time),
}

const DAY: i64 = Span::days(1).as_millis();

fn day(time: Time) -> i64 {
    time.millis().div_euclid(DAY)
}

/// The week that a day lies in; the epoch's first day was a Thursday.
fn week(day: i64) -> i64 {
    (day + 3).div_euclid(7)
}

/// When an invitation begins to count as expired if nobody answers it.
pub(super) fn overdue_at(create_time: Time) -> Time {
    Time::from_millis((day(create_time) + 21) * DAY)
}

/// What a decline counts as.
pub(super) fn declined(reason: DeclineReason) -> Outcome {
    match reason {
        DeclineReason::NotNow => Outcome::Declined,
        DeclineReason::DontKnow | DeclineReason::Spam => Outcome::Reported,
    }
}

impl Model {
    /// An invitation was ended by what connection-service says of the two: one more decline to the inviter's eyes, unless the two are
    /// connected or the inviter alone has blocked.
    pub(super) fn count_overtaken(&mut self, number: usize) {
        let Invitation { from, to, .. } = self.invitations[number];
        let outcome = if self.facts(from, to).connection.is_some() {
            None
        } else if self.has_blocked(from, to) && !self.has_blocked(to, from) {
            Some(Outcome::Withdrawn)
        } else {
            Some(Outcome::Declined)
        };
        let now = self.now;
        let counts_as = outcome.map(|outcome| CountsAs::Outcome(outcome, now));
        self.invitations[number].counts_as = counts_as.unwrap_or(CountsAs::Nothing);
    }

    /// What became of what a member sent, in the current week and the twelve before.
    pub(crate) fn became(&self, who: Who) -> Counts {
        let mut counts = Counts::default();
        if self.is_erased(who) {
            return counts;
        }
        let today = day(self.now);
        let is_looked_at = |time: Time| week(day(time)) > week(today) - 13;
        for invitation in self.invitations.iter().filter(|i| i.from == who) {
            let sent_at = invitation.create_time;
            counts.sent += u32::from(is_looked_at(sent_at));
            let (outcome, time) = match invitation.counts_as {
                CountsAs::Unanswered if overdue_at(sent_at) <= self.now => {
                    (Outcome::Expired, sent_at)
                }
                CountsAs::Unanswered | CountsAs::Nothing => continue,
                CountsAs::Outcome(Outcome::Expired, _) => (Outcome::Expired, sent_at),
                CountsAs::Outcome(outcome, time) => (outcome, time),
            };
            if is_looked_at(time) {
                *match outcome {
                    Outcome::Accepted => &mut counts.accepted,
                    Outcome::Declined => &mut counts.declined,
                    Outcome::Reported => &mut counts.reported,
                    Outcome::Expired => &mut counts.expired,
                    Outcome::Withdrawn => &mut counts.withdrawn,
                } += 1;
            }
        }
        counts
    }
}
