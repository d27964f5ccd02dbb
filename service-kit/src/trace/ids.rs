//! Ids for traces that begin here and for the spans in them.
//!
//! They need to be unique, not secret, and cheap: one for each request. Deliberately absent: the order of time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::TraceContext;

/// Makes ids that no other source makes, for as long as seeds differ. Clones are the same source.
#[derive(Clone, Debug)]
pub struct TraceIds {
    seed: u64,
    counter: Arc<AtomicU64>,
}

impl TraceIds {
    /// A source whose ids follow from `seed` alone.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            counter: Arc::new(AtomicU64::new(0)),
        }
    }

    /// A source with a seed from the operating system. Should the system refuse it, ids may repeat those of another process.
    pub fn from_os() -> Self {
        Self::new(getrandom::u64().unwrap_or(0))
    }

    /// A new trace, which nobody has asked to be exported.
    pub fn next(&self) -> TraceContext {
        let counter = self.counter.fetch_add(1, Ordering::Relaxed);
        // Neither half repeats within 2⁶⁴ ids, for each step of the mixing can be undone.
        let high = mix(self.seed);
        let low = mix(self.seed.wrapping_add(counter.wrapping_mul(GOLDEN)));
        let span = mix(low ^ high.rotate_left(32));
        let trace_id = u128::from(high | 1) << 64 | u128::from(low);
        TraceContext {
            trace_id: trace_id.to_be_bytes(),
            span_id: (span | 1).to_be_bytes(),
            sampled: false,
        }
    }
}

/// 2⁶⁴ divided by the golden ratio, odd: its multiples are spread evenly.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

/// `SplitMix64`'s finish: every bit of the input matters to every bit of the output.
fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_follow_from_the_seed() {
        let ids = TraceIds::new(7);
        let made: Vec<_> = (0..10_000).map(|_| ids.next()).collect();
        let distinct: HashSet<_> = made.iter().map(|made| made.trace_id).collect();
        assert_eq!(distinct.len(), made.len());
        let again = TraceIds::new(7);
        assert!(made.iter().all(|made| again.next() == *made));
        assert!(
            made.iter()
                .all(|made| TraceContext::parse(&made.to_string()) == Some(*made))
        );
        assert_ne!(TraceIds::new(8).next(), TraceIds::new(7).next());
        assert_ne!(TraceIds::from_os().next(), TraceIds::from_os().next());
    }
}
