//! invitation-service's transactions: bring the pair up to date, decide, count.
//!
//! Follows the commands of that service's store, without what they do to lists, events and texts.

use connection_service::domain::ensure;
use invitation_service::domain::{
    accept::{Accepting, Ruling, Verdict},
    decline::Declining,
    erase,
    invitation::{Role, Transition},
    pair::Pair,
    policy::Policy,
    refusal::Refusal,
    send::{Sending, Sent, send},
    withdraw::Withdrawing,
};
use service_kit::id::{Side, Sides};
use std::sync::LazyLock;
use uuid::Uuid;

use super::{
    connecting::full_side,
    rules::Rules,
    world::{Answer, Ask, Broken, World, any_erased, read},
};

/// The numbers of the rules.
static POLICY: LazyLock<Policy> = LazyLock::new(Policy::default);

impl World {
    /// The pair with everything done to it that was due.
    fn open(&mut self, rules: &dyn Rules) -> Result<Pair, Broken> {
        let mut after = self.inviting.pair.clone();
        let steps = rules.review(&mut after, self.now);
        if !steps.is_empty() || after != self.inviting.pair {
            self.settle(after, &steps)?;
        }
        Ok(self.inviting.pair.clone())
    }

    /// Puts a pair after a decision, with what its steps entail.
    fn settle(&mut self, after: Pair, steps: &[Transition]) -> Result<(), Broken> {
        for step in steps {
            self.witness(step)?;
            for role in Role::BOTH {
                let side = match role {
                    Role::Inviter => step.invitation.inviter,
                    Role::Invitee => step.invitation.invitee(),
                };
                self.inviting.members.get_mut(side).count(step, role);
            }
        }
        let was = self.inviting.pair.facts.connection.is_some();
        let is = after.facts.connection.is_some();
        for side in Side::BOTH {
            let member = self.inviting.members.get_mut(side);
            member.connections =
                (member.connections + u32::from(is)).saturating_sub(u32::from(was));
        }
        self.inviting.pair = after;
        if self.inviting.pair.is_empty(self.inviting.cursor) {
            self.inviting.pair = Pair::new(self.inviting.pair.key.clone());
        }
        Ok(())
    }

    /// A send is decided, with or without the answer to its question.
    pub(crate) fn send(
        &mut self,
        rules: &dyn Rules,
        side: Side,
        told: Option<Ask>,
        id: Uuid,
    ) -> Result<(), Broken> {
        let pair = self.open(rules)?;
        let newest = match told {
            Some(told) if told.position > self.known_to() && !any_erased(&told.facts) => {
                (told.position, read(&told.facts))
            }
            _ => (self.known_to(), pair.facts),
        };
        let mut pair = self.listen(rules, pair, told)?;
        let cursor = self.inviting.cursor;
        let Sides { low, high } = &mut self.inviting.members;
        let (inviter, invitee) = match side {
            Side::Low => (low, high),
            Side::High => (high, low),
        };
        let (mut inviter, mut invitee) = (inviter.clone(), invitee.clone());
        if let Some(told) = told {
            inviter.erased |= *told.facts.erased.get(side);
            invitee.erased |= *told.facts.erased.get(side.other());
        }
        let sending = Sending {
            side,
            id,
            withdraw_cooldown_until: None,
            request_id: None,
            have_mutual: None,
            cursor,
            policy: &POLICY,
            now: self.now,
        };
        match send(&mut pair, &mut inviter, &mut invitee, &sending) {
            Err(Refusal::AlreadyConnected) if newest.1.connection.is_none() => Err(Broken(
                "nobody is refused as connected against newer knowledge",
            )),
            Err(_) => Ok(()),
            Ok(Sent::Created(step)) => {
                if newest.1.blocked() || newest.1.connection.is_some() {
                    return Err(Broken(
                        "nobody sends past a block or connection that is known",
                    ));
                }
                self.remember_pending(newest.0);
                self.settle(pair, &[step])
            }
            Ok(Sent::Crossed(Accepting::Started(step))) => self.started(pair, step),
            Ok(Sent::Crossed(_)) => self.settle(pair, &[]),
        }
    }

    /// Takes a live answer, if it has news.
    fn listen(
        &mut self,
        rules: &dyn Rules,
        before: Pair,
        told: Option<Ask>,
    ) -> Result<Pair, Broken> {
        let Some(told) = told.filter(|told| !any_erased(&told.facts)) else {
            return Ok(before);
        };
        if told.position > self.known_to() {
            self.remember_heard(&told.facts, told.position);
        }
        let mut pair = before.clone();
        let cursor = self.inviting.cursor;
        let learned = rules.listen(
            &mut pair,
            read(&told.facts),
            told.position,
            cursor,
            &POLICY,
            self.now,
        );
        if !learned.newer || (pair.facts == before.facts && learned.transitions.is_empty()) {
            let mut unchanged = before;
            unchanged.facts_position = pair.facts_position;
            return Ok(unchanged);
        }
        self.settle(pair, &learned.transitions)?;
        Ok(self.inviting.pair.clone())
    }

