//! An inviter whose standing the tests watch.

use service_kit::time::{Span, Time};

use super::{Flag, Level, Outcome, Standing, StandingPolicy, Tag, Terms};

/// A Monday, 00:00 UTC.
pub(super) const START: Time = Time::from_millis(1_763_337_600_000);

/// What the plan allows.
const PENDING_SENT_MAX: u32 = 3_000;

/// An inviter at a time.
#[derive(Clone)]
pub(super) struct Inviter {
    pub(super) standing: Standing,
    pub(super) policy: StandingPolicy,
    pub(super) now: Time,
    /// For a pair that there was not before.
    pairs: u32,
}

/// A tag of its own for each number.
pub(super) fn tag(number: u32) -> Tag {
    let mut hash = [0; 16];
    hash[..4].copy_from_slice(&number.to_be_bytes());
    Tag::of(&hash)
}

impl Inviter {
    /// One who has never sent, on a Monday at nine.
    pub(super) fn new() -> Self {
        Self {
            standing: Standing::default(),
            policy: StandingPolicy::default(),
            now: START.plus(Span::hours(9)),
            pairs: 0,
        }
    }

    /// One who has sent for long enough, without an outcome in the weeks that are looked at.
    pub(super) fn known() -> Self {
        let mut inviter = Self::new();
        inviter.sends_ending(20, Outcome::Accepted);
        inviter.pass(Span::days(100));
        assert_eq!(inviter.level(), Level::Normal);
        inviter
    }

    /// Lets time pass, without a look.
    pub(super) fn pass(&mut self, span: Span) {
        self.now = self.now.plus(span);
    }

    /// Sends to somebody new; when.
    pub(super) fn send(&mut self) -> Time {
        self.pairs += 1;
        self.send_noted(tag(u32::MAX - self.pairs), None)
    }

    /// Sends so many to new members; when each was.
    pub(super) fn sends(&mut self, count: usize) -> Vec<Time> {
        (0..count).map(|_| self.send()).collect()
    }

    pub(super) fn send_noted(&mut self, pair: Tag, note: Option<Tag>) -> Time {
        let terms = terms(&self.policy);
        self.standing.sent(pair, note, self.now, &terms);
        self.now
    }

    pub(super) fn end(&mut self, outcome: Outcome, sent_at: Time) {
        if outcome == Outcome::Withdrawn {
            self.pairs += 1;
            return self.withdraw(tag(u32::MAX - self.pairs), sent_at);
        }
        let terms = terms(&self.policy);
        self.standing.ended(outcome, sent_at, self.now, &terms);
    }

    pub(super) fn withdraw(&mut self, pair: Tag, sent_at: Time) {
        let terms = terms(&self.policy);
        self.standing.withdrawn(pair, sent_at, self.now, &terms);
    }

    pub(super) fn gone(&mut self, sent_at: Time) {
        let terms = terms(&self.policy);
        self.standing.gone(sent_at, self.now, &terms);
    }

    pub(super) fn undo(&mut self, outcome: Outcome, times: (Time, Time)) {
        let terms = terms(&self.policy);
        self.standing.undone(outcome, times, self.now, &terms);
    }

    /// Sends so many that are answered so at once.
    pub(super) fn sends_ending(&mut self, count: usize, outcome: Outcome) {
        for _ in 0..count {
            let sent = self.send();
            self.end(outcome, sent);
        }
    }

    /// The standing now.
    pub(super) fn look(&self) -> Standing {
        let standing = self.standing.at(self.now, &terms(&self.policy));
        standing.into_owned()
    }

    pub(super) fn level(&self) -> Level {
        self.look().level(&self.policy)
    }

    pub(super) fn flags(&self) -> Vec<Flag> {
        self.look().flags().iter().collect()
    }

    /// How long from now the member is restricted.
    pub(super) fn restricted_for(&self) -> Option<Span> {
        let restriction = self.look().restriction(&self.policy)?;
        Some(restriction.until.since(self.now))
    }
}

pub(super) fn terms(policy: &StandingPolicy) -> Terms<'_> {
    Terms {
        policy,
        pending_sent_max: PENDING_SENT_MAX,
    }
}
