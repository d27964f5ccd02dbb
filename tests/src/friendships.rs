//! A real friendship network (`tests/data/README.md`).
//!
//! Deliberately absent: what is done with it.

/// The file, as `tests/data/README.md` describes it.
const FILE: &[u8] = include_bytes!("../data/friendships.bin");

/// How many people there are, numbered from 0.
pub const PEOPLE: u32 = 4_039;
/// How many pairs of them are friends.
pub const PAIRS: usize = 88_234;

/// All pairs of friends, each with the lower number first.
///
/// # Panics
///
/// When the file is damaged.
pub fn pairs() -> Vec<(u32, u32)> {
    let mut bytes = FILE.iter().copied();
    let mut next = || {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes.next().expect("a whole file");
            number |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    };
    let mut pairs = Vec::with_capacity(PAIRS);
    for one in 0..PEOPLE {
        let mut last = one;
        for _ in 0..next() {
            last += next();
            pairs.push((one, last));
        }
    }
    assert_eq!(
        (pairs.len(), bytes.next()),
        (PAIRS, None),
        "the file is damaged"
    );
    pairs
}
