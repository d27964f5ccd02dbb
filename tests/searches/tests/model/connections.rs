//! A naive connection-service: what holds between members, its verdicts, and its feed.
//!
//! Deliberately absent: limits of its own. Whether one stands against an acceptance is the sequence's to say.

use std::collections::BTreeMap;

use invitation_service::{
    domain::{
        accept::{Ruling, Verdict},
        pair::{Connection, Facts},
    },
    store::command::{AwaitedVerdict, send::Told},
};
use service_kit::{
    id::{MemberId, PairKey, Side, Sides},
    time::Time,
};
use uuid::Uuid;

use super::{
    command::{Deed, Full},
    system::EPOCH,
};

/// One change in the feed.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Facts(PairKey, Facts),
    Erased(MemberId),
}

/// What connection-service knows.
pub(crate) struct Connections {
    members: Vec<MemberId>,
    position: u64,
    facts: BTreeMap<PairKey, Facts>,
    verdicts: Vec<(Uuid, u32, Verdict)>,
    removals: Vec<(PairKey, Time)>,
    erased: Vec<MemberId>,
    /// What has changed, each with its position.
    pub(crate) feed: Vec<(u64, Change)>,
}

impl Connections {
    /// One that knows of nothing between these members; its feed goes on after a position.
    pub(crate) fn new(members: &[MemberId], position: u64) -> Self {
        Self {
            members: members.to_vec(),
            position,
            facts: BTreeMap::new(),
            verdicts: Vec::new(),
            removals: Vec::new(),
            erased: Vec::new(),
            feed: Vec::new(),
        }
    }

    fn key(&self, a: usize, b: usize) -> Option<PairKey> {
        let key = PairKey::new(&self.members[a], &self.members[b])?;
        let gone = |member: &MemberId| self.erased.contains(member);
        (!gone(key.low()) && !gone(key.high())).then_some(key)
    }

    fn known(&self, key: &PairKey) -> Facts {
        self.facts.get(key).copied().unwrap_or_default()
    }

    fn put(&mut self, key: &PairKey, facts: Facts) {
        if facts == self.known(key) {
            return;
        }
        self.position += 1;
        self.facts.insert(key.clone(), facts);
        self.feed
            .push((self.position, Change::Facts(key.clone(), facts)));
    }

    /// Something passes that concerns nobody here, so that there is a position to follow to.
    pub(crate) fn tick(&mut self) -> u64 {
        self.position += 1;
        self.position
    }

    /// Does what a sequence says.
    pub(crate) fn act(&mut self, deed: Deed, now: Time) {
        let (a, b) = match deed {
            Deed::Erase(who) => return self.erase(who),
            Deed::BlockBriefly(a, b) => {
                self.act(Deed::Block(a, b), now);
                return self.act(Deed::Unblock(a, b), now);
            }
            Deed::Block(a, b) | Deed::Unblock(a, b) | Deed::Remove(a, b) | Deed::Import(a, b) => {
                (a, b)
            }
        };
        let Some(key) = self.key(a, b) else { return };
        let side = key.side_of(&self.members[a]).unwrap();
        let mut facts = self.known(&key);
        match deed {
            Deed::Block(..) => {
                facts.connection = None;
                *facts.blocked_by.get_mut(side) = true;
            }
            Deed::Unblock(..) => *facts.blocked_by.get_mut(side) = false,
            Deed::Remove(..) => {
                facts.connection = None;
                self.removals.push((key.clone(), now));
            }
            Deed::Import(..) if facts.blocked() || facts.connection.is_some() => {}
            Deed::Import(..) => {
                facts.connection = Some(Connection {
                    connect_time: now,
                    invitation_id: None,
                });
            }
            Deed::BlockBriefly(..) | Deed::Erase(_) => {}
        }
        self.put(&key, facts);
    }

    fn erase(&mut self, who: usize) {
        let member = self.members[who].clone();
        if self.erased.contains(&member) {
            return;
        }
        self.facts.retain(|key, _| key.side_of(&member).is_none());
        self.erased.push(member.clone());
        self.position += 1;
        self.feed.push((self.position, Change::Erased(member)));
    }

    /// What it says when asked about a pair.
    pub(crate) fn tell(&self, key: &PairKey) -> Told {
        let gone = |side| self.erased.contains(key.member(side));
        Told {
            epoch: EPOCH,
            position: self.position,
            facts: self.known(key),
            erased: Sides {
                low: gone(Side::Low),
                high: gone(Side::High),
            },
            have_mutual: Some(!self.known(key).blocked() && self.have_mutual(key)),
        }
    }

    fn have_mutual(&self, key: &PairKey) -> bool {
        let knows = |one: &MemberId, other: &MemberId| {
            let key = PairKey::new(one, other);
            key.is_some_and(|key| self.known(&key).connection.is_some())
        };
        let mut others = self.members.iter();
        others.any(|other| knows(key.low(), other) && knows(key.high(), other))
    }

    /// Its verdict on an acceptance, the same whenever it is asked. `full`: whose connections are full, should that decide.
    pub(crate) fn rule(
        &mut self,
        asked: &AwaitedVerdict,
        full: Option<Full>,
        now: Time,
    ) -> (PairKey, Ruling) {
        let key = PairKey::new(&asked.inviter, &asked.invitee).unwrap();
        let (id, acceptance) = (asked.invitation_id, asked.acceptance);
        let given = self
            .verdicts
            .iter()
            .find(|(i, a, _)| (*i, *a) == (id, acceptance));
        let verdict = if let Some((_, _, verdict)) = given {
            *verdict
        } else {
            let verdict = self.decide(asked, &key, full, now);
            self.verdicts.push((id, acceptance, verdict));
            verdict
        };
        let ruling = Ruling {
            invitation_id: id,
            acceptance,
            verdict,
            facts: self.known(&key),
            position: self.position,
        };
        (key, ruling)
    }

    fn decide(
        &mut self,
        asked: &AwaitedVerdict,
        key: &PairKey,
        full: Option<Full>,
        now: Time,
    ) -> Verdict {
        let gone = |member: &MemberId| self.erased.contains(member);
        let facts = self.known(key);
        let removed = self
            .removals
            .iter()
            .any(|(k, time)| k == key && *time >= asked.accept_time);
        let superseded = self.verdicts.iter().any(|(id, acceptance, _)| {
            *id == asked.invitation_id && *acceptance > asked.acceptance
        });
        if gone(key.low()) || gone(key.high()) || facts.blocked() || superseded {
            return Verdict::Overtaken;
        }
        if removed {
            return Verdict::Overtaken;
        }
        if let Some(full) = full {
            let member = match full {
                Full::Inviter => &asked.inviter,
                Full::Invitee => &asked.invitee,
            };
            return Verdict::Refused {
                full: key.side_of(member).unwrap(),
            };
        }
        if facts.connection.is_some() {
            return Verdict::Already;
        }
        let connection = Some(Connection {
            connect_time: now,
            invitation_id: Some(asked.invitation_id),
        });
        self.put(
            key,
            Facts {
                connection,
                ..facts
            },
        );
        Verdict::Created
    }
}
