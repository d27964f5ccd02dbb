//! Who is connected to whom and who is hidden from whom, by the numbers of members.
//!
//! 4 bytes for each direction of a tie and some slack, some fifty a member. Deliberately absent: times, labels and whatever else hangs
//! on a connection; what follows from ties (see `views`); and where ties come from (see `follower`).

use service_kit::id::MemberId;

use super::ids::{Full, Ids};
use super::list::Neighbours;
use crate::domain::network::Tie;

/// The index.
#[derive(Debug, Default)]
pub struct Index {
    ids: Ids,
    /// By number; those that nobody has are empty.
    neighbours: Vec<Neighbours>,
    directions: usize,
    list_bytes: usize,
}

/// How much there is of an index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Members with a tie.
    pub members: usize,
    /// Ties, each counted from both of its sides.
    pub directions: usize,
    /// Bytes that are taken, without what the allocator adds.
    pub bytes: usize,
    /// How many of these bytes are the ids' own text.
    pub text_bytes: usize,
}

impl Index {
    /// How much there is.
    pub fn size(&self) -> Size {
        let entries = size_of::<Neighbours>() * self.neighbours.capacity();
        Size {
            members: self.ids.len(),
            directions: self.directions,
            bytes: self.ids.bytes() + entries + self.list_bytes,
            text_bytes: self.ids.text_bytes(),
        }
    }

    /// The number of a member who has a tie.
    pub fn number(&self, id: &MemberId) -> Option<u32> {
        self.ids.number(id.as_str())
    }

    /// The id of a number.
    pub fn id(&self, number: u32) -> Option<&str> {
        self.ids.text(number)
    }

    /// Every number is below this one.
    pub fn numbers_end(&self) -> usize {
        self.ids.numbers_end()
    }

    /// Whom a member is connected to, by ascending number.
    pub fn connections(&self, number: u32) -> &[u32] {
        self.of(number)
            .map(Neighbours::connections)
            .unwrap_or_default()
    }

    /// Whom a member has blocked and who has blocked them, by ascending number.
    pub fn hidden(&self, number: u32) -> &[u32] {
        self.of(number).map(Neighbours::hidden).unwrap_or_default()
    }

    /// What two members are to each other.
    pub fn tie(&self, one: u32, other: u32) -> Tie {
        let (Some(a), Some(b)) = (self.of(one), self.of(other)) else {
            return Tie::None;
        };
        // The shorter list has the answer as well.
        if a.all().len() <= b.all().len() {
            a.tie(other)
        } else {
            b.tie(one)
        }
    }

    /// The numbers of two members, who are given some if they have none. Whoever is left without a tie must be given to
    /// [`Self::release_if_alone`].
    pub fn numbers_or_new(&mut self, one: &MemberId, other: &MemberId) -> Result<(u32, u32), Full> {
        let one = self.ids.number_or_new(one.as_str())?;
        let other = self.ids.number_or_new(other.as_str())?;
        let end = self.ids.numbers_end();
        if end > self.neighbours.capacity() {
            let more = (self.neighbours.len() / 16).max(16);
            self.neighbours
                .reserve_exact(end - self.neighbours.len() + more);
        }
        if end > self.neighbours.len() {
            self.neighbours.resize_with(end, Neighbours::default);
        }
        Ok((one, other))
    }

    /// Makes it so between two numbers that members have; nobody has a tie with themselves.
    pub fn set(&mut self, one: u32, other: u32, tie: Tie) {
        if one == other {
            return;
        }
        for (number, other) in [(one, other), (other, one)] {
            let Some(neighbours) = self.neighbours.get_mut(number as usize) else {
                continue;
            };
            let (bytes, length) = (neighbours.bytes(), neighbours.all().len());
            neighbours.set(other, tie);
            self.list_bytes = self.list_bytes + neighbours.bytes() - bytes;
            self.directions = self.directions + neighbours.all().len() - length;
        }
    }

    /// Forgets a member who has no tie left; whether there was one. Their number will be another's.
    pub fn release_if_alone(&mut self, number: u32) -> bool {
        let alone = self
            .of(number)
            .is_some_and(|neighbours| neighbours.all().is_empty());
        if alone {
            self.ids.release(number);
        }
        alone
    }

    /// Everybody whom a member has a tie with.
    pub fn neighbours(&self, number: u32) -> &[u32] {
        self.of(number).map(Neighbours::all).unwrap_or_default()
    }

