//! One member's life as an inviter: what they send, what becomes of it, and how they are regarded meanwhile.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use invitation_service::domain::{
    plan::Limits,
    standing::{Flags, Level, Outcome, Standing, StandingPolicy, Tag, Terms},
    window::RollingLog,
};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use service_kit::time::{Span, Time};

use super::kind::{Kind, Notes, Silence};

/// The plan of everybody: it is the standing that limits.
const PLAN: Limits = Limits {
    weekly_cap: 200,
    pending_sent_max: 3_000,
    pending_received_soft_max: 10_000,
};

const WEEK: Span = Span::days(7);
const LIFETIME: Span = Span::days(180);

/// 17 November 2025, 00:00 UTC.
const START: Time = Time::from_millis(1_763_337_600_000);

/// Whoever answers does so after so many days on average, whenever they next look.
const ANSWER_DAYS: f64 = 3.0;

/// What became of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Life {
    /// How many invitations they sent.
    pub(crate) sent: u32,
    /// How many of these were reported.
    pub(crate) reported: u32,
    /// After how many they were first LIMITED or restricted.
    pub(crate) limited_after: Option<u32>,
    /// After how many they were first restricted.
    pub(crate) restricted_after: Option<u32>,
    /// Flags that were ever up.
    pub(crate) flags: Flags,
    /// Whether they were ever TRUSTED.
    pub(crate) trusted: bool,
    /// The most bytes that their standing took.
    pub(crate) bytes_max: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Wish,
    Answer(usize, Answer),
    Withdraw(usize),
    Expire(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Accept,
    Decline,
    Report,
}

struct Invitation {
    to: u32,
    sent_at: Time,
    pending: bool,
}

struct Member<'a> {
    kind: &'a Kind,
    terms: Terms<'a>,
    random: SmallRng,
    /// The member's own numbers.
    a_week: f64,
    accept: f64,
    same_note: bool,
    standing: Standing,
    charges: RollingLog,
    invitations: Vec<Invitation>,
    again: Vec<u32>,
    met: u32,
    events: BinaryHeap<Reverse<(Time, Event)>>,
    born: Time,
    life: Life,
}

/// The life of the member of this number.
pub(crate) fn live(
    kind: &Kind,
    policy: &StandingPolicy,
    seed: u64,
    number: u32,
    span: Span,
) -> anyhow::Result<Life> {
    let mut random = SmallRng::seed_from_u64(seed ^ (u64::from(number) << 32) ^ of(kind.name));
    let terms = Terms {
        policy,
        pending_sent_max: PLAN.pending_sent_max,
    };
    let own = |random: &mut SmallRng, (low, high): (f64, f64)| random.random_range(low..=high);
    let born = START.plus(Span::millis(random.random_range(0..WEEK.as_millis())));
    let mut member = Member {
        kind,
        terms,
        a_week: own(&mut random, kind.a_week),
        accept: own(&mut random, kind.accept),
        same_note: match kind.notes {
            Notes::Same => true,
            Notes::SameOf(percent) => random.random_bool(percent / 100.0),
            Notes::None | Notes::Own(_) => false,
        },
        random,
        standing: Standing::default(),
        charges: RollingLog::default(),
        invitations: Vec::new(),
        again: Vec::new(),
        met: 0,
        events: BinaryHeap::new(),
        born,
        life: Life::default(),
    };
    member.wish_again(born)?;
    while let Some(Reverse((now, event))) = member.events.pop() {
        if now > born.plus(span) {
            break;
        }
        member.standing.advance(now, &member.terms);
        member.look();
        member.meet(now, event)?;
        member.look();
    }
    Ok(member.life)
}

/// A number for a name, the same in each run.
fn of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

fn tag(number: u32) -> Tag {
    let mut hash = [0; 16];
    for (to, from) in hash.iter_mut().zip(number.to_be_bytes()) {
        *to = from;
    }
    Tag::of(&hash)
}

