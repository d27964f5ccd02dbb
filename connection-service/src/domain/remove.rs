//! Ending a connection, and standing against one that is on its way.
//!
//! Deliberately absent: telling anybody. A removal is silent.

use service_kit::id::{Side, Sides};
use service_kit::time::Time;

use super::fact::PairEvent;
use super::member::Party;
use super::pair::Pair;
use super::refusal::Refusal;

/// Ends the connection for `side`, or, where there is none yet, stands against acceptances made until `now`.
///
/// With `only`, nothing happens unless the connection was made at that moment: another connection, or one on its way, is left
/// alone. Removing somebody who was erased changes nothing. Refuses with [`Refusal::MemberNotFound`].
pub fn decide(
    pair: &mut Pair,
    parties: &Sides<Party>,
    side: Side,
    only: Option<Time>,
    now: Time,
) -> Result<Option<PairEvent>, Refusal> {
    if parties.get(side).is_erased() {
        return Err(Refusal::MemberNotFound);
    }
    let connected = pair.connection.map(|connection| connection.connect_time);
    let another = only.is_some() && only != connected;
    if parties.get(side.other()).is_erased() || another {
        return Ok(None);
    }
    *pair.removed.get_mut(side) = Some(now);
    Ok(pair.connection.take().map(|_| PairEvent::Removed))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{at, connected_at, strangers};
    use super::*;

    #[test]
    fn removes_what_is_meant_and_marks_the_moment() {
        let nothing = Pair::default();
        let removed = Ok(Some(PairEvent::Removed));
        // The pair, the moment named, the outcome, whether a mark was left, whether a connection is left.
        for (before, only, outcome, marked, connected) in [
            (nothing, None, Ok(None), true, false),
            (nothing, Some(5), Ok(None), false, false),
            (connected_at(5), None, removed, true, false),
            (connected_at(5), Some(5), removed, true, false),
            (connected_at(5), Some(4), Ok(None), false, true),
        ] {
            for side in Side::BOTH {
                let mut pair = before;
                let found = decide(&mut pair, &strangers(), side, only.map(at), at(9));
                assert_eq!(found, outcome, "{before:?} {only:?}");
                assert_eq!(*pair.removed.get(side), marked.then_some(at(9)));
                assert_eq!(*pair.removed.get(side.other()), None);
                assert_eq!(pair.connection.is_some(), connected);
            }
        }
    }

    #[test]
    fn a_later_removal_renews_the_mark() {
        let mut pair = Pair::default();
        for now in [5, 8] {
            assert_eq!(
                decide(&mut pair, &strangers(), Side::Low, None, at(now)),
                Ok(None)
            );
            assert_eq!(pair.removed.low, Some(at(now)));
        }
    }

    #[test]
    fn the_erased_neither_remove_nor_are_removed() {
        for (low, high, expected) in [
            (true, false, Err(Refusal::MemberNotFound)),
            (true, true, Err(Refusal::MemberNotFound)),
            (false, true, Ok(None)),
        ] {
            let mut parties = strangers();
            for (erased, side) in [(low, Side::Low), (high, Side::High)] {
                if erased {
                    *parties.get_mut(side) = Party::Erased;
                }
            }
            let mut pair = connected_at(1);
            assert_eq!(
                decide(&mut pair, &parties, Side::Low, None, at(9)),
                expected
            );
            assert_eq!(pair, connected_at(1));
        }
    }
}
