//! Ties as far as a search has needed them.
//!
//! Searches are synchronous, and know nothing of loading: what is not here yet reads as nothing, and is noted. What was noted is loaded in few
//! statements, and the search runs again, until nothing is missing; only then what it comes to counts. What it asks for first is what it surely
//! needs; what it asks for after that it may need no more when the first is there, so of that only some more is loaded each time. Deliberately
//! absent: statements (`network.rs`), and searches (`store::network`).

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};

use crate::domain::network::Tie;
use crate::store::network::Ties;

/// How much is looked ahead at first, and at most.
const AHEAD: (usize, usize) = (64, 16_384);

/// What a search asks for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asked {
    /// Whom a member is connected to.
    Connections(MemberId),
    /// What two are to each other.
    Tie(PairKey),
}

/// Ties as far as they were loaded.
pub(super) struct LoadedTies {
    connections: HashMap<MemberId, Vec<MemberId>>,
    ties: HashMap<PairKey, Tie>,
    missing: RefCell<Missing>,
    /// How many more rows may be read of what may turn out not to be needed.
    ahead_left: u32,
}

/// What was asked for and is not here.
struct Missing {
    in_order: Vec<Asked>,
    noted: HashSet<Asked>,
    most: usize,
}

impl LoadedTies {
    /// Nothing yet, for a search that may read so many rows. No more than as many again are read ahead.
    pub(super) fn new(rows_max: u32) -> Self {
        let missing = Missing {
            in_order: Vec::new(),
            noted: HashSet::new(),
            most: AHEAD.0,
        };
        Self {
            connections: HashMap::new(),
            ties: HashMap::new(),
            missing: RefCell::new(missing),
            ahead_left: rows_max,
        }
    }

    /// What the last run asked for and did not find, in that order, as far as it is loaded next; nothing when it found everything.
    pub(super) fn take_missing(&mut self) -> Vec<Asked> {
        let missing = self.missing.get_mut();
        missing.noted.clear();
        missing.most = missing.most.saturating_mul(4).min(AHEAD.1);
        std::mem::take(&mut missing.in_order)
    }

    /// How many of `rows`, which are what each of those that are missing has, are loaded: the first, and then as many as may be read ahead.
    pub(super) fn loadable(&mut self, rows: impl IntoIterator<Item = u32>) -> usize {
        let mut loadable = 0;
        for rows in rows {
            if loadable > 0 {
                let Some(left) = self.ahead_left.checked_sub(rows.max(1)) else {
                    break;
                };
                self.ahead_left = left;
            }
            loadable += 1;
        }
        loadable
    }

    /// Takes what two are to each other.
    pub(super) fn put_tie(&mut self, key: PairKey, tie: Tie) {
        self.ties.insert(key, tie);
    }

    /// Takes whom a member is connected to.
    pub(super) fn put_connections(&mut self, member: MemberId, connections: Vec<MemberId>) {
        self.connections.insert(member, connections);
    }

    fn miss(&self, asked: Asked) {
        let mut missing = self.missing.borrow_mut();
        if missing.in_order.len() < missing.most && missing.noted.insert(asked.clone()) {
            missing.in_order.push(asked);
        }
    }
}

impl Ties for LoadedTies {
    fn connections(&self, member: &MemberId, limit: u32) -> Result<Vec<MemberId>, StoreError> {
        let Some(found) = self.connections.get(member) else {
            self.miss(Asked::Connections(member.clone()));
            return Ok(Vec::new());
        };
        Ok(found.iter().take(limit as usize).cloned().collect())
    }

