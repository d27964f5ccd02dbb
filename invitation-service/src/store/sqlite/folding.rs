//! Folding facts beside other commands: after them in each commit, and no more than they are.
//!
//! Deliberately absent: what facts do, and how many are folded at once (`command/facts.rs`).

use std::sync::Arc;

use service_kit::error::StoreError;

use super::SqliteStore;
use crate::store::{
    command::facts::{FeedFact, fold_some},
    rows::FeedCursor,
};

impl SqliteStore {
    /// Folds all of `facts`, in as many commits as it takes.
    pub(super) async fn fold_by_turns(
        &self,
        facts: Vec<FeedFact>,
        until: FeedCursor,
    ) -> Result<(), StoreError> {
        let facts = Arc::<[FeedFact]>::from(facts);
        let mut folded = 0;
        loop {
            let (policy, pace, facts_left) =
                (self.policy.clone(), self.pace.clone(), facts.clone());
            let done = self.writer.submit_last(move |batch, others| {
                batch.serve(None);
                let facts = facts_left.get(folded..).unwrap_or_default();
                let most = pace.at_once(facts_left.len(), others);
                fold_some(batch, &policy, facts, until, most)
            });
            folded += self.health.note(done.await)?;
            if folded >= facts.len() {
                return Ok(());
            }
        }
    }
}
