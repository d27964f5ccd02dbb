//! The numbers that standing is made of, with their defaults.
//!
//! Deliberately absent: where the numbers come from, and anything that is decided with them.

use service_kit::time::Span;

use super::level::Grade;

/// Whether what is concluded of members is applied.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// It is.
    #[default]
    Enforce,
    /// Everything is counted, concluded and shown, and nothing refused for it: everybody has the limits of NORMAL. What operators do holds.
    Shadow,
    /// Nothing is counted, and what was counted of a member is forgotten at the next step. Everybody is NORMAL. What operators do holds.
    Off,
}

/// Every number by which an inviter is judged. A changed one holds from the next look on, also for what time alone has done since the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingPolicy {
    /// Whether what is concluded is applied.
    pub mode: Mode,
    /// The weekly cap of NEW.
    pub new_weekly_cap: u32,
    /// The weekly cap of NORMAL.
    pub normal_weekly_cap: u32,
    /// The weekly cap of TRUSTED.
    pub trusted_weekly_cap: u32,
    /// The weekly cap of LIMITED.
    pub limited_weekly_cap: u32,
    /// How many unanswered invitations whoever is not TRUSTED may have.
    pub pending_sent_max: u32,
    /// How many unanswered invitations TRUSTED may have.
    pub trusted_pending_sent_max: u32,

    /// How many weeks of outcomes are looked at, the current one among them. At most [`super::weeks::WEEKS_MAX`].
    pub weeks: u16,
    /// After how long an unanswered invitation counts as expired: on the UTC day that lies so many days after that of its sending. Whole days,
    /// at most [`super::days::DAYS_MAX`].
    pub unanswered_after: Span,
    /// With fewer outcomes nothing is concluded from the rate.
    pub outcomes_min: u32,
    /// What a decline from "I don't know this person" or spam weighs in the rate, in percent of an acceptance.
    pub reported_percent: u32,
    /// What an expired invitation weighs, likewise.
    pub expired_percent: u32,
    /// What a withdrawn one weighs, likewise.
    pub withdrawn_percent: u32,

    /// NEW lasts until so many invitations have an outcome,
    pub new_outcomes_min: u32,
    /// and at least so long after the first.
    pub new_min: Span,
    /// LIMITED, and flagged for low acceptance, when the rate falls under so many percent;
    pub limited_below_percent: u32,
    /// while NEW, LIMITED already under so many,
    pub new_limited_below_percent: u32,
    /// and until it is above so many, and not so low that it would begin anew,
    pub limited_until_above_percent: u32,
    /// and so long has passed.
    pub limited_min: Span,
    /// TRUSTED from so many percent
    pub trusted_from_percent: u32,
    /// over at least so many outcomes,
    pub trusted_outcomes_min: u32,
    /// until the rate falls below so many percent.
    pub trusted_below_percent: u32,

    /// Over how long withdrawals are looked at: so many UTC days, today among them. Whole days, at most [`super::days::DAYS_MAX`].
    pub churn_within: Span,
    /// Churn: of at least so many sent in these days
    pub churn_sent_min: u32,
    /// more than so many percent were withdrawn,
    pub churn_above_percent: u32,
    /// or one member was sent to and withdrawn from so often.
    pub churn_rounds: u32,
    /// Flagged when the same note went to so many members. At most [`super::traces::NOTES_MAX`].
    pub same_note_members: u32,
    /// in so many UTC days, today among them.
    pub same_note_within: Span,
    /// Flagged when so many invitations count as expired and are still unanswered,
    pub unanswered_max: u32,
    /// or so many percent of the cap on unanswered invitations are used.
    pub unanswered_percent: u32,

    /// A rate under so many percent is a strike; so is a flag besides low acceptance while LIMITED.
    pub strike_below_percent: u32,
    /// A further strike needs so many outcomes since the last.
    pub strike_outcomes: u32,
    /// Strikes are forgotten so long after the last.
    pub strike_forgotten_after: Span,
    /// How long the first, second, third, and any further strike restrict.
    pub ladder: [Span; 4],
}

impl Default for StandingPolicy {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            new_weekly_cap: 50,
            normal_weekly_cap: 100,
            trusted_weekly_cap: 200,
            limited_weekly_cap: 25,
            pending_sent_max: 1_500,
            trusted_pending_sent_max: 3_000,
            weeks: 13,
            unanswered_after: Span::days(21),
            outcomes_min: 20,
            reported_percent: 300,
            expired_percent: 50,
            withdrawn_percent: 50,
            new_outcomes_min: 20,
            new_min: Span::days(30),
            limited_below_percent: 20,
            new_limited_below_percent: 33,
            limited_until_above_percent: 30,
            limited_min: Span::days(7),
            trusted_from_percent: 60,
            trusted_outcomes_min: 50,
            trusted_below_percent: 50,
            churn_within: Span::days(30),
            churn_sent_min: 20,
            churn_above_percent: 50,
            churn_rounds: 3,
            same_note_members: 30,
            same_note_within: Span::days(7),
            unanswered_max: 300,
            unanswered_percent: 80,
            strike_below_percent: 10,
            strike_outcomes: 10,
            strike_forgotten_after: Span::days(90),
            ladder: [
                Span::hours(3),
                Span::hours(48),
                Span::days(7),
                Span::days(30),
            ],
        }
    }
}

impl StandingPolicy {
    /// The defaults with [`Mode::Off`].
    pub fn off() -> Self {
        Self {
            mode: Mode::Off,
            ..Self::default()
        }
    }

    pub(super) fn unanswered_days(&self) -> u16 {
        days(self.unanswered_after)
    }

    pub(super) fn churn_days(&self) -> u16 {
        days(self.churn_within)
    }

    pub(super) fn same_note_days(&self) -> u16 {
        days(self.same_note_within)
    }

    /// The weekly cap of a grade.
    pub fn weekly_cap(&self, grade: Grade) -> u32 {
        match grade {
            Grade::New => self.new_weekly_cap,
            Grade::Normal => self.normal_weekly_cap,
            Grade::Trusted => self.trusted_weekly_cap,
            Grade::Limited { .. } => self.limited_weekly_cap,
        }
    }

    /// Under which rate, in percent, whoever is of a grade becomes LIMITED.
    pub(super) fn limited_below_percent(&self, grade: Grade) -> u32 {
        match grade {
            Grade::New => self.new_limited_below_percent,
            Grade::Normal | Grade::Trusted | Grade::Limited { .. } => self.limited_below_percent,
        }
    }

    /// How many unanswered invitations a grade may have.
    pub fn pending_sent_max(&self, grade: Grade) -> u32 {
        match grade {
            Grade::Trusted => self.trusted_pending_sent_max,
            Grade::New | Grade::Normal | Grade::Limited { .. } => self.pending_sent_max,
        }
    }

    /// For how long the strike of this number restricts, the first being 1.
    pub(super) fn restricts_for(&self, strike: u8) -> Span {
        let [first, second, third, further] = self.ladder;
        match strike {
            0 | 1 => first,
            2 => second,
            3 => third,
            _ => further,
        }
    }
}

fn days(span: Span) -> u16 {
    u16::try_from(span.as_days()).unwrap_or(u16::MAX)
}