    fn of(&self, number: u32) -> Option<&Neighbours> {
        self.neighbours.get(number as usize)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    fn id(n: u32) -> MemberId {
        MemberId::parse(&format!("member-{n}")).unwrap()
    }

    /// The same in the plainest way.
    #[derive(Default)]
    struct Model(BTreeMap<(u32, u32), Tie>);

    impl Model {
        fn set(&mut self, a: u32, b: u32, tie: Tie) {
            for key in [(a, b), (b, a)] {
                if tie == Tie::None {
                    self.0.remove(&key);
                } else {
                    self.0.insert(key, tie);
                }
            }
        }

        fn of(&self, a: u32, tie: Tie) -> BTreeSet<MemberId> {
            let all = self.0.iter();
            let these = all.filter(|((one, _), held)| *one == a && **held == tie);
            these.map(|((_, other), _)| id(*other)).collect()
        }
    }

    fn set(index: &mut Index, a: u32, b: u32, tie: Tie) {
        let (one, other) = index.numbers_or_new(&id(a), &id(b)).unwrap();
        index.set(one, other, tie);
        for number in [one, other] {
            index.release_if_alone(number);
        }
    }

    fn named(index: &Index, numbers: &[u32]) -> BTreeSet<MemberId> {
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        let ids = numbers
            .iter()
            .map(|number| MemberId::parse(index.id(*number).unwrap()).unwrap());
        ids.collect()
    }

    fn check(index: &Index, model: &Model, members: u32) {
        for a in 0..members {
            let (connected, hidden) = (model.of(a, Tie::Connected), model.of(a, Tie::Hidden));
            let Some(number) = index.number(&id(a)) else {
                assert!(connected.is_empty() && hidden.is_empty(), "{a} is missing");
                continue;
            };
            assert!(
                !connected.is_empty() || !hidden.is_empty(),
                "{a} is left over"
            );
            assert_eq!(index.id(number), Some(id(a).as_str()));
            assert_eq!(named(index, index.connections(number)), connected);
            assert_eq!(named(index, index.hidden(number)), hidden);
        }
        let size = index.size();
        let with_a_tie: BTreeSet<_> = model.0.keys().map(|(a, _)| *a).collect();
        assert_eq!(
            (size.directions, size.members),
            (model.0.len(), with_a_tie.len())
        );
        let text = with_a_tie
            .iter()
            .map(|a| id(*a).as_str().len())
            .sum::<usize>();
        assert_eq!(size.text_bytes, text);
        let lists = index
            .neighbours
            .iter()
            .map(Neighbours::bytes)
            .sum::<usize>();
        assert_eq!(index.list_bytes, lists);
    }

    proptest! {
        #[test]
        fn random_changes_leave_what_a_naive_model_has(
            changes in prop::collection::vec((0..25_u32, 0..25_u32, 0..3_u8), 1..400),
        ) {
            let (mut index, mut model) = (Index::default(), Model::default());
            for (step, (a, b, tie)) in changes.into_iter().enumerate() {
                if a == b {
                    continue;
                }
                let tie = match tie {
                    0 => Tie::None,
                    1 => Tie::Connected,
                    _ => Tie::Hidden,
                };
                set(&mut index, a, b, tie);
                model.set(a, b, tie);
                if step % 16 == 0 {
                    check(&index, &model, 25);
                }
            }
            check(&index, &model, 25);
        }
    }

    #[test]
    fn nobody_has_a_tie_with_themselves() {
        let mut index = Index::default();
        set(&mut index, 1, 1, Tie::Connected);
        assert_eq!(index.size().directions, 0);
        assert_eq!(index.number(&id(1)), None);
    }

    #[test]
    fn whoever_comes_after_many_have_gone_is_found_and_takes_their_room() {
        let (mut index, mut model) = (Index::default(), Model::default());
        for a in 0..3_000 {
            set(&mut index, a, a + 1, Tie::Connected);
        }
        let full = index.size();
        for a in 0..3_000 {
            set(&mut index, a, a + 1, Tie::None);
        }
        assert_eq!((index.size().members, index.size().text_bytes), (0, 0));
        for a in 3_000..6_000 {
            set(&mut index, a, a + 1, Tie::Connected);
            model.set(a, a + 1, Tie::Connected);
        }
        check(&index, &model, 6_001);
        let again = index.size();
        assert_eq!(index.numbers_end(), 3_001, "numbers are used again");
        assert!(
            again.bytes <= full.bytes + full.bytes / 10,
            "{again:?} {full:?}"
        );
    }
}
