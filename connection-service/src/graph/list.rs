//! Sorted lists of numbers: the neighbours of one member, and what two such lists have in common.
//!
//! A list grows by an eighth and gives room back when a quarter of it is unused: room is what an index of millions is made of.
//! Deliberately absent: who the numbers are.

use std::ops::ControlFlow;

use crate::domain::network::Tie;

/// By how many times a list must be longer than the other for its numbers to be searched for instead of walked.
const SEARCHED_FROM: usize = 16;

/// A member's neighbours: whom they are connected to, then whom they are hidden from. Both parts are in ascending order.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    all: Vec<u32>,
    connections: u32,
}

impl Neighbours {
    /// Whom the member is connected to.
    pub(super) fn connections(&self) -> &[u32] {
        self.all
            .get(..self.connections as usize)
            .unwrap_or_default()
    }

    /// Whom the member has blocked, and who has blocked them.
    pub(super) fn hidden(&self) -> &[u32] {
        self.all
            .get(self.connections as usize..)
            .unwrap_or_default()
    }

    /// Everybody.
    pub(super) fn all(&self) -> &[u32] {
        &self.all
    }

    /// What the member is to another.
    pub(super) fn tie(&self, other: u32) -> Tie {
        if self.connections().binary_search(&other).is_ok() {
            Tie::Connected
        } else if self.hidden().binary_search(&other).is_ok() {
            Tie::Hidden
        } else {
            Tie::None
        }
    }

    /// Makes it so.
    pub(super) fn set(&mut self, other: u32, tie: Tie) {
        if let Ok(at) = self.connections().binary_search(&other) {
            self.all.remove(at);
            self.connections -= 1;
        } else if let Ok(at) = self.hidden().binary_search(&other) {
            self.all.remove(self.connections as usize + at);
        }
        let at = match tie {
            Tie::None => {
                self.shrink();
                return;
            }
            Tie::Connected => self.connections().binary_search(&other),
            Tie::Hidden => {
                let place = self.hidden().binary_search(&other);
                place.map_err(|at| self.connections as usize + at)
            }
        };
        // It was taken out above, so it is not found.
        let (Ok(at) | Err(at)) = at;
        if self.all.len() == self.all.capacity() {
            self.all.reserve_exact((self.all.len() / 8).max(2));
        }
        self.all.insert(at, other);
        if tie == Tie::Connected {
            self.connections += 1;
        }
    }

    fn shrink(&mut self) {
        let (len, room) = (self.all.len(), self.all.capacity());
        if room > len + len / 4 + 8 || len == 0 {
            self.all.shrink_to(len + len / 16);
        }
    }

    /// How many bytes the list takes, without what the allocator adds.
    pub(super) fn bytes(&self) -> usize {
        size_of::<u32>() * self.all.capacity()
    }
}

/// How many steps [`for_common`] takes at most for lists of these lengths.
pub(super) fn steps(a: usize, b: usize) -> usize {
    let (short, long) = (a.min(b), a.max(b));
    if long / SEARCHED_FROM < short {
        return short + long;
    }
    // Each number of the short list is looked for from where the last one was found.
    let apart = (long / short.max(1)).max(1);
    short.saturating_mul(2 + 2 * apart.ilog2() as usize)
}