    /// An acceptance is stored; from now on it may be asked about.
    fn started(&mut self, pair: Pair, step: Transition) -> Result<(), Broken> {
        let invitation = &step.invitation;
        self.requests.push(ensure::Acceptance {
            invitation: invitation.id,
            number: invitation.acceptances,
            accept_time: self.now,
            acceptor: invitation.invitee(),
        });
        self.memory.may_refuse = self.connecting.full.is_some();
        self.settle(pair, &[step])
    }

    /// The invitee of the live invitation accepts it.
    pub(crate) fn accept(&mut self, rules: &dyn Rules) -> Result<(), Broken> {
        let mut pair = self.open(rules)?;
        let Some((side, id)) = pair
            .live
            .as_ref()
            .map(|live| (live.invitation.invitee(), live.invitation.id))
        else {
            return Ok(());
        };
        match rules.accept(&mut pair, side, &id, &POLICY, self.now) {
            Ok(Accepting::Started(step)) => self.started(pair, step),
            _ => Ok(()),
        }
    }

    /// The invitee of the live invitation declines it.
    pub(crate) fn decline(&mut self, rules: &dyn Rules) -> Result<(), Broken> {
        let mut pair = self.open(rules)?;
        let Some((side, id)) = pair
            .live
            .as_ref()
            .map(|live| (live.invitation.invitee(), live.invitation.id))
        else {
            return Ok(());
        };
        match rules.decline(&mut pair, side, &id, &POLICY, self.now) {
            Ok(Declining::Done(steps)) => self.settle(pair, &steps),
            _ => Ok(()),
        }
    }

    /// The decline of `inviter`'s invitation is taken back.
    pub(crate) fn undo(&mut self, rules: &dyn Rules, inviter: Side) -> Result<(), Broken> {
        let mut pair = self.open(rules)?;
        let Some(invitation) = pair
            .declined
            .get(inviter)
            .as_ref()
            .map(|declined| declined.invitation.clone())
        else {
            return Ok(());
        };
        let id = invitation.id;
        let cursor = self.inviting.cursor;
        match rules.undo(&mut pair, inviter.other(), &id, cursor, self.now) {
            Ok(Declining::Done(steps)) => {
                // What came while it was declined came after it, too.
                self.remember_pending(invitation.decided_at.max(cursor));
                self.settle(pair, &steps)
            }
            _ => Ok(()),
        }
    }

    /// The inviter of the live invitation withdraws it.
    pub(crate) fn withdraw(&mut self, rules: &dyn Rules) -> Result<(), Broken> {
        let mut pair = self.open(rules)?;
        let Some((side, id)) = pair
            .live
            .as_ref()
            .map(|live| (live.invitation.inviter, live.invitation.id))
        else {
            return Ok(());
        };
        match rules.withdraw(&mut pair, side, &id, &POLICY, self.now) {
            Ok(Withdrawing::Done(step)) => self.settle(pair, &[step]),
            _ => Ok(()),
        }
    }

    /// The live invitation's time comes.
    pub(crate) fn lapse(&mut self, rules: &dyn Rules) -> Result<(), Broken> {
        let now = self.now;
        if let Some(live) = &mut self.inviting.pair.live {
            live.invitation.expire_time = now;
        }
        self.open(rules).map(|_| ())
    }

    /// The sweeper looks at the pair.
    pub(crate) fn sweep(&mut self, rules: &dyn Rules) -> Result<(), Broken> {
        self.open(rules).map(|_| ())
    }

    /// A verdict arrives.
    pub(crate) fn hear(&mut self, rules: &dyn Rules, answer: &Answer) -> Result<(), Broken> {
        let mut pair = self.open(rules)?;
        self.remember_heard(&answer.facts, answer.position);
        let acceptance = &answer.acceptance;
        let verdict = match answer.verdict {
            ensure::Verdict::Created { .. } => Verdict::Created,
            ensure::Verdict::Already { .. } => Verdict::Already,
            other => match full_side(other, acceptance.acceptor) {
                Some(full) => Verdict::Refused { full },
                None => Verdict::Overtaken,
            },
        };
        let ruling = Ruling {
            invitation_id: acceptance.invitation,
            acceptance: acceptance.number,
            verdict,
            facts: read(&answer.facts),
            position: answer.position,
        };
        let (_, steps) = rules.rule(&mut pair, &ruling, self.inviting.cursor, &POLICY, self.now);
        self.settle(pair, &steps)
    }

    /// The next event of the feed is folded.
    pub(crate) fn fold(&mut self, rules: &dyn Rules) -> Result<(), Broken> {
        let mut pair = self.open(rules)?;
        let facts = self.connecting.truth[1];
        let position = self.inviting.cursor + 1;
        self.remember_heard(&facts, position);
        let steps = if any_erased(&facts) {
            for side in Side::BOTH {
                self.inviting.members.get_mut(side).erased |= *facts.erased.get(side);
            }
            erase::erase(&mut pair)
        } else {
            let learned = rules.fold(&mut pair, read(&facts), position, &POLICY, self.now);
            learned.transitions
        };
        self.inviting.cursor = position;
        self.connecting.truth.remove(0);
        self.settle(pair, &steps)
    }
}
