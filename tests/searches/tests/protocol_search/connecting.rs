//! connection-service's transactions: decide on the pair, count, append to the feed.
//!
//! Deliberately absent: limits on blocks and marks, and retention: nothing grows so large or so old in a search.

use connection_service::domain::{
    block,
    ensure::{self, StoredVerdict, Verdict},
    erase,
    fact::{PairEvent, PairFacts},
    member::{Member, Party, recount},
    policy::Policy,
};
use service_kit::id::{Side, Sides};
use std::sync::LazyLock;

use super::{
    rules::{Decision, Rules},
    world::{Answer, Broken, World},
};

/// The numbers of the rules.
static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

impl World {
    fn parties(&self) -> Sides<Party> {
        let party = |side| {
            if *self.connecting.erased.get(side) {
                return Party::Erased;
            }
            let member = *self.connecting.members.get(side);
            let others = if self.connecting.full == Some(side) {
                POLICY.connections_max
            } else {
                0
            };
            Party::Present(Member {
                connections: member.connections + others,
                ..member
            })
        };
        Sides {
            low: party(Side::Low),
            high: party(Side::High),
        }
    }

    /// A member acts on the other: the pair after the decision, its counters and its fact are written together.
    fn act(
        &mut self,
        decide: impl FnOnce(&mut connection_service::domain::pair::Pair, &Sides<Party>) -> Decision,
    ) -> Result<Option<PairEvent>, Broken> {
        let before = self.connecting.pair;
        let parties = self.parties();
        let Ok(event) = decide(&mut self.connecting.pair, &parties) else {
            return Ok(None);
        };
        self.write(&before, event)?;
        Ok(event)
    }

    fn write(
        &mut self,
        before: &connection_service::domain::pair::Pair,
        event: Option<PairEvent>,
    ) -> Result<(), Broken> {
        let after = self.connecting.pair;
        recount(before, &after, &mut self.connecting.members)
            .map_err(|_| Broken("connection-service's counters agree with its pairs"))?;
        if event.is_some() {
            let erased = self.connecting.erased;
            self.connecting.truth.push(PairFacts::of(&after, erased));
            self.remember_fact();
        }
        Ok(())
    }

    /// `side` removes the other.
    pub(crate) fn remove(&mut self, rules: &dyn Rules, side: Side) -> Result<(), Broken> {
        let now = self.now;
        self.act(|pair, parties| rules.remove(pair, parties, side, now))?;
        self.remember_parting();
        Ok(())
    }

    /// `side` blocks the other.
    pub(crate) fn block(&mut self, side: Side) -> Result<(), Broken> {
        let now = self.now;
        let event = self.act(|pair, parties| block::block(pair, parties, side, &POLICY, now))?;
        if event.is_some() {
            self.memory.blocked = Some(now);
            self.remember_parting();
        }
        Ok(())
    }

    /// `side` lifts its block.
    pub(crate) fn unblock(&mut self, rules: &dyn Rules, side: Side) -> Result<(), Broken> {
        let now = self.now;
        let event = self.act(|pair, parties| rules.unblock(pair, parties, side, now))?;
        if event.is_some() {
            self.remember_parting();
        }
        Ok(())
    }

    /// `side` is erased.
    pub(crate) fn erase(&mut self, side: Side) -> Result<(), Broken> {
        let before = self.connecting.pair;
        *self.connecting.erased.get_mut(side) = true;
        let severed = erase::sever(&mut self.connecting.pair);
        // The erasure's own fact, and after it the end of the connection.
        self.write(&before, Some(PairEvent::Severed))?;
        if severed.is_some() {
            let facts = *self.truth();
            self.connecting.truth.push(facts);
        }
        *self.connecting.members.get_mut(side) = Member::default();
        Ok(())
    }

    /// A request to connect arrives. Its answer sets out on its way.
    pub(crate) fn answer(
        &mut self,
        rules: &dyn Rules,
        acceptance: &ensure::Acceptance,
    ) -> Result<Answer, Broken> {
        let before = self.connecting.pair;
        let parties = self.parties();
        let stored = self
            .connecting
            .verdicts
            .iter()
            .position(|(id, _)| *id == acceptance.invitation);
        let ruling = rules.ensure(
            stored.map(|index| &self.connecting.verdicts[index].1),
            &mut self.connecting.pair,
            &parties,
            acceptance,
            &POLICY,
            self.now,
        );
        let (verdict, new) = match ruling {
            ensure::Ruling::Repeated(verdict) => (verdict, false),
            ensure::Ruling::New(verdict) => (verdict, true),
        };
        if new {
            let connected =
                before.connection.is_none() && self.connecting.pair.connection.is_some();
            if connected {
                self.may_connect(acceptance)?;
            }
            self.write(&before, connected.then_some(PairEvent::Connected))?;
            let verdict = StoredVerdict {
                number: acceptance.number,
                verdict,
                position: self.head(),
                decide_time: self.now,
            };
            match stored {
                Some(index) => self.connecting.verdicts[index].1 = verdict,
                None => self
                    .connecting
                    .verdicts
                    .push((acceptance.invitation, verdict)),
            }
        }
        Ok(Answer {
            acceptance: *acceptance,
            verdict,
            facts: *self.truth(),
            position: self.head(),
        })
    }
}

/// Whether connection-service's verdict is a refusal by a limit.
pub(crate) fn full_side(verdict: Verdict, acceptor: Side) -> Option<Side> {
    match verdict {
        Verdict::Refused(ensure::Full::Acceptor) => Some(acceptor),
        Verdict::Refused(ensure::Full::Inviter) => Some(acceptor.other()),
        _ => None,
    }
}
