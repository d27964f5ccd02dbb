//! What holds whatever happens: the counts are those of a plain recount, when somebody looks does not matter, and nothing grows.

use proptest::{prelude::*, sample::Index};
use service_kit::time::{Span, Time};

use super::{
    STANDING_BYTES_MAX,
    calendar::{Day, Week},
    fixture::{Inviter, tag, terms},
    told::Known,
    weeks::{Counts, Outcome},
};

#[derive(Debug, Clone)]
enum Act {
    Pass(Span),
    Send { pair: u32, note: Option<u32> },
    End(Index, Outcome),
    Undo(Index),
    Gone(Index),
}

fn act() -> impl Strategy<Value = Act> {
    let span = prop_oneof![
        4 => (0..36_i64).prop_map(Span::hours),
        1 => (0..40_i64).prop_map(Span::days),
        1 => (0..200_i64).prop_map(Span::days),
    ];
    let outcome = prop::sample::select(&Outcome::ALL[..]);
    prop_oneof![
        4 => span.prop_map(Act::Pass),
        6 => (0..20_u32, prop::option::of(0..2_u32)).prop_map(|(pair, note)| Act::Send { pair, note }),
        4 => (any::<Index>(), outcome).prop_map(|(which, outcome)| Act::End(which, outcome)),
        1 => any::<Index>().prop_map(Act::Undo),
        1 => any::<Index>().prop_map(Act::Gone),
    ]
}

/// An invitation as the recount knows it.
#[derive(Debug, Clone)]
struct Invitation {
    pair: u32,
    sent_at: Time,
    end: Option<(Outcome, Time)>,
    gone: bool,
}

/// An inviter and all that they ever sent.
#[derive(Clone)]
struct World {
    inviter: Inviter,
    invitations: Vec<Invitation>,
}

impl World {
    fn new() -> Self {
        Self {
            inviter: Inviter::new(),
            invitations: Vec::new(),
        }
    }

    fn one_of(&mut self, which: Index, fits: fn(&Invitation) -> bool) -> Option<&mut Invitation> {
        let mut fitting: Vec<_> = self.invitations.iter_mut().filter(|it| fits(it)).collect();
        (!fitting.is_empty()).then(|| fitting.swap_remove(which.index(fitting.len())))
    }

    fn act(&mut self, act: &Act) {
        let now = self.inviter.now;
        match act {
            Act::Pass(span) => self.inviter.pass(*span),
            Act::Send { pair, note } => {
                let sent_at = self.inviter.send_noted(tag(*pair), note.map(tag));
                self.invitations.push(Invitation {
                    pair: *pair,
                    sent_at,
                    end: None,
                    gone: false,
                });
            }
            Act::End(which, outcome) => {
                if let Some(pending) = self.one_of(*which, |it| it.end.is_none() && !it.gone) {
                    pending.end = Some((*outcome, now));
                    let (pair, sent_at) = (pending.pair, pending.sent_at);
                    match outcome {
                        Outcome::Withdrawn => self.inviter.withdraw(tag(pair), sent_at),
                        outcome => self.inviter.end(*outcome, sent_at),
                    }
                }
            }
            Act::Undo(which) => {
                let declined = self.one_of(*which, |it| {
                    matches!(it.end, Some((Outcome::Declined | Outcome::Reported, _)))
                });
                if let Some(declined) = declined
                    && let Some((outcome, at)) = declined.end
                    && at.plus(Span::hours(24)) > now
                {
                    declined.end = None;
                    let sent_at = declined.sent_at;
                    self.inviter.undo(outcome, (sent_at, at));
                }
            }
            Act::Gone(which) => {
                if let Some(pending) = self.one_of(*which, |it| it.end.is_none() && !it.gone) {
                    pending.gone = true;
                    let sent_at = pending.sent_at;
                    self.inviter.gone(sent_at);
                }
            }
        }
    }

    fn known(&self) -> Known {
        let terms = terms(&self.inviter.policy);
        self.inviter.standing.known(self.inviter.now, &terms)
    }

    /// The figures, counted from the invitations.
    fn recount(&self) -> (Counts, u32, u32) {
        let now = self.inviter.now;
        let looked_at = |week: Week| week > Week::of(now).minus(13);
        let mut counts = Counts::default();
        let (mut pending, mut overdue) = (0, 0);
        for invitation in &self.invitations {
            let sent = Day::of(invitation.sent_at);
            if looked_at(sent.week()) {
                counts.sent += 1;
            }
            let late = sent <= Day::of(now).minus(21);
            let end = match invitation.end {
                Some((Outcome::Expired, _)) => Some((Outcome::Expired, sent.week())),
                Some((outcome, at)) => Some((outcome, Week::of(at))),
                None if invitation.gone => None,
                None => {
                    pending += 1;
                    overdue += u32::from(late);
                    late.then_some((Outcome::Expired, sent.week()))
                }
            };
            match end.filter(|(_, week)| looked_at(*week)) {
                Some((Outcome::Accepted, _)) => counts.accepted += 1,
                Some((Outcome::Declined, _)) => counts.declined += 1,
                Some((Outcome::Reported, _)) => counts.reported += 1,
                Some((Outcome::Expired, _)) => counts.expired += 1,
                Some((Outcome::Withdrawn, _)) => counts.withdrawn += 1,
                None => {}
            }
        }
        (counts, pending, overdue)
    }
}

proptest! {
    #[test]
    fn the_counts_are_those_of_a_recount(acts in prop::collection::vec(act(), 1..120)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
            let known = world.known();
            prop_assert_eq!((known.counts, known.pending, known.overdue), world.recount());
        }
    }

    #[test]
    fn it_does_not_matter_when_somebody_looks(
        acts in prop::collection::vec(act(), 1..120),
        hours in 1..30_i64,
    ) {
        let (mut seldom, mut often) = (World::new(), World::new());
        for act in &acts {
            seldom.act(act);
            if let Act::Pass(_) = act {
                let until = seldom.inviter.now;
                while often.inviter.now < until {
                    let later = often.inviter.now.plus(Span::hours(hours)).min(until);
                    often.inviter.now = later;
                    let terms = terms(&often.inviter.policy);
                    often.inviter.standing.advance(later, &terms);
                }
            } else {
                often.act(act);
            }
            prop_assert_eq!(seldom.inviter.look(), often.inviter.look());
        }
    }

    #[test]
    fn nothing_grows_beyond_its_bound(acts in prop::collection::vec(act(), 1..400)) {
        let mut world = World::new();
        for act in &acts {
            world.act(act);
        }
        let bytes = world.inviter.standing.to_bytes().unwrap();
        prop_assert!(bytes.len() <= STANDING_BYTES_MAX);
        prop_assert_eq!(super::Standing::from_bytes(&bytes), Ok(world.inviter.standing));
    }
}