/// Tells `each` the numbers that both lists have, in ascending order, until it breaks.
pub(super) fn for_common(a: &[u32], b: &[u32], mut each: impl FnMut(u32) -> ControlFlow<()>) {
    let (short, mut long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if long.len() / SEARCHED_FROM < short.len() {
        walk(short, long, each);
        return;
    }
    for &number in short {
        long = from(long, number);
        match long.first() {
            None => return,
            Some(&found) if found == number => {
                if each(number).is_break() {
                    return;
                }
            }
            Some(_) => {}
        }
    }
}

fn walk(mut a: &[u32], mut b: &[u32], mut each: impl FnMut(u32) -> ControlFlow<()>) {
    while let ([first, rest_a @ ..], [second, rest_b @ ..]) = (a, b) {
        if first == second && each(*first).is_break() {
            return;
        }
        if first <= second {
            a = rest_a;
        }
        if second <= first {
            b = rest_b;
        }
    }
}

/// The list from the first number that is not below `number`; looked for in steps that double.
fn from(list: &[u32], number: u32) -> &[u32] {
    let mut reach = 1;
    while list.get(reach - 1).is_some_and(|&at| at < number) {
        reach *= 2;
    }
    let passed = reach / 2;
    let within = list.get(passed..list.len().min(reach)).unwrap_or_default();
    let at = passed + within.partition_point(|&at| at < number);
    list.get(at..).unwrap_or_default()
}

/// How many numbers both lists have.
pub(super) fn count_common(a: &[u32], b: &[u32]) -> usize {
    let mut count = 0;
    for_common(a, b, |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    count
}

/// Whether the lists have a number in common.
pub(super) fn meet(a: &[u32], b: &[u32]) -> bool {
    let mut found = false;
    for_common(a, b, |_| {
        found = true;
        ControlFlow::Break(())
    });
    found
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn common(a: &[u32], b: &[u32]) -> Vec<u32> {
        let mut found = Vec::new();
        for_common(a, b, |number| {
            found.push(number);
            ControlFlow::Continue(())
        });
        found
    }

    proptest! {
        #[test]
        fn what_two_lists_have_in_common(
            a in prop::collection::btree_set(0..2_000_u32, 0..900),
            b in prop::collection::btree_set(0..2_000_u32, 0..30),
            c in prop::collection::btree_set(0..2_000_u32, 0..900),
        ) {
            let sorted = |set: &BTreeSet<u32>| set.iter().copied().collect::<Vec<_>>();
            for (one, other) in [(&a, &b), (&b, &a), (&a, &c), (&a, &a)] {
                let (left, right) = (sorted(one), sorted(other));
                let expected: Vec<_> = one.intersection(other).copied().collect();
                prop_assert_eq!(count_common(&left, &right), expected.len());
                prop_assert_eq!(meet(&left, &right), !expected.is_empty());
                prop_assert_eq!(common(&left, &right), expected);
            }
        }
    }

    #[test]
    fn searching_a_long_list_costs_less_than_walking_it() {
        assert_eq!(steps(100, 100), 200);
        assert_eq!(steps(0, 30_000), 0);
        assert!(steps(10, 30_000) < 300);
        assert!(steps(30_000, 10) < 300);
        assert!(steps(2_000, 30_000) <= 32_000);
    }

    #[test]
    fn a_neighbour_stands_in_one_part_alone() {
        let mut neighbours = Neighbours::default();
        for (other, tie) in [
            (5, Tie::Connected),
            (3, Tie::Hidden),
            (4, Tie::Connected),
            (9, Tie::Hidden),
        ] {
            neighbours.set(other, tie);
            neighbours.set(other, tie);
        }
        assert_eq!(neighbours.connections(), [4, 5]);
        assert_eq!(neighbours.hidden(), [3, 9]);
        neighbours.set(4, Tie::Hidden);
        neighbours.set(9, Tie::None);
        assert_eq!(
            (neighbours.connections(), neighbours.hidden()),
            (&[5][..], &[3, 4][..])
        );
        assert_eq!(
            [5, 4, 9].map(|other| neighbours.tie(other)),
            [Tie::Connected, Tie::Hidden, Tie::None]
        );
    }

    #[test]
    fn a_list_that_empties_gives_its_room_back() {
        let mut neighbours = Neighbours::default();
        let mut fullest: f64 = 0.0;
        for other in 0..10_000 {
            neighbours.set(other, Tie::Connected);
            let each = f64::from(other + 1);
            if other >= 16 {
                fullest = fullest.max(f64::from(u32::try_from(neighbours.bytes()).unwrap()) / each);
            }
        }
        assert!(fullest <= 4.6, "{fullest} bytes a neighbour while growing");
        for other in 0..10_000 {
            neighbours.set(other, Tie::None);
            let left = 9_999 - other;
            let bytes = neighbours.bytes();
            assert!(bytes <= 5 * left as usize + 32, "{bytes} bytes for {left}");
        }
        assert_eq!(neighbours.bytes(), 0);
    }
}
