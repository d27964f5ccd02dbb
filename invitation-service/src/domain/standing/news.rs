//! What has changed of a standing, for figures that name nobody.
//!
//! Deliberately absent: counting it.

use super::{Flag, Flags, Grade, Standing};

/// A change that operators count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum News {
    /// The member is NORMAL again, or not NEW any more.
    Normal,
    /// TRUSTED.
    Trusted,
    /// LIMITED.
    Limited,
    /// A strike, which restricts.
    Strike,
    /// A flag has come up.
    Flagged(Flag),
}

impl Standing {
    /// What has changed since the standing was like this.
    pub fn news(&self, before: &Self) -> impl Iterator<Item = News> + use<> {
        let level = match (before.grade, self.grade) {
            (Grade::Normal, Grade::Normal)
            | (Grade::Trusted, Grade::Trusted)
            | (Grade::Limited { .. }, Grade::Limited { .. })
            | (_, Grade::New) => None,
            (_, Grade::Normal) => Some(News::Normal),
            (_, Grade::Trusted) => Some(News::Trusted),
            (_, Grade::Limited { .. }) => Some(News::Limited),
        };
        let last = |standing: &Self| {
            standing
                .strikes
                .map(|strikes| (strikes.count, strikes.last))
        };
        let strike = self.strikes.is_some() && last(self) != last(before);
        let flags: Flags = self.flags().without(before.flags());
        let flags = flags.iter().map(News::Flagged).collect::<Vec<_>>();
        level
            .into_iter()
            .chain(strike.then_some(News::Strike))
            .chain(flags)
    }
}

#[cfg(test)]
mod tests {
    use service_kit::time::Span;

    use super::{
        super::{Outcome, fixture::Inviter},
        *,
    };

    fn news(before: &Standing, inviter: &Inviter) -> Vec<News> {
        inviter.standing.news(before).collect()
    }

    #[test]
    fn every_change_is_told_once() {
        let mut inviter = Inviter::known();
        let before = inviter.look();
        inviter.sends_ending(3, Outcome::Accepted);
        inviter.sends_ending(17, Outcome::Declined);
        assert_eq!(
            news(&before, &inviter),
            [News::Limited, News::Flagged(Flag::LowAcceptance)]
        );
        let before = inviter.standing.clone();
        inviter.sends_ending(1, Outcome::Declined);
        assert_eq!(news(&before, &inviter), []);
        inviter.sends_ending(20, Outcome::Reported);
        assert_eq!(news(&before, &inviter), [News::Strike]);
        let before = inviter.standing.clone();
        inviter.standing.lift_restriction();
        inviter.standing.clear_flags();
        assert_eq!(news(&before, &inviter), [], "an operator did it");
    }

    #[test]
    fn better_times_are_told_too() {
        let mut inviter = Inviter::new();
        let before = inviter.standing.clone();
        inviter.sends_ending(60, Outcome::Accepted);
        inviter.pass(Span::days(30));
        inviter.sends_ending(1, Outcome::Accepted);
        assert_eq!(news(&before, &inviter), [News::Trusted]);
        let before = inviter.standing.clone();
        inviter.pass(Span::days(200));
        inviter.send();
        assert_eq!(news(&before, &inviter), [News::Normal]);
        assert_eq!(news(&inviter.standing, &inviter), []);
    }
}
