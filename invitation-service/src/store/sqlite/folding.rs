//! Folding facts by turns with other commands.

use service_kit::error::StoreError;

use super::SqliteStore;
use crate::store::{command::facts::FeedFact, folding::Folding, rows::FeedCursor};

impl SqliteStore {
    /// Folds all of `facts`, in as many commits as it takes.
    pub(super) async fn fold_by_turns(
        &self,
        facts: Vec<FeedFact>,
        until: FeedCursor,
    ) -> Result<(), StoreError> {
        let mut folding = Folding::new(facts, until, self.policy.clone(), self.pace.clone());
        loop {
            let mut next = folding.next();
            let done = self.writer.submit_last(move |batch, others| {
                batch.serve(None);
                next(batch, others)
            });
            if folding.folded(self.health.note(done.await)?) {
                return Ok(());
            }
        }
    }
}
