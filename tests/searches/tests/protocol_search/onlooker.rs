//! An onlooker who sees both services at once: what they remember, and what they demand of each step.
//!
//! The services know nothing of it. What must hold at every moment or at rest is in `promises.rs`.

use connection_service::domain::{ensure, fact::PairFacts};
use invitation_service::domain::invitation::{Happening, State, Transition};
use service_kit::time::Time;
use uuid::Uuid;

use super::world::{Broken, World, any_blocked, any_erased};

/// What an onlooker who sees both services remembers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Memory {
    /// When either last removed, blocked or unblocked the other: what was accepted until then connects nobody.
    pub(crate) parted: Option<Time>,
    /// Since the live invitation was decided, a block, a connection, an erasure or, once it was accepted, a removal came: it may end.
    pub(crate) may_end: bool,
    /// When either last blocked the other: no invitation that was sent before outlives it.
    pub(crate) blocked: Option<Time>,
    /// invitation-service has heard of a block that came after what the live invitation was decided at.
    pub(crate) heard_block: bool,
    /// Somebody's connections were full at some time since the live invitation was accepted: it may be refused.
    pub(crate) may_refuse: bool,
    /// How invitations ended of which something is still on its way.
    pub(crate) fates: Vec<(Uuid, Fate)>,
}

/// How an invitation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Accepted,
    Declined,
    Withdrawn,
    Expired,
    Ended,
}

impl World {
    /// What an onlooker concludes from a new fact.
    pub(crate) fn remember_fact(&mut self) {
        let facts = *self.truth();
        let Some(live) = &self.inviting.pair.live else {
            return;
        };
        let connected = facts
            .connection
            .is_some_and(|connection| connection.invitation != Some(live.invitation.id));
        if any_blocked(&facts) || any_erased(&facts) || connected {
            self.memory.may_end = true;
        }
    }

    pub(crate) fn remember_parting(&mut self) {
        self.memory.parted = Some(self.now);
        if self.awaits_verdict() {
            self.memory.may_end = true;
        }
    }

    /// What an onlooker demands of an acceptance that connects.
    pub(crate) fn may_connect(&self, acceptance: &ensure::Acceptance) -> Result<(), Broken> {
        if self
            .memory
            .parted
            .is_some_and(|parted| parted >= acceptance.accept_time)
        {
            return Err(Broken(
                "what was accepted before a removal or a block connects nobody after it",
            ));
        }
        let fate = self
            .memory
            .fates
            .iter()
            .find(|(id, _)| *id == acceptance.invitation);
        match fate.map(|(_, fate)| fate) {
            Some(Fate::Withdrawn) => Err(Broken("a withdrawn invitation never connects")),
            Some(Fate::Declined) => Err(Broken("a declined invitation never connects")),
            Some(Fate::Expired) => Err(Broken("an expired invitation never connects")),
            Some(Fate::Accepted) => Err(Broken("an invitation connects once")),
            Some(Fate::Ended) | None => Ok(()),
        }
    }

    /// Whether the verdict says what an onlooker saw.
    pub(crate) fn may_give_back(&self, to: State) -> Result<(), Broken> {
        if to == State::Pending && !self.memory.may_refuse {
            return Err(Broken(
                "an acceptance is refused only by a limit that stood against it",
            ));
        }
        Ok(())
    }

    /// What an onlooker thinks of a step.
    pub(crate) fn witness(&mut self, step: &Transition) -> Result<(), Broken> {
        let accepting = step.from == State::Accepting;
        let fate = match step.to {
            State::Pending if accepting => return self.may_give_back(step.to),
            State::Pending => {
                let id = step.invitation.id;
                self.memory.fates.retain(|(ended, _)| *ended != id);
                return Ok(());
            }
            State::Absent | State::Accepting => return Ok(()),
            State::Gone if step.happening == Happening::Forgotten => return Ok(()),
            State::Gone if step.happening == Happening::Ended => {
                if !self.memory.may_end {
                    return Err(Broken("an invitation is ended only by what came after it"));
                }
                Fate::Ended
            }
            State::Accepted { .. } => Fate::Accepted,
            State::Declined => Fate::Declined,
            State::Withdrawn => Fate::Withdrawn,
            State::Gone => Fate::Expired,
        };
        if accepting && !matches!(fate, Fate::Accepted | Fate::Ended) {
            return Err(Broken("nothing but the verdict ends an acceptance"));
        }
        let known = self
            .memory
            .fates
            .iter()
            .any(|(id, _)| *id == step.invitation.id);
        if known {
            return Err(Broken("nothing leaves a final state"));
        }
        self.memory.fates.push((step.invitation.id, fate));
        Ok(())
    }

    /// An invitation became pending in the knowledge of what held at a position: what does an onlooker know to have come after it?
    pub(crate) fn remember_pending(&mut self, position: u64) {
        let known = usize::try_from(position - self.inviting.cursor).unwrap();
        let later = &self.connecting.truth[known + 1..];
        // That somebody was erased, only the feed's event says.
        self.memory.may_end = any_erased(self.truth())
            || later
                .iter()
                .any(|facts| any_blocked(facts) || facts.connection.is_some());
    }

    /// A fact arrives: what does an onlooker expect invitation-service to remember of it?
    pub(crate) fn remember_heard(&mut self, facts: &PairFacts, position: u64) {
        let live = self.inviting.pair.live.as_ref();
        let later = live.is_some_and(|live| position > live.invitation.decided_at);
        self.memory.heard_block |= later && any_blocked(facts);
    }
}
