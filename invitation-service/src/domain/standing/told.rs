//! What is told of a standing: to the member, coarsely enough that nobody can read off who declined, and to operators.
//!
//! Level, flags and a restriction are told at once. Figures are those that stood when the UTC day began: of one's own doings exactly, of what
//! others did in steps, rounded down, and never one kind apart from another. Deliberately absent: words and messages of the wire.

use serde::{Deserialize, Serialize};
use service_kit::time::Time;

use super::{
    Counts, Flags, Grade, Level, Mode, Restriction, Standing, StandingPolicy, Terms, calendar::Day,
};

/// The step of the rate that a member is told, in percent.
const RATE_STEP: u8 = 5;

/// The step of the number of invitations that a member is told were not accepted.
const OTHERS_STEP: u32 = 10;

/// The figures of the weeks that are looked at, as the member may know them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// How many the member sent.
    pub sent: u32,
    /// How many were accepted.
    pub accepted: u32,
    /// How many were not, for whatever reason, or have been unanswered for so long that they count as expired: in steps of 10, rounded down.
    pub others: u32,
    /// The rate of acceptance: in steps of 5 percent, rounded down; `None` while there are too few outcomes to conclude anything.
    pub rate_percent: Option<u8>,
}

impl Figures {
    pub(super) fn of(counts: &Counts, policy: &StandingPolicy) -> Self {
        let rate = counts.rate(policy).map(super::Rate::percent);
        Self {
            sent: counts.sent,
            accepted: counts.accepted,
            others: counts.others() / OTHERS_STEP * OTHERS_STEP,
            rate_percent: rate.map(|percent| percent / RATE_STEP * RATE_STEP),
        }
    }
}

/// What a member may know of their standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// How they are regarded.
    pub level: Level,
    /// The flags that are up.
    pub flags: Flags,
    /// The restriction, if there is one.
    pub restriction: Option<Restriction>,
    /// The figures,
    pub figures: Figures,
    /// as they stood at this moment, when the UTC day began.
    pub figures_time: Time,
}

/// All that there is to know of a member's standing: for operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// How they are regarded.
    pub level: Level,
    /// How they would be but for a restriction.
    pub grade: Grade,
    /// When they first sent.
    pub first_sent: Option<Time>,
    /// What became of invitations in the weeks that are looked at, now and exactly.
    pub counts: Counts,
    /// The rate of acceptance in whole percent, rounded down; `None` while there are too few outcomes.
    pub rate_percent: Option<u8>,
    /// How many invitations have ever had an outcome.
    pub outcomes: u32,
    /// How many are pending,
    pub pending: u32,
    /// and how many of these count as expired.
    pub overdue: u32,
    /// The flags that are up.
    pub flags: Flags,
    /// The flags whose sign is there, but which an operator has cleared.
    pub cleared: Flags,
    /// How many strikes are remembered.
    pub strikes: u8,
    /// The restriction, if there is one.
    pub restriction: Option<Restriction>,
    /// The weekly cap that an operator has set.
    pub weekly_cap: Option<u32>,
}

impl Standing {
    /// What the member may know at a time.
    pub fn told(&self, now: Time, terms: &Terms<'_>) -> Told {
        let standing = self.at(now, terms);
        let policy = terms.policy;
        let off = policy.mode == Mode::Off;
        Told {
            level: standing.level(policy),
            flags: if off {
                Flags::default()
            } else {
                standing.flags()
            },
            restriction: standing.restriction(policy),
            figures: if off {
                Figures::default()
            } else {
                standing.figures
            },
            figures_time: Day::of(standing.clock).start(),
        }
    }

    /// All that there is to know at a time. Under [`Mode::Off`] what was counted before is shown until the member's next step.
    pub fn known(&self, now: Time, terms: &Terms<'_>) -> Known {
        let standing = self.at(now, terms);
        let policy = terms.policy;
        let counts = standing.weeks.total();
        Known {
            level: standing.level(policy),
            grade: standing.grade,
            first_sent: standing.first_sent,
            counts,
            rate_percent: counts.rate(policy).map(super::Rate::percent),
            outcomes: standing.outcomes,
            pending: standing.pending(),
            overdue: standing.overdue,
            flags: standing.flags(),
            cleared: standing.cleared,
            strikes: standing.strikes_remembered(policy),
            restriction: standing.restriction(policy),
            weekly_cap: standing.cap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(accepted: u32, declined: u32, reported: u32, withdrawn: u32) -> Figures {
        let counts = Counts {
            sent: 100,
            accepted,
            declined,
            reported,
            expired: 0,
            withdrawn,
        };
        Figures::of(&counts, &StandingPolicy::default())
    }

    #[test]
    fn what_others_did_is_told_in_steps_rounded_down() {
        for (figures, others, rate_percent) in [
            (figures(0, 0, 0, 0), 0, None),
            (figures(10, 9, 0, 0), 0, None),
            (figures(11, 9, 0, 0), 0, Some(55)),
            (figures(11, 10, 0, 0), 10, Some(50)), // 52 %
            (figures(20, 0, 0, 0), 0, Some(100)),
            (figures(0, 29, 0, 0), 20, Some(0)),
            (figures(4, 16, 0, 0), 10, Some(20)),
            (figures(4, 17, 0, 0), 10, Some(15)), // 19 %, so it never looks better than what limits
        ] {
            assert_eq!(
                (figures.others, figures.rate_percent),
                (others, rate_percent)
            );
            assert_eq!(figures.sent, 100);
        }
    }

    #[test]
    fn what_kind_of_end_it_was_cannot_be_read_off() {
        assert_eq!(figures(30, 12, 0, 0), figures(30, 11, 0, 1));
        assert_eq!(figures(30, 12, 0, 0).others, figures(30, 5, 7, 0).others);
    }
}
