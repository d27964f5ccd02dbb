//! Erasing a member: the stages it goes through, and what it does to a pair.
//!
//! Deliberately absent: the members' stores of other services. They follow the feed and acknowledge it, and only then is an
//! erasure complete.

use super::fact::PairEvent;
use super::pair::Pair;

/// How far an erasure has come. Each stage can be interrupted and goes on where it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The member's pairs are being removed, chunk by chunk.
    Severing,
    /// All pairs are gone; the other service has not acknowledged the erasure yet.
    AwaitingAcknowledgement,
    /// The facts that name the member lose their content, from this position backwards.
    Blanking {
        /// The next fact to blank; 0 when none is left.
        next: u64,
    },
}

/// An erasure that is not complete yet. When it is, nothing of it stays but the mark that the id was used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Erasure {
    /// The position of the fact of the erasure.
    pub position: u64,
    /// The position of the last fact that names the member.
    pub last_fact: u64,
    /// How far it has come.
    pub stage: Stage,
}

impl Erasure {
    /// Whether work is left that can be done now that everything up to `acknowledged` has been.
    pub fn can_advance(&self, acknowledged: u64) -> bool {
        match self.stage {
            Stage::Severing | Stage::Blanking { .. } => true,
            Stage::AwaitingAcknowledgement => acknowledged >= self.position,
        }
    }
}

/// Empties the pair of an erased member. Says whether a connection ended, which the other one's watch must show; the end of a
/// block is shown to nobody.
pub fn sever(pair: &mut Pair) -> Option<PairEvent> {
    let before = std::mem::take(pair);
    before.connection.map(|_| PairEvent::Severed)
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, connected_at};
    use super::*;

    #[test]
    fn nothing_is_left_of_a_severed_pair() {
        let mut blocked = Pair::default();
        blocked.blocked.high = Some(at(1));
        for (mut pair, event) in [
            (connected_at(1), Some(PairEvent::Severed)),
            (blocked, None),
            (Pair::default(), None),
        ] {
            assert_eq!(sever(&mut pair), event);
            assert!(pair.is_empty());
        }
    }

    #[test]
    fn waits_only_for_the_acknowledgement_of_its_fact() {
        for (stage, acknowledged, expected) in [
            (Stage::Severing, 0, true),
            (Stage::AwaitingAcknowledgement, 4, false),
            (Stage::AwaitingAcknowledgement, 5, true),
            (Stage::Blanking { next: 3 }, 0, true),
        ] {
            let erasure = Erasure {
                position: 5,
                last_fact: 9,
                stage,
            };
            assert_eq!(erasure.can_advance(acknowledged), expected, "{stage:?}");
        }
    }
}
