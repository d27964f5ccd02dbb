//! The writer of a store on PostgreSQL: runs batches of commands in transactions, as often as other processes are in the way, and wakes
//! watchers.
//!
//! Deliberately absent: the thread and the batching ([`crate::group_commit`]), what happens within a transaction (`attempt.rs`), and what the
//! commands do.

use std::io;

use super::attempt::Attempt;
use super::writer::CONFLICTS_MAX;
use super::{BatchRows, Connector, Failure, PostgresOptions, Shared, Writer};
use crate::error::StoreError;
use crate::group_commit::{Engine, Undone};
use crate::store_health::StoreHealth;

/// How often several commands begin anew together for what others are in the way of; after that fewer at a time do.
const CONFLICTS_OF_SEVERAL_MAX: u32 = 2;
/// How often one batch finds that the history has gone back.
const WENT_BACK_MAX: usize = 3;

/// The write side of a store with rows of this kind.
pub struct BatchEngine<B: BatchRows> {
    writer: Writer,
    shared: Shared<B>,
    batch: B,
    health: StoreHealth,
    /// The number of the transaction under way, among this process's.
    number: i64,
}

impl<B: BatchRows> BatchEngine<B> {
    /// A writer that is not connected yet, with a `batch` that has not begun. Notes in `health` when it cannot do anything: who waits for it
    /// may have given up before. Fails when the system gives it no runtime.
    pub fn new(
        connector: Connector,
        options: &PostgresOptions,
        shared: Shared<B>,
        batch: B,
        health: StoreHealth,
    ) -> io::Result<Self> {
        Ok(Self {
            writer: Writer::new(connector, options, shared.random.clone())?,
            batch,
            shared,
            health,
            number: 0,
        })
    }
}

impl<B: BatchRows> Engine for BatchEngine<B> {
    type Work = B;

    fn transaction(
        &mut self,
        commands: usize,
        body: &mut dyn FnMut(&mut Self::Work) -> Result<(), StoreError>,
    ) -> Result<(), Undone> {
        let Self {
            writer,
            shared,
            batch,
            health,
            number,
        } = self;
        *number += 1;
        let number = *number;
        let begin = writer.begin().to_owned();
        let conflicts_max = if commands > 1 {
            CONFLICTS_OF_SEVERAL_MAX
        } else {
            CONFLICTS_MAX
        };
        let mut went_back = 0;
        loop {
            let mut in_doubt = false;
            let done = writer.run_up_to(conflicts_max, async |client| {
                if in_doubt {
                    let committed = shared.history.was_committed(client, number);
                    if shared.in_time(committed).await? {
                        return Ok(Ok(()));
                    }
                }
                let mut attempt = Attempt {
                    client,
                    shared,
                    batch,
                    begin: &begin,
                    number,
                };
                let done = attempt.run(body).await;
                in_doubt = matches!(done, Err(Failure::Doubt(_)));
                done
            });
            match done {
                Err(Failure::WentBack) if went_back < WENT_BACK_MAX => {
                    went_back += 1;
                    let begun = writer.run(async |client| shared.begin_again(client).await);
                    begun.map_err(StoreError::from)?;
                }
                Ok(ran) => return ran.map_err(Undone::Body),
                // Of fewer commands there may be none that others are in the way of, or whose rows make no sense.
                Err(failure @ (Failure::Conflict(_) | Failure::Store(_))) => {
                    return Err(Undone::Rows(failure.into()));
                }
                Err(failure) => return Ok(health.note(Err(failure.into()))?),
            }
        }
    }

    fn committed(&mut self) {
        let (from, to) = self.batch.written();
        self.shared.history.wrote(to);
        self.shared.hub.publish(to, self.batch.concerned());
        // Where nothing of others lies between, they have been told of everything.
        self.shared.told(from, to);
        self.batch.committed();
        self.batch.clear();
    }
}
