//! A transaction for what is done once, such as opening a store or a step of a copy.
//!
//! Deliberately absent: the transactions of batches (`attempt.rs`), which are done again, and readers' (`snapshot.rs`).

use super::{Client, Failure};

/// What `work` comes to, in a transaction; undone where it fails. [`Failure::Doubt`] when the answer to the commit was lost.
pub(super) async fn transaction<T, E: From<Failure>>(
    client: &Client,
    work: impl AsyncFnOnce() -> Result<T, E>,
) -> Result<T, E> {
    client.batch_execute("begin").await.map_err(Failure::from)?;
    let done = work().await;
    if done.is_err() {
        // Whatever went wrong is told; on a connection that is gone there is nothing to roll back.
        let _ = client.batch_execute("rollback").await;
        return done;
    }
    let committed = client.batch_execute("commit").await;
    committed.map_err(|error| Failure::from(error).at_commit())?;
    done
}
