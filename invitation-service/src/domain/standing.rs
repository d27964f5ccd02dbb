//! How a member is regarded as an inviter: what became of their invitations, and what follows from it.
//!
//! A [`Standing`] is one value of the member's. It is told of each send and of what becomes of each invitation, once, and judges at every
//! step ([`judge`]). What time alone does (invitations that count as expired, weeks that are over, days that have passed) is done before each
//! step in the order in which it falls due, so that it does not matter when somebody looks. Deliberately absent: the clock, whom the member
//! invites and what they write, of which only tags arrive here, and which step of an invitation is which outcome.

mod acts;
mod bytes;
pub mod calendar;
pub mod days;
mod judge;
pub mod level;
pub mod limits;
mod news;
pub mod policy;
pub mod told;
pub mod traces;
pub mod weeks;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use service_kit::time::Time;

pub use bytes::{MalformedStanding, STANDING_BYTES_MAX};
pub use level::{Cause, Flag, Flags, Grade, Level, Restriction};
pub use news::News;
pub use policy::{Mode, StandingPolicy};
pub use traces::Tag;
pub use weeks::{Counts, Outcome, Rate};

use calendar::{Day, Week};
use days::Days;
use told::Figures;
use traces::{Noted, Recent};
use weeks::Weeks;

/// By what an inviter is judged.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The numbers.
    pub policy: &'a StandingPolicy,
    /// How many unanswered invitations the member's plan allows.
    pub pending_sent_max: u32,
}

/// How a member is regarded as an inviter, with all that it follows from. The default is a member who has never sent.
///
/// Its size is bounded: by the weeks and days that are looked at and by [`traces::WITHDRAWALS_MAX`] and [`traces::NOTES_MAX`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Up to when everything is done that time alone does. Never goes back.
    clock: Time,
    /// When the member first sent.
    first_sent: Option<Time>,
    grade: Grade,
    /// How many invitations have ever had an outcome. One that counts as expired and is answered later has had one only.
    outcomes: u32,
    weeks: Weeks,
    days: Days,
    /// How many unanswered invitations count as expired.
    overdue: u32,
    /// Flags whose sign is there now,
    signs: Flags,
    /// but for these, which an operator has cleared: they are up again when the sign has been away and comes back.
    cleared: Flags,
    strikes: Option<Strikes>,
    restriction: Option<Restriction>,
    /// The weekly cap that an operator has set.
    cap: Option<u32>,
    withdrawals: Recent<Tag>,
    notes: Recent<Noted>,
    /// What the member may be told: the figures as they stood when the day of `clock` began.
    figures: Figures,
}

/// The strikes that are remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Strikes {
    count: u8,
    last: Time,
    /// How many outcomes there had been when a strike, or an operator's lifting, was last.
    outcomes: u32,
}

impl Standing {
    /// An invitation was sent and charged. `pair`: inviter and invitee in this order; `note`: the note without differences that nobody reads,
    /// if there is one.
    pub fn sent(&mut self, pair: Tag, note: Option<Tag>, now: Time, terms: &Terms<'_>) {
        self.step(now, terms, |standing, now| {
            standing.first_sent.get_or_insert(now);
            let today = Day::of(now);
            standing.days.count_sent(today);
            standing.weeks.count_sent(today.week());
            if let Some(note) = note {
                standing.notes.noted(today, Noted { note, pair });
            }
        });
    }

    /// A pending invitation has this outcome; it was sent at `sent_at`.
    pub fn ended(&mut self, outcome: Outcome, sent_at: Time, now: Time, terms: &Terms<'_>) {
        self.step(now, terms, |standing, now| {
            standing.conclude(outcome, sent_at, now);
        });
    }

    /// The inviter has withdrawn a pending invitation by their own act; it was sent at `sent_at`.
    pub fn withdrawn(&mut self, pair: Tag, sent_at: Time, now: Time, terms: &Terms<'_>) {
        self.step(now, terms, |standing, now| {
            standing.conclude(Outcome::Withdrawn, sent_at, now);
            let (day, today) = (Day::of(sent_at), Day::of(now));
            standing.days.count_withdrawn(day);
            // Whoever withdraws what has long been unanswered tidies up.
            if day > today.minus(terms.policy.churn_days()) {
                standing.withdrawals.withdrawn(today, pair);
            }
        });
    }

    /// A pending invitation is gone for a reason that is no outcome; it was sent at `sent_at`.
    pub fn gone(&mut self, sent_at: Time, now: Time, terms: &Terms<'_>) {
        self.step(now, terms, |standing, _| {
            let day = Day::of(sent_at);
            if !standing.days.answered(day) && standing.no_longer_overdue(day) {
                standing.outcomes = standing.outcomes.saturating_sub(1);
            }
        });
    }

    /// A decline was taken back: the invitation is pending again. What it had counted as when it was declined at `ended_at` is undone; what has
    /// followed from it by then is not.
    pub fn undone(
        &mut self,
        outcome: Outcome,
        (sent_at, ended_at): (Time, Time),
        now: Time,
        terms: &Terms<'_>,
    ) {
        self.step(now, terms, |standing, now| {
            let day = Day::of(sent_at);
            standing.weeks.uncount(Week::of(ended_at), outcome);
            if day <= Day::of(now).minus(terms.policy.unanswered_days()) {
                standing.overdue = standing.overdue.saturating_add(1);
                standing.weeks.count(day.week(), Outcome::Expired, 1);
            } else {
                standing.outcomes = standing.outcomes.saturating_sub(1);
                standing.days.count_waiting(day);
            }
        });
    }

