//! The rules under search: by default those of the two services, each replaceable by a broken one.
//!
//! Deliberately absent: rules of one service alone (caps, bars, notes), which no message between the two can break.

use connection_service::domain::{
    block, ensure, fact::PairEvent, member::Party, pair::Pair as ConnectionPair,
    policy::Policy as ConnectionPolicy, refusal::Refusal as ConnectionRefusal, remove,
};
use invitation_service::domain::{
    accept::{self, Accepting, Ruled, Ruling},
    decline::{self, Declining},
    facts::{self, Learned},
    invitation::Transition,
    pair::{DeclineReason, Facts, Pair},
    policy::Policy,
    refusal::Refusal,
    review,
    withdraw::{self, Withdrawing},
};
use service_kit::{
    id::{Side, Sides},
    time::Time,
};
use uuid::Uuid;

/// What a connection-service that changed a pair has to tell, or why it did not.
pub(crate) type Decision = Result<Option<PairEvent>, ConnectionRefusal>;

/// Every decision that the protocol between the two services rests on.
pub(crate) trait Rules: Sync {
    /// invitation-service hears a live answer about a pair, read at `position`.
    fn listen(
        &self,
        pair: &mut Pair,
        facts: Facts,
        position: u64,
        cursor: u64,
        policy: &Policy,
        now: Time,
    ) -> Learned {
        facts::learn(pair, facts, position, cursor, policy, now)
    }

    /// invitation-service folds the next event of the feed. Everything before it has been folded.
    fn fold(
        &self,
        pair: &mut Pair,
        facts: Facts,
        position: u64,
        policy: &Policy,
        now: Time,
    ) -> Learned {
        facts::learn(pair, facts, position, position - 1, policy, now)
    }

    /// invitation-service applies a verdict.
    fn rule(
        &self,
        pair: &mut Pair,
        ruling: &Ruling,
        cursor: u64,
        policy: &Policy,
        now: Time,
    ) -> (Ruled, Vec<Transition>) {
        accept::rule(pair, ruling, cursor, policy, now)
    }

    /// A member accepts.
    fn accept(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        policy: &Policy,
        now: Time,
    ) -> Result<Accepting, Refusal> {
        accept::accept(pair, side, id, None, policy, now)
    }

    /// A member declines.
    fn decline(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        policy: &Policy,
        now: Time,
    ) -> Result<Declining, Refusal> {
        decline::decline(pair, side, id, DeclineReason::NotNow, policy, now)
    }

    /// A member takes a decline back.
    fn undo(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        _cursor: u64,
        now: Time,
    ) -> Result<Declining, Refusal> {
        decline::undo_decline(pair, side, id, now)
    }

    /// A member withdraws.
    fn withdraw(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        policy: &Policy,
        now: Time,
    ) -> Result<Withdrawing, Refusal> {
        withdraw::withdraw(pair, side, id, policy, now)
    }

    /// invitation-service does what is due on a pair.
    fn review(&self, pair: &mut Pair, now: Time) -> Vec<Transition> {
        review::review(pair, now)
    }

    /// connection-service decides what becomes of an acceptance.
    fn ensure(
        &self,
        stored: Option<&ensure::StoredVerdict>,
        pair: &mut ConnectionPair,
        parties: &Sides<Party>,
        acceptance: &ensure::Acceptance,
        policy: &ConnectionPolicy,
        now: Time,
    ) -> ensure::Ruling {
        ensure::decide(stored, pair, parties, acceptance, policy, now)
    }

    /// A member removes the other.
    fn remove(
        &self,
        pair: &mut ConnectionPair,
        parties: &Sides<Party>,
        side: Side,
        now: Time,
    ) -> Decision {
        remove::decide(pair, parties, side, None, now)
    }

    /// A member lifts a block.
    fn unblock(
        &self,
        pair: &mut ConnectionPair,
        parties: &Sides<Party>,
        side: Side,
        now: Time,
    ) -> Decision {
        block::unblock(pair, parties, side, now)
    }
}

/// The rules as the services have them.
pub(crate) struct Real;

impl Rules for Real {}
