//! What a table holds, in a few bytes: the same for the same rows, whatever their order.

use std::fmt;

use super::super::Value;
use super::value::encode;

/// How many rows there are, and the sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub rows: u64,
    sum: u128,
}

impl Digest {
    /// Adds a row: its lane, and the values of its columns in the order of the table's.
    pub(super) fn add(&mut self, lane: i32, values: &[Value<'_>]) {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&lane.to_le_bytes());
        for value in values {
            encode(value, &mut hasher);
        }
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        self.sum = self.sum.wrapping_add(u128::from_le_bytes(hash));
        self.rows = self.rows.saturating_add(1);
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows with digest {:032x}", self.rows, self.sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[(i32, &[Value<'_>])]) -> Digest {
        let mut digest = Digest::default();
        for (lane, values) in rows {
            digest.add(*lane, values);
        }
        digest
    }

    #[test]
    fn rows_count_in_any_order_and_with_all_that_they_are() {
        let (ann, ben) = (["ann".into(), 1_i64.into()], ["ben".into(), 2_i64.into()]);
        let both = digest(&[(0, &ann), (1, &ben)]);
        assert_eq!(both, digest(&[(1, &ben), (0, &ann)]));
        assert_eq!(both.rows, 2);
        let no_text: Option<&str> = None;
        let others: [&[(i32, &[Value<'_>])]; 5] = [
            &[(0, &ann)],
            &[(0, &ann), (0, &ben)],
            &[(0, &ann), (1, &ann)],
            &[(0, &ann), (1, &["ben".into(), 3_i64.into()])],
            &[(0, &ann), (1, &[no_text.into(), 2_i64.into()])],
        ];
        for other in others {
            assert_ne!(both, digest(other));
        }
        // Neither does it matter less where a value ends, nor is nothing the same as an empty text.
        let parted = digest(&[(0, &["a".into(), "bc".into()])]);
        assert_ne!(parted, digest(&[(0, &["ab".into(), "c".into()])]));
        assert_ne!(
            digest(&[(0, &["".into()])]),
            digest(&[(0, &[no_text.into()])])
        );
    }
}
