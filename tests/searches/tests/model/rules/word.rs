//! What connection-service says, and what it does to invitations.

use invitation_service::domain::{
    accept::{Ruled, Ruling, Verdict},
    member::Preferences,
    pair::Facts,
    standing::Outcome,
};
use service_kit::{
    id::{MemberId, PairKey},
    time::Time,
};

use super::{CountsAs, Crossing, Event, Fate, Invitation, Known, Model, Remembered};
use crate::model::command::Who;

impl Model {
    pub(super) fn facts(&self, a: Who, b: Who) -> Facts {
        let known = self
            .known
            .iter()
            .rev()
            .find(|known| known.between == (a.min(b), a.max(b)));
        known.map(|known| known.facts).unwrap_or_default()
    }

    pub(super) fn known_to(&self, a: Who, b: Who) -> u64 {
        let known = self
            .known
            .iter()
            .rev()
            .find(|known| known.between == (a.min(b), a.max(b)));
        known.map_or(0, |known| known.position).max(self.followed)
    }

    pub(super) fn has_blocked(&self, who: Who, other: Who) -> bool {
        let facts = self.facts(who, other);
        // The members' names are in the order of their numbers.
        if who < other {
            facts.blocked_by.low
        } else {
            facts.blocked_by.high
        }
    }

    /// Hears what holds between two, read at a position: newer than what is known, or nothing.
    pub(super) fn hear(&mut self, (a, b): (Who, Who), facts: &Facts, position: u64, followed: u64) {
        let known = self
            .known
            .iter()
            .rev()
            .find(|known| known.between == (a, b));
        let newer = position > known.map_or(0, |known| known.position).max(followed);
        // A block overtakes whatever was decided before it, also when it was lifted before anybody heard of it here.
        let blocked = facts.blocked_by.low || facts.blocked_by.high;
        if blocked {
            self.history.push(Event::Blocked(a, b, position));
        }
        let mut ended = Vec::new();
        for number in 0..self.invitations.len() {
            let invitation = &mut self.invitations[number];
            let overtaken =
                blocked && invitation.is_between(a, b) && position > invitation.decided_at;
            match invitation.fate {
                Fate::Pending if overtaken => {
                    self.end(number, Fate::Gone);
                    ended.push(number);
                }
                // Its verdict decides, which may already have connected the two since. It is not given back, though.
                Fate::Accepting {
                    since,
                    overtaken: before,
                } => {
                    invitation.fate = Fate::Accepting {
                        since,
                        overtaken: before || overtaken,
                    };
                }
                _ => {}
            }
        }
        if newer {
            self.take((a, b), *facts, position);
        }
        for number in ended {
            self.count_overtaken(number);
        }
    }

    /// Takes what is newer for what holds.
    fn take(&mut self, (a, b): (Who, Who), facts: Facts, position: u64) {
        self.known.push(Known {
            between: (a, b),
            facts,
            position,
        });
        let standing = facts.connection.map(|connection| connection.connect_time);
        if standing.is_some() {
            self.history.push(Event::Connected(a, b));
        }
        for number in 0..self.invitations.len() {
            let invitation = &self.invitations[number];
            if !invitation.is_between(a, b) {
                continue;
            }
            let own = facts
                .connection
                .is_some_and(|c| c.invitation_id == Some(invitation.id));
            match (invitation.fate, standing) {
                (Fate::Accepted { connect_time, .. }, _) if standing != Some(connect_time) => {
                    self.end(number, Fate::Gone);
                }
                (Fate::Pending | Fate::Accepting { .. }, Some(connect_time)) if own => {
                    self.connect(number, connect_time);
                }
                (Fate::Pending, Some(_)) if position > invitation.decided_at => {
                    self.end(number, Fate::Gone);
                    self.count_overtaken(number);
                }
                _ => {}
            }
        }
    }

    /// A change of the feed is followed.
    pub(crate) fn follow(&mut self, position: u64, key: &PairKey, facts: &Facts) {
        let between = (self.number(key.low()), self.number(key.high()));
        self.hear(between, facts, position, position - 1);
        self.followed = position;
        self.expire();
    }

    /// The feed is followed up to here.
    pub(crate) fn followed(&mut self, position: u64) {
        self.followed = self.followed.max(position);
    }