impl Member<'_> {
    fn meet(&mut self, now: Time, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Wish => {
                self.wish_again(now)?;
                self.send(now)?;
            }
            Event::Answer(number, answer) => {
                if let Some(sent_at) = self.end(number) {
                    let outcome = match answer {
                        Answer::Accept => Outcome::Accepted,
                        Answer::Decline => Outcome::Declined,
                        Answer::Report => Outcome::Reported,
                    };
                    self.life.reported += u32::from(answer == Answer::Report);
                    self.standing.ended(outcome, sent_at, now, &self.terms);
                }
            }
            Event::Withdraw(number) => {
                let to = self.invitations.get(number).map_or(0, |it| it.to);
                if let Some(sent_at) = self.end(number) {
                    self.standing.withdrawn(tag(to), sent_at, now, &self.terms);
                    if let Silence::WithdrawAndResend(_) = self.kind.silence {
                        self.again.push(to);
                    }
                }
            }
            Event::Expire(number) => {
                if let Some(sent_at) = self.end(number) {
                    self.standing
                        .ended(Outcome::Expired, sent_at, now, &self.terms);
                }
            }
        }
        Ok(())
    }

    /// Ends a pending invitation; when it was sent.
    fn end(&mut self, number: usize) -> Option<Time> {
        let invitation = self.invitations.get_mut(number)?;
        std::mem::take(&mut invitation.pending).then_some(invitation.sent_at)
    }

    /// Sends, if the limits in force allow it.
    fn send(&mut self, now: Time) -> anyhow::Result<()> {
        let limits = self.standing.limits(PLAN, self.terms.policy);
        let full = self.charges.count(now, WEEK) >= limits.weekly_cap
            || self.standing.pending() >= limits.pending_sent_max;
        if full {
            return Ok(());
        }
        let to = self.again.pop().unwrap_or_else(|| {
            self.met += 1;
            self.met
        });
        let note = self.note(to);
        self.charges.record(now, WEEK);
        self.standing.sent(tag(to), note, now, &self.terms);
        self.life.sent += 1;
        let bytes = self.standing.to_bytes()?.len();
        self.life.bytes_max = self.life.bytes_max.max(bytes);
        let number = self.invitations.len();
        self.invitations.push(Invitation {
            to,
            sent_at: now,
            pending: true,
        });
        if let Some(answer) = self.answer() {
            let later = self.wait(ANSWER_DAYS)?;
            self.at(now.plus(later), Event::Answer(number, answer));
        }
        match self.kind.silence {
            Silence::Wait => {}
            Silence::Withdraw(days) | Silence::WithdrawAndResend(days) => {
                self.at(now.plus(Span::days(days)), Event::Withdraw(number));
            }
        }
        self.at(now.plus(LIFETIME), Event::Expire(number));
        Ok(())
    }

    /// The note to a member; one of its own is told apart by whom it is for.
    fn note(&mut self, to: u32) -> Option<Tag> {
        let own = match self.kind.notes {
            Notes::None => false,
            Notes::Own(percent) => self.random.random_bool(percent / 100.0),
            Notes::Same | Notes::SameOf(_) => true,
        };
        if self.same_note {
            return Some(tag(0));
        }
        own.then(|| tag(to))
    }

    /// How the invitee will answer, if at all.
    fn answer(&mut self) -> Option<Answer> {
        let drawn = self.random.random_range(0.0..100.0);
        let (accept, decline) = (self.accept, self.accept + self.kind.decline);
        if drawn < accept {
            Some(Answer::Accept)
        } else if drawn < decline {
            Some(Answer::Decline)
        } else {
            (drawn < decline + self.kind.report).then_some(Answer::Report)
        }
    }

    fn wish_again(&mut self, now: Time) -> anyhow::Result<()> {
        let a_week = match self.kind.at_first {
            Some((a_week, weeks)) if now < self.born.plus(Span::days(7 * i64::from(weeks))) => {
                a_week
            }
            _ => self.a_week,
        };
        let later = self.wait(7.0 / a_week)?;
        self.at(now.plus(later), Event::Wish);
        Ok(())
    }

    fn at(&mut self, time: Time, event: Event) {
        self.events.push(Reverse((time, event)));
    }

    /// A wait of so many days on average, of which nothing is known while it lasts.
    fn wait(&mut self, days: f64) -> anyhow::Result<Span> {
        let drawn = 1.0 - self.random.random_range(0.0..1.0_f64);
        let seconds = -drawn.ln() * days * 86_400.0;
        let millis = Duration::try_from_secs_f64(seconds)?.as_millis();
        Ok(Span::millis(i64::try_from(millis)?))
    }

    /// Notes how the member is regarded now.
    fn look(&mut self) {
        let level = self.standing.level(self.terms.policy);
        let life = &mut self.life;
        match level {
            Level::Restricted => {
                life.limited_after.get_or_insert(life.sent);
                life.restricted_after.get_or_insert(life.sent);
            }
            Level::Limited => {
                life.limited_after.get_or_insert(life.sent);
            }
            Level::Trusted => life.trusted = true,
            Level::New | Level::Normal => {}
        }
        life.flags = life
            .flags
            .iter()
            .chain(self.standing.flags().iter())
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::KINDS;

    #[test]
    fn a_seed_settles_a_life_and_another_seed_another() {
        let policy = StandingPolicy::default();
        let year = Span::days(360);
        for kind in &KINDS {
            let life = |seed| live(kind, &policy, seed, 3, year).unwrap();
            assert_eq!(life(1), life(1), "{}", kind.name);
            assert!((1..10).any(|seed| life(seed) != life(0)), "{}", kind.name);
        }
    }

    #[test]
    fn nobody_sends_more_than_the_caps_allow() {
        let policy = StandingPolicy::default();
        let blasting = KINDS.iter().find(|kind| kind.name == "blasting").unwrap();
        for number in 0..20 {
            let life = live(blasting, &policy, 1, number, Span::days(28)).unwrap();
            // NEW for the four weeks, at most.
            assert!((50..=200).contains(&life.sent), "{life:?}");
        }
    }
}
