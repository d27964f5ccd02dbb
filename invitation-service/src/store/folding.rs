//! Folding facts beside other commands: after them in each commit, and no more than they are.
//!
//! Deliberately absent: what facts do, and how many are folded at once (`command/facts.rs`).

use std::sync::Arc;

use service_kit::error::StoreError;

use super::{
    command::facts::{FeedFact, Pace, fold_some},
    rows::{FeedCursor, Rows},
};
use crate::domain::policy::Policy;

/// Facts that are folded in as many commits as it takes.
#[derive(Clone)]
pub(in crate::store) struct Folding {
    facts: Arc<[FeedFact]>,
    until: FeedCursor,
    policy: Arc<Policy>,
    pace: Arc<Pace>,
    folded: usize,
}

impl Folding {
    pub(in crate::store) fn new(
        facts: Vec<FeedFact>,
        until: FeedCursor,
        policy: Arc<Policy>,
        pace: Arc<Pace>,
    ) -> Self {
        Self {
            facts: facts.into(),
            until,
            policy,
            pace,
            folded: 0,
        }
    }

    /// Folds the next of them beside so many other commands, and says how many that were. Run anew, as a batch may be, it folds as many as the first
    /// time.
    pub(in crate::store) fn next(
        &self,
    ) -> impl FnMut(&mut dyn Rows, usize) -> Result<usize, StoreError> + Send + 'static {
        let folding = self.clone();
        let mut most = None;
        move |rows, others| {
            let facts = folding.facts.get(folding.folded..).unwrap_or_default();
            let most = *most.get_or_insert_with(|| folding.pace.at_once(facts.len(), others));
            fold_some(rows, &folding.policy, facts, folding.until, most)
        }
    }

    /// So many more are folded. Whether all are.
    pub(in crate::store) fn folded(&mut self, more: usize) -> bool {
        self.folded += more;
        self.folded >= self.facts.len()
    }
}