    /// The reason of a decline was strengthened into a report; it was declined at `ended_at`.
    pub fn reported_after_all(&mut self, ended_at: Time, now: Time, terms: &Terms<'_>) {
        self.step(now, terms, |standing, _| {
            let week = Week::of(ended_at);
            standing.weeks.uncount(week, Outcome::Declined);
            standing.weeks.count(week, Outcome::Reported, 1);
        });
    }

    /// Does what time alone has made due by `now`; before a look at the standing.
    pub fn advance(&mut self, now: Time, terms: &Terms<'_>) {
        if terms.policy.mode == Mode::Off {
            self.clock = self.clock.max(now);
        }
        if now <= self.clock {
            return;
        }
        let midnight = Day::of(now).start();
        if self.clock < midnight {
            self.pass(midnight, terms);
            self.figures = Figures::of(&self.weeks.total(), terms.policy);
        }
        self.pass(now, terms);
    }

    /// The standing as it is at a time, for a look that changes nothing.
    pub fn at(&self, now: Time, terms: &Terms<'_>) -> Cow<'_, Self> {
        if now <= self.clock {
            return Cow::Borrowed(self);
        }
        let mut standing = self.clone();
        standing.advance(now, terms);
        Cow::Owned(standing)
    }

    /// How many invitations are pending, as far as they were counted.
    pub fn pending(&self) -> u32 {
        self.days.waiting().saturating_add(self.overdue)
    }

    fn step(&mut self, now: Time, terms: &Terms<'_>, step: impl FnOnce(&mut Self, Time)) {
        self.advance(now, terms);
        if terms.policy.mode == Mode::Off {
            self.forget_all();
            return;
        }
        step(self, self.clock);
        self.forget(terms.policy);
        self.judge(terms);
    }

    /// What was counted before a step that is not counted would be wrong from then on. Only what operators did stays.
    fn forget_all(&mut self) {
        *self = Self {
            clock: self.clock,
            cap: self.cap,
            restriction: self
                .restriction
                .filter(|restriction| restriction.cause == Cause::Operator),
            ..Self::default()
        };
    }

    /// An unanswered invitation is an outcome of the week in which it was sent: so what was answered, which comes sooner, and what was not
    /// leave the weeks that are looked at together. Otherwise whoever stops sending would in the end be judged by silence alone.
    fn conclude(&mut self, outcome: Outcome, sent_at: Time, now: Time) {
        let day = Day::of(sent_at);
        if self.days.answered(day) || !self.no_longer_overdue(day) {
            self.outcomes = self.outcomes.saturating_add(1);
        }
        let week = if outcome == Outcome::Expired {
            day.week()
        } else {
            Week::of(now)
        };
        self.weeks.count(week, outcome, 1);
    }

    /// One that was sent on this day is no longer among those that count as expired; false where there are none of these, so that it was sent
    /// before anything was counted.
    fn no_longer_overdue(&mut self, day: Day) -> bool {
        let Some(overdue) = self.overdue.checked_sub(1) else {
            return false;
        };
        self.overdue = overdue;
        self.weeks.uncount(day.week(), Outcome::Expired);
        true
    }

    /// Lets time pass up to `until`, stopping wherever something falls due.
    fn pass(&mut self, until: Time, terms: &Terms<'_>) {
        while let Some(moment) = self.next_moment(terms.policy).filter(|next| *next <= until) {
            self.clock = moment;
            let overdue = self.days.take_overdue(Day::of(moment), terms.policy);
            for (day, count) in overdue {
                self.overdue = self.overdue.saturating_add(count);
                self.outcomes = self.outcomes.saturating_add(count);
                self.weeks.count(day.week(), Outcome::Expired, count);
            }
            self.forget(terms.policy);
            self.judge(terms);
        }
        self.clock = self.clock.max(until);
    }

    fn forget(&mut self, policy: &StandingPolicy) {
        let today = Day::of(self.clock);
        self.weeks.forget(today.week(), policy);
        self.days.forget(today, policy);
        self.withdrawals.forget(today, policy.churn_days());
        self.notes.forget(today, policy.same_note_days());
    }

    /// The next moment at which time alone may change something. There are only so many while nothing else happens, for at each of them
    /// something is forgotten or comes nearer to it.
    fn next_moment(&self, policy: &StandingPolicy) -> Option<Time> {
        let today = Day::of(self.clock);
        let by_the_day =
            !(self.days.is_empty() && self.withdrawals.is_empty() && self.notes.is_empty());
        let known = self.first_sent.map(|first| first.plus(policy.new_min));
        let (known, over) = match self.grade {
            Grade::New => (known, None),
            Grade::Limited { since } => (known, Some(since.plus(policy.limited_min))),
            Grade::Normal | Grade::Trusted => (None, None),
        };
        let moments = [
            by_the_day.then(|| today.end()),
            (!self.weeks.is_empty()).then(|| today.week().end()),
            known,
            over,
        ];
        let ahead = moments.into_iter().flatten();
        ahead.filter(|moment| *moment > self.clock).min()
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
