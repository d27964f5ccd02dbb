//! Erasing one member from a pair, without a word to the other.
//!
//! Deliberately absent: the member's own row, and the hash of the id that stays.

use super::{
    facts,
    invitation::{Happening, State, Transition},
    pair::{Facts, Pair},
};
use service_kit::id::Sides;

/// Ends and forgets everything between the two. The pair is empty afterwards.
pub fn erase(pair: &mut Pair) -> Vec<Transition> {
    let mut transitions = Vec::new();
    transitions.extend(facts::end_live(pair, Happening::Ended));
    let accepted = pair.accepted.take().map(|accepted| {
        let connect_time = accepted.connect_time;
        (accepted.invitation, State::Accepted { connect_time })
    });
    let Sides { low, high } = std::mem::take(&mut pair.declined);
    let declined = [low, high]
        .into_iter()
        .flatten()
        .filter(super::pair::Declined::is_kept)
        .map(|declined| (declined.invitation, State::Declined));
    let withdrawn = pair
        .withdrawn
        .drain(..)
        .map(|withdrawn| (withdrawn.invitation, State::Withdrawn));
    for (invitation, from) in accepted.into_iter().chain(declined).chain(withdrawn) {
        transitions.push(Transition {
            invitation,
            from,
            to: State::Gone,
            happening: Happening::Forgotten,
        });
    }
    pair.bars = Sides::default();
    pair.facts = Facts::default();
    pair.facts_position = 0;
    transitions
}

#[cfg(test)]
mod tests;
