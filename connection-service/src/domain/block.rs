//! Blocking a member, and lifting it.
//!
//! Deliberately absent: any sign to the one who is blocked.

use service_kit::id::{Side, Sides};
use service_kit::time::Time;

use super::fact::PairEvent;
use super::member::Party;
use super::pair::Pair;
use super::policy::Policy;
use super::refusal::Refusal;

/// Blocks the other for `side`, which ends any connection. Where the block stands already, or the other was erased, nothing
/// changes. Refuses with [`Refusal::MemberNotFound`] and [`Refusal::BlockLimitReached`].
pub fn block(
    pair: &mut Pair,
    parties: &Sides<Party>,
    side: Side,
    policy: &Policy,
    now: Time,
) -> Result<Option<PairEvent>, Refusal> {
    let Party::Present(member) = parties.get(side) else {
        return Err(Refusal::MemberNotFound);
    };
    if pair.blocked.get(side).is_some() || parties.get(side.other()).is_erased() {
        return Ok(None);
    }
    if member.blocks >= policy.blocks_max {
        return Err(Refusal::BlockLimitReached {
            blocks_max: policy.blocks_max,
        });
    }
    *pair.blocked.get_mut(side) = Some(now);
    pair.connection = None;
    Ok(Some(PairEvent::Blocked))
}

/// Lifts the block of `side`. It restores nothing: what was accepted until `now` connects nobody, also when it arrives later, so
/// it counts like a removal. Where there is no block, nothing changes. Refuses with [`Refusal::MemberNotFound`].
pub fn unblock(
    pair: &mut Pair,
    parties: &Sides<Party>,
    side: Side,
    now: Time,
) -> Result<Option<PairEvent>, Refusal> {
    if parties.get(side).is_erased() {
        return Err(Refusal::MemberNotFound);
    }
    if parties.get(side.other()).is_erased() || pair.blocked.get_mut(side).take().is_none() {
        return Ok(None);
    }
    *pair.removed.get_mut(side) = Some(now);
    Ok(Some(PairEvent::Unblocked))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, connected_at, strangers};
    use super::super::member::Member;
    use super::*;

    fn blocked(low: Option<i64>, high: Option<i64>) -> Pair {
        Pair {
            blocked: Sides {
                low: low.map(at),
                high: high.map(at),
            },
            ..Pair::default()
        }
    }

    fn with_low(party: Party) -> Sides<Party> {
        Sides {
            low: party,
            ..strangers()
        }
    }

    #[test]
    fn blocking_ends_the_connection_and_is_done_once() {
        let policy = Policy {
            blocks_max: 2,
            ..Policy::default()
        };
        let blocks = |blocks| {
            with_low(Party::Present(Member {
                blocks,
                ..Member::default()
            }))
        };
        let full = Err(Refusal::BlockLimitReached { blocks_max: 2 });
        let done = Ok(Some(PairEvent::Blocked));
        let mut other_erased = strangers();
        other_erased.high = Party::Erased;
        for (before, parties, outcome, after) in [
            (Pair::default(), strangers(), done, blocked(Some(9), None)),
            (connected_at(1), blocks(1), done, blocked(Some(9), None)),
            (
                blocked(None, Some(3)),
                strangers(),
                done,
                blocked(Some(9), Some(3)),
            ),
            (
                blocked(Some(3), None),
                blocks(2),
                Ok(None),
                blocked(Some(3), None),
            ),
            (connected_at(1), blocks(2), full, connected_at(1)),
            (Pair::default(), other_erased, Ok(None), Pair::default()),
            (
                connected_at(1),
                with_low(Party::Erased),
                Err(Refusal::MemberNotFound),
                connected_at(1),
            ),
        ] {
            let mut pair = before;
            let found = block(&mut pair, &parties, Side::Low, &policy, at(9));
            assert_eq!(found, outcome, "{before:?} {parties:?}");
            assert_eq!(pair, after, "{before:?} {parties:?}");
        }
    }

    #[test]
    fn unblocking_lifts_ones_own_block_and_restores_nothing() {
        let marked = |mut pair: Pair| {
            pair.removed.low = Some(at(9));
            pair
        };
        let done = Ok(Some(PairEvent::Unblocked));
        let nobody = Err(Refusal::MemberNotFound);
        for (before, low, outcome, after) in [
            (
                Pair::default(),
                Party::Present(Member::default()),
                Ok(None),
                Pair::default(),
            ),
            (
                connected_at(1),
                Party::Present(Member::default()),
                Ok(None),
                connected_at(1),
            ),
            (
                blocked(None, Some(3)),
                Party::Present(Member::default()),
                Ok(None),
                blocked(None, Some(3)),
            ),
            (
                blocked(Some(3), None),
                Party::Present(Member::default()),
                done,
                marked(Pair::default()),
            ),
            (
                blocked(Some(3), Some(4)),
                Party::Present(Member::default()),
                done,
                marked(blocked(None, Some(4))),
            ),
            (
                blocked(Some(3), None),
                Party::Erased,
                nobody,
                blocked(Some(3), None),
            ),
        ] {
            let mut pair = before;
            let found = unblock(&mut pair, &with_low(low), Side::Low, at(9));
            assert_eq!(found, outcome, "{before:?}");
            assert_eq!(pair, after, "{before:?}");
        }
    }
}
