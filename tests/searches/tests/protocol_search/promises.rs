//! What holds at every moment, and what holds once everything has come to rest.
//!
//! What a single step must not do is checked where the step is taken (`inviting.rs`, `connecting.rs`).

use connection_service::domain::member::Member as ConnectionMember;
use invitation_service::domain::{
    invitation::{Happening, State, Transition},
    member::Member,
};
use service_kit::id::{Side, Sides};

use super::{
    rules::Rules,
    steps::Step,
    world::{Broken, World, any_blocked, any_erased, read},
};

/// How often everything that is due may have to be done again before nothing is left to do.
const ROUNDS_MAX: u32 = 4;

impl World {
    /// What holds at every moment.
    pub(crate) fn check_always(&self) -> Result<(), Broken> {
        let demand = |kept, promise| if kept { Ok(()) } else { Err(Broken(promise)) };
        let pair = &self.connecting.pair;
        demand(
            pair.connection.is_none() || !pair.is_blocked(),
            "nobody is connected past a block",
        )?;
        demand(
            self.counts_agree(),
            "invitation-service's counters agree with a recount",
        )?;
        demand(
            self.connecting_counts_agree(),
            "connection-service's counters agree with a recount",
        )?;
        Ok(())
    }

    /// What holds of the copy at every moment, though no member would notice.
    pub(crate) fn check_copy(&self) -> Result<(), Broken> {
        let known = self.truth_at(self.known_to());
        if any_erased(known) || self.inviting.pair.facts == read(known) {
            return Ok(());
        }
        Err(Broken("the copy is what held at the position it names"))
    }

    fn counts_agree(&self) -> bool {
        let pair = &self.inviting.pair;
        Side::BOTH.into_iter().all(|side| {
            let member = self.inviting.members.get(side);
            let mut recounted = Member::new(member.id.clone());
            recounted.connections = u32::from(pair.facts.connection.is_some());
            if let Some(live) = &pair.live {
                let step = Transition {
                    invitation: live.invitation.clone(),
                    from: State::Absent,
                    to: live.state(),
                    happening: Happening::Sent,
                };
                let role = live.invitation.role(side);
                recounted.count(&step, role);
            }
            let of = |member: &Member| {
                (
                    member.sent_pending,
                    member.received_pending,
                    member.received_unseen,
                    member.filtered_pending,
                    member.connections,
                )
            };
            of(member) == of(&recounted)
        })
    }

    fn connecting_counts_agree(&self) -> bool {
        let pair = &self.connecting.pair;
        Side::BOTH.into_iter().all(|side| {
            let recounted = ConnectionMember {
                connections: u32::from(pair.connection.is_some()),
                blocks: u32::from(pair.blocked.get(side).is_some()),
                removal_marks: u32::from(pair.removed.get(side).is_some()),
                last_fact: 0,
            };
            *self.connecting.members.get(side) == recounted
        })
    }

    /// What holds once every message that is left has been lost or delivered, every worker is done and the feed is folded.
    pub(crate) fn check_at_rest(&self, rules: &dyn Rules) -> Result<(), Broken> {
        if self.is_at_rest() {
            return self.check_rest();
        }
        let mut world = self.clone();
        world.asks = Sides::default();
        world.answers.clear();
        for _ in 0..ROUNDS_MAX {
            while world.connecting.truth.len() > 1 {
                world.take(rules, Step::Fold)?;
            }
            if world.is_overdue() {
                world.take(rules, Step::Sweep)?;
            }
            let awaited = world
                .requests
                .iter()
                .position(|request| world.is_awaited(request));
            if let Some(index) = awaited {
                let index = u8::try_from(index).unwrap();
                world.take(rules, Step::Request(index))?;
                world.take(rules, Step::Hear(0))?;
            }
            world.check_always()?;
            if world.is_at_rest() {
                return world.check_rest();
            }
        }
        Err(Broken("every acceptance comes to its end"))
    }

    fn is_at_rest(&self) -> bool {
        self.connecting.truth.len() == 1 && !self.awaits_verdict() && !self.is_overdue()
    }

    fn check_rest(&self) -> Result<(), Broken> {
        let demand = |kept, promise| if kept { Ok(()) } else { Err(Broken(promise)) };
        let pair = &self.inviting.pair;
        let truth = self.truth();
        demand(pair.facts == read(truth), "at rest the copy is the truth")?;
        let apart = any_blocked(truth) || any_erased(truth);
        demand(
            pair.live.is_none() || !apart,
            "at rest no invitation stands beside a block or an erasure",
        )?;
        demand(
            pair.live.is_none() || truth.connection.is_none(),
            "at rest no invitation stands beside a connection",
        )?;
        demand(
            pair.live
                .as_ref()
                .is_none_or(|live| self.memory.blocked < Some(live.invitation.create_time)),
            "an invitation does not outlive a block",
        )?;
        let accepted = pair
            .accepted
            .as_ref()
            .map(|accepted| (Some(accepted.invitation.id), accepted.connect_time));
        let connected = truth
            .connection
            .map(|connection| (connection.invitation, connection.connect_time));
        demand(
            accepted.is_none() || accepted == connected,
            "an accepted invitation has its connection",
        )?;
        demand(
            connected.is_none() || accepted == connected,
            "a connection has its accepted invitation",
        )
    }
}
