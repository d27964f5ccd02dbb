//! Lanes: the number that leads every key, so that a distributed engine keeps together what is changed together.
//!
//! Deliberately absent: which lanes lie on which server; that is the engine's.

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
