//! What follows from what became of a member's invitations: the grade, the flags, strikes and their restrictions.
//!
//! Runs after every step and wherever time alone changes something. Deliberately absent: operators' acts (`acts.rs`), and what a grade allows
//! (`limits.rs`).

use service_kit::time::Time;

use super::{
    Flag, Flags, Grade, Restriction, Standing, Strikes, Terms,
    calendar::Day,
    level::Cause,
    policy::StandingPolicy,
    weeks::{Counts, Rate},
};

impl Standing {
    pub(super) fn judge(&mut self, terms: &Terms<'_>) {
        let counts = self.weeks.total();
        let rate = counts.rate(terms.policy);
        self.grade = self.next_grade(&counts, rate, terms.policy);
        self.signs = self.signs_now(rate, terms);
        self.cleared = self.cleared.both(self.signs);
        self.strike(rate, terms.policy);
    }

    /// The flags that are up.
    pub fn flags(&self) -> Flags {
        self.signs.without(self.cleared)
    }

    fn next_grade(&self, counts: &Counts, rate: Option<Rate>, policy: &StandingPolicy) -> Grade {
        // Whoever has sent nothing for so long that nothing is left to judge by is as everybody.
        let unknown = counts.outcomes() == 0;
        let eased = match self.grade {
            Grade::New if self.is_known(policy) => Grade::Normal,
            Grade::Trusted
                if unknown
                    || rate.is_some_and(|rate| rate.is_below(policy.trusted_below_percent)) =>
            {
                Grade::Normal
            }
            Grade::Limited { since } if self.clock >= since.plus(policy.limited_min) => {
                let back = if self.is_known(policy) {
                    Grade::Normal
                } else {
                    Grade::New
                };
                // Not so low that it would begin anew at once.
                let border = policy.limited_until_above_percent;
                let border = border.max(policy.limited_below_percent(back));
                let recovered = rate.is_some_and(|rate| rate.is_above(border));
                if recovered || unknown {
                    back
                } else {
                    self.grade
                }
            }
            grade => grade,
        };
        let Some(rate) = rate else {
            return eased;
        };
        match eased {
            Grade::New | Grade::Normal | Grade::Trusted
                if rate.is_below(policy.limited_below_percent(eased)) =>
            {
                Grade::Limited { since: self.clock }
            }
            Grade::Normal
                if !rate.is_below(policy.trusted_from_percent)
                    && counts.outcomes() >= policy.trusted_outcomes_min =>
            {
                Grade::Trusted
            }
            grade => grade,
        }
    }

    /// Whether the member has sent for long enough not to be NEW.
    fn is_known(&self, policy: &StandingPolicy) -> bool {
        let long = |first: Time| self.clock >= first.plus(policy.new_min);
        self.outcomes >= policy.new_outcomes_min && self.first_sent.is_some_and(long)
    }

    fn signs_now(&self, rate: Option<Rate>, terms: &Terms<'_>) -> Flags {
        let policy = terms.policy;
        let low = rate.is_some_and(|rate| rate.is_below(policy.limited_below_percent));
        let (sent, withdrawn) = self.days.churn(Day::of(self.clock), policy);
        let most = sent >= policy.churn_sent_min
            && is_share(withdrawn, sent, policy.churn_above_percent, u64::gt);
        let churn = most || self.withdrawals.most_rounds() >= policy.churn_rounds;
        let same = self.notes.most_members() >= policy.same_note_members;
        let cap = policy
            .pending_sent_max(self.grade)
            .min(terms.pending_sent_max);
        let unanswered = self.overdue >= policy.unanswered_max
            || is_share(self.pending(), cap, policy.unanswered_percent, u64::ge);
        [
            (Flag::LowAcceptance, low),
            (Flag::WithdrawalChurn, churn),
            (Flag::SameNote, same),
            (Flag::TooManyUnanswered, unanswered),
        ]
        .into_iter()
        .filter_map(|(flag, up)| up.then_some(flag))
        .collect()
    }

    fn strike(&mut self, rate: Option<Rate>, policy: &StandingPolicy) {
        let Some(flag) = self.offence(rate, policy) else {
            return;
        };
        let before = self.strikes;
        let fresh = before.is_none_or(|strikes| {
            self.outcomes.saturating_sub(strikes.outcomes) >= policy.strike_outcomes
        });
        if !fresh {
            return;
        }
        let count = self.strikes_remembered(policy).saturating_add(1);
        self.strikes = Some(Strikes {
            count,
            last: self.clock,
            outcomes: self.outcomes,
        });
        let until = self.clock.plus(policy.restricts_for(count));
        // A strike makes no restriction shorter.
        if self
            .restriction
            .is_none_or(|restriction| restriction.until < until)
        {
            self.restriction = Some(Restriction {
                until,
                cause: Cause::Strike(flag),
            });
        }
    }

    /// How many strikes count now.
    pub fn strikes_remembered(&self, policy: &StandingPolicy) -> u8 {
        self.strikes
            .filter(|strikes| self.clock < strikes.last.plus(policy.strike_forgotten_after))
            .map_or(0, |strikes| strikes.count)
    }

    /// For which flag a strike is due, if one is.
    fn offence(&self, rate: Option<Rate>, policy: &StandingPolicy) -> Option<Flag> {
        if rate.is_some_and(|rate| rate.is_below(policy.strike_below_percent)) {
            return Some(Flag::LowAcceptance);
        }
        let Grade::Limited { .. } = self.grade else {
            return None;
        };
        // LIMITED stands for the first flag, low acceptance; any other is the second.
        self.flags()
            .iter()
            .find(|flag| *flag != Flag::LowAcceptance)
    }
}

/// Whether `part` of `whole` stands so to `percent` of it.
fn is_share(part: u32, whole: u32, percent: u32, stands: fn(&u64, &u64) -> bool) -> bool {
    let part = u64::from(part).saturating_mul(100);
    let share = u64::from(whole).saturating_mul(u64::from(percent));
    stands(&part, &share)
}
