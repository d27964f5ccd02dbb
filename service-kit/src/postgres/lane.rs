//! Lanes: the number that leads every key, so that a distributed engine keeps together what is changed together.
//!
//! Deliberately absent: which lanes lie on which server; that is the engine's.

use std::collections::BTreeMap;

use crate::id::MemberId;

/// How many lanes a database may have.
pub const LANES_MAX: u16 = 1_024;

/// The lane of a name among so many: the same in every process and version, for it stands in the keys of what is stored.
pub fn lane_of(name: &[u8], lanes: u16) -> i32 {
    if lanes <= 1 {
        return 0;
    }
    let hash = blake3::hash(name);
    let (first, _) = hash.as_bytes().split_at(8);
    let number = first
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    i32::try_from(number % u64::from(lanes)).unwrap_or_default()
}

/// The lane of a member.
pub fn member_lane(id: &MemberId, lanes: u16) -> i32 {
    lane_of(id.as_str().as_bytes(), lanes)
}

/// Every lane, in order.
pub fn lane_numbers(lanes: u16) -> Vec<i32> {
    (0..i32::from(lanes.max(1))).collect()
}

/// Keys, or whatever has a lane, by lane.
#[derive(Clone, Debug)]
pub struct ByLane<K>(BTreeMap<i32, Vec<K>>);

impl<K> ByLane<K> {
    /// Sorts `keys` into their lanes; within one they stay in their order.
    pub fn of(keys: impl IntoIterator<Item = K>, lane: impl Fn(&K) -> i32) -> Self {
        let mut by_lane = BTreeMap::<i32, Vec<K>>::new();
        for key in keys {
            by_lane.entry(lane(&key)).or_default().push(key);
        }
        Self(by_lane)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each lane that has some, in order, with what it has.
    pub fn iter(&self) -> impl Iterator<Item = (i32, &[K])> {
        self.0.iter().map(|(lane, keys)| (*lane, keys.as_slice()))
    }

    /// All of them, lane by lane.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.values().flatten()
    }
}

impl<K> IntoIterator for ByLane<K> {
    type Item = (i32, Vec<K>);
    type IntoIter = std::collections::btree_map::IntoIter<i32, Vec<K>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_lane_for_ever() {
        assert_eq!(lane_of(b"ann", 1), 0);
        let lanes = [b"ann".as_slice(), b"ben", b"cleo"].map(|name| lane_of(name, 16));
        assert_eq!(lanes, LANES_OF_16);
        let spread: std::collections::BTreeSet<_> = (0..200_u32)
            .map(|number| lane_of(&number.to_be_bytes(), 16))
            .collect();
        assert_eq!(spread, (0..16).collect());
    }

    /// Written down: another hash would look for rows where they are not.
    const LANES_OF_16: [i32; 3] = [14, 6, 7];
}