    fn tie(&self, one: &MemberId, other: &MemberId) -> Result<Tie, StoreError> {
        let key = PairKey::new(one, other);
        let key = key.ok_or_else(|| StoreError::internal("nobody has a tie with themselves"))?;
        let Some(tie) = self.ties.get(&key) else {
            self.miss(Asked::Tie(key));
            return Ok(Tie::None);
        };
        Ok(*tie)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rand::rngs::StdRng;
    use rand::{Rng as _, SeedableRng as _};

    use super::*;
    use crate::domain::fixtures::id;
    use crate::store::network;

    /// Ties that are all there, and how they are loaded piece by piece.
    #[derive(Default)]
    struct World {
        connections: BTreeMap<MemberId, Vec<MemberId>>,
        hidden: HashSet<PairKey>,
    }

    impl Ties for World {
        fn connections(&self, member: &MemberId, limit: u32) -> Result<Vec<MemberId>, StoreError> {
            let found = self.connections.get(member).into_iter().flatten();
            Ok(found.take(limit as usize).cloned().collect())
        }

        fn tie(&self, one: &MemberId, other: &MemberId) -> Result<Tie, StoreError> {
            let key = PairKey::new(one, other).unwrap();
            let connected = || {
                self.connections
                    .get(one)
                    .is_some_and(|of| of.contains(other))
            };
            Ok(match () {
                () if self.hidden.contains(&key) => Tie::Hidden,
                () if connected() => Tie::Connected,
                () => Tie::None,
            })
        }
    }

    impl World {
        fn random(random: &mut StdRng, members: u32) -> Self {
            let mut world = Self::default();
            for one in 0..members {
                for other in one + 1..members {
                    let (one, other) = (name(one), name(other));
                    match random.random_range(0..members) {
                        0..3 => {
                            let of = |member: &MemberId| member.clone();
                            let lists = &mut world.connections;
                            lists.entry(of(&one)).or_default().push(of(&other));
                            lists.entry(other).or_default().push(one);
                        }
                        3 => {
                            world.hidden.insert(PairKey::new(&one, &other).unwrap());
                        }
                        _ => {}
                    }
                }
            }
            world
        }

        /// What a search over loaded ties comes to, and how many rows were loaded for it.
        fn search<T>(
            &self,
            rows_max: u32,
            search: impl Fn(&dyn Ties) -> Result<T, StoreError>,
        ) -> (T, u32) {
            let (mut ties, mut loaded) = (LoadedTies::new(rows_max), 0);
            for _ in 0..10_000 {
                let came = search(&ties);
                let missing = ties.take_missing();
                if missing.is_empty() {
                    return (came.unwrap(), loaded);
                }
                let rows: Vec<u32> = missing.iter().map(|asked| self.rows(asked)).collect();
                let loadable = ties.loadable(rows.iter().copied());
                assert!(loadable > 0);
                for (asked, rows) in missing.into_iter().zip(rows).take(loadable) {
                    loaded += rows.min(rows_max + 1);
                    match asked {
                        Asked::Tie(key) => {
                            let tie = self.tie(key.low(), key.high()).unwrap();
                            ties.put_tie(key, tie);
                        }
                        Asked::Connections(member) => {
                            let found = self.connections(&member, rows_max + 1).unwrap();
                            ties.put_connections(member, found);
                        }
                    }
                }
            }
            unreachable!("a search asks for ever more")
        }

        fn rows(&self, asked: &Asked) -> u32 {
            match asked {
                Asked::Tie(_) => 1,
                Asked::Connections(member) => {
                    let found = self.connections.get(member).map_or(0, Vec::len);
                    u32::try_from(found).unwrap()
                }
            }
        }
    }

    fn name(number: u32) -> MemberId {
        id(&format!("m{number:04}"))
    }

    #[test]
    fn a_search_over_loaded_ties_comes_to_the_same_with_the_same_bound() {
        let mut random = StdRng::seed_from_u64(7);
        let (mut answered, mut refused) = (0, 0);
        for members in [2, 10, 60, 200] {
            let world = World::random(&mut random, members);
            for round in 0..60 {
                let rows_max = [0, 3, 30, 300, 3_000, 30_000][round % 6];
                let member = name(random.random_range(0..members));
                let mut others: Vec<_> = (0..20)
                    .map(|_| name(random.random_range(0..members)))
                    .collect();
                others.retain(|other| *other != member);
                let keys: Vec<_> = others
                    .iter()
                    .filter_map(|other| PairKey::new(&member, other))
                    .collect();

                let counts = round % 2 == 0;
                let between =
                    |ties: &dyn Ties| network::between(ties, &member, &others, counts, rows_max);
                let (found, loaded) = world.search(rows_max, between);
                assert_eq!(found, between(&world).unwrap());
                assert!(loaded <= 2 * rows_max + 64, "{loaded} of {rows_max}");
                if found.is_some() {
                    answered += 1;
                } else {
                    refused += 1;
                }

                let have = |ties: &dyn Ties| network::have_mutual(ties, &keys, rows_max);
                assert_eq!(world.search(rows_max, have).0, have(&world).unwrap());

                let suggest = |ties: &dyn Ties| {
                    let but_for = others.iter().take(3).cloned().collect();
                    network::suggestions(ties, &member, but_for, None, 5, rows_max)
                };
                assert_eq!(world.search(rows_max, suggest).0, suggest(&world).unwrap());

                if let Some(key) = keys.first() {
                    let mutual =
                        |ties: &dyn Ties| network::mutual_page(ties, key, None, 3, rows_max);
                    assert_eq!(world.search(rows_max, mutual).0, mutual(&world).unwrap());
                }
            }
        }
        assert!(answered > 20 && refused > 20, "{answered} and {refused}");
    }
}