    /// A verdict arrives.
    pub(crate) fn rule(&mut self, key: &PairKey, ruling: &Ruling) -> Ruled {
        let (low, high) = (self.number(key.low()), self.number(key.high()));
        let is_it = |i: &Invitation| i.id == ruling.invitation_id;
        let Some(number) = self.invitations.iter().position(is_it) else {
            self.hear((low, high), &ruling.facts, ruling.position, self.followed);
            return Ruled::NotAwaited;
        };
        let awaits = |i: &Invitation| {
            matches!(i.fate, Fate::Accepting { .. }) && i.acceptances == ruling.acceptance
        };
        let awaited = awaits(&self.invitations[number]);
        self.hear((low, high), &ruling.facts, ruling.position, self.followed);
        let standing = self.facts(low, high).connection;
        let overtaken = matches!(
            self.invitations[number].fate,
            Fate::Accepting {
                overtaken: true,
                ..
            }
        );
        if awaits(&self.invitations[number]) {
            match (ruling.verdict, standing) {
                (Verdict::Created | Verdict::Already, Some(connection)) => {
                    self.connect(number, connection.connect_time);
                }
                (Verdict::Refused { .. }, None) if !overtaken => {
                    self.give_back(number);
                }
                // Removed since, blocked, erased; or connected in another way, which ends an invitation.
                _ => {
                    self.end(number, Fate::Gone);
                    self.count_overtaken(number);
                }
            }
        }
        let ruled = match (self.invitations[number].fate, ruling.verdict) {
            (Fate::Accepted { connect_time, .. }, _) => Ruled::Connected { connect_time },
            _ if !awaited => Ruled::NotAwaited,
            (Fate::Pending, Verdict::Refused { full }) => Ruled::Returned { full },
            _ => Ruled::Gone,
        };
        self.expire();
        ruled
    }

    pub(super) fn connect(&mut self, number: usize, connect_time: Time) {
        let known = self.now;
        self.end(
            number,
            Fate::Accepted {
                connect_time,
                known,
            },
        );
        self.invitations[number].counts_as = CountsAs::Outcome(Outcome::Accepted, known);
    }

    pub(super) fn give_back(&mut self, number: usize) {
        let now = self.now;
        let invitation = &mut self.invitations[number];
        invitation.fate = Fate::Pending;
        invitation.changed[1] = now;
        self.settle_requests(number, None);
    }

    pub(super) fn end(&mut self, number: usize, fate: Fate) {
        let now = self.now;
        let invitation = &mut self.invitations[number];
        let was_accepting = matches!(invitation.fate, Fate::Accepting { .. });
        invitation.fate = fate;
        invitation.changed = [now, now];
        if was_accepting {
            let came_to = match fate {
                Fate::Accepted { connect_time, .. } => Crossing::Connected(connect_time),
                _ => Crossing::Ended,
            };
            self.settle_requests(number, Some(came_to));
        }
    }

    /// A crossing stays remembered with what it came to, and is forgotten when a limit refused it.
    pub(super) fn settle_requests(&mut self, number: usize, came_to: Option<Crossing>) {
        let id = self.invitations[number].id;
        self.requests
            .retain_mut(|request| match &mut request.answer {
                Remembered::Crossing(crossing)
                    if request.invitation == id && *crossing == Crossing::Awaited =>
                {
                    *crossing = came_to.unwrap_or(Crossing::Awaited);
                    came_to.is_some()
                }
                _ => true,
            });
    }

    /// A member was erased, here too.
    pub(crate) fn erase(&mut self, member: &MemberId) {
        let who = self.number(member);
        for number in 0..self.invitations.len() {
            let invitation = &self.invitations[number];
            if [invitation.from, invitation.to].contains(&who) {
                if invitation.is_live() {
                    let counts_as = CountsAs::Outcome(Outcome::Declined, self.now);
                    self.invitations[number].counts_as = counts_as;
                }
                self.end(number, Fate::Gone);
            }
        }
        self.charges.retain(|(charged, _)| *charged != who);
        self.probes.retain(|(probing, _)| *probing != who);
        self.requests.retain(|request| request.from != who);
        self.bars.retain(|bar| bar.by != who && bar.against != who);
        self.known
            .retain(|known| known.between.0 != who && known.between.1 != who);
        self.preferences[who] = Preferences::default();
        self.limits[who] = self.policy.basic();
        self.erased.push(who);
    }

    /// Which of the members this is.
    pub(super) fn number(&self, member: &MemberId) -> Who {
        self.members.iter().position(|m| m == member).unwrap()
    }
}
