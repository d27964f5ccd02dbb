//! One transaction over one connection: the commands of a batch run until nothing that they ask for is missing, what they put is written,
//! and it is committed.
//!
//! A transaction locks the one row of the history's end first, and then the rows that guard others. So whatever it reads, and whatever it does
//! not find, is as every commit before it has left it; positions and ids are given out in the order of commits, and what was read is what is
//! changed. Deliberately absent: trying again (`batch_engine.rs`).

use super::{BatchRows, Client, Failure, Locking, Shared};
use crate::error::StoreError;
use crate::time::Time;

/// How often commands are run again for what they still ask for.
pub(super) const PASSES_MAX: usize = 64;

/// What a batch does.
pub(super) type Body<'b, B> = &'b mut dyn FnMut(&mut B) -> Result<(), StoreError>;

/// One transaction over one connection.
pub(super) struct Attempt<'a, B: BatchRows> {
    pub(super) client: &'a Client,
    pub(super) shared: &'a Shared<B>,
    pub(super) batch: &'a mut B,
    /// What the transaction begins with.
    pub(super) begin: &'a str,
    /// Its number, among this process's.
    pub(super) number: i64,
}

impl<B: BatchRows> Attempt<'_, B> {
    /// What the commands come to: stored, or nothing of it where they fail.
    pub(super) async fn run(
        &mut self,
        body: Body<'_, B>,
    ) -> Result<Result<(), StoreError>, Failure> {
        self.batch.clear();
        self.discover(body).await?;
        let clock = self.lock().await?;
        let ran = self.decide(clock, body).await?;
        match ran {
            Ok(()) => self.commit().await?,
            Err(_) => self.roll_back().await?,
        }
        Ok(ran)
    }

    /// Finds out which rows the commands ask for, as far as some cannot be known before others were read. What is read here is locked by
    /// nobody, and counts for nothing else.
    async fn discover(&mut self, body: Body<'_, B>) -> Result<(), Failure> {
        let (shared, client) = (self.shared, self.client);
        let clock = shared.clock.now();
        let head = B::head_statement(Locking::Unlocked);
        for _ in 0..PASSES_MAX {
            self.batch.restart(clock);
            // What they come to on rows that may be missing says nothing, and neither does an error.
            let _ = body(self.batch);
            if !self.batch.looks() {
                return Ok(());
            }
            let before = shared.history.known();
            let loaded =
                self.batch
                    .load(client, shared.lanes, Locking::Unlocked, None, Some(&head));
            let rows = shared.in_time(loaded).await?;
            let (found, _) = shared.saw(client, before, &rows).await?;
            self.batch.found(found);
        }
        Err(too_many_passes())
    }

    /// Begins the transaction, locks the end of the history and what is to be locked of what was asked for, and loads all of it; the time.
    async fn lock(&mut self) -> Result<Time, Failure> {
        let (shared, client) = (self.shared, self.client);
        let head = B::head_statement(Locking::Locked);
        self.batch.unload();
        let before = shared.history.known();
        let loaded = self.batch.load(
            client,
            shared.lanes,
            Locking::Locked,
            Some(self.begin),
            Some(&head),
        );
        let rows = shared.in_time(loaded).await?;
        let (found, clock) = shared.saw(client, before, &rows).await?;
        self.batch.found(found);
        Ok(clock)
    }

    /// Lets the commands run until nothing is missing; what they come to then.
    async fn decide(
        &mut self,
        clock: Time,
        body: Body<'_, B>,
    ) -> Result<Result<(), StoreError>, Failure> {
        let shared = self.shared;
        for _ in 0..PASSES_MAX {
            self.batch.restart(clock);
            let ran = body(self.batch);
            if !self.batch.wants() {
                return Ok(ran);
            }
            // In whatever order: nobody else has a lock without that of the history's end.
            let loaded = self
                .batch
                .load(self.client, shared.lanes, Locking::Locked, None, None);
            shared.in_time(loaded).await?;
        }
        Err(too_many_passes())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        let (shared, client) = (self.shared, self.client);
        let marked = Box::pin(shared.history.mark(client, self.number));
        let flushed = self.batch.flush(client, shared.lanes, marked);
        if !shared.in_time(flushed).await? {
            // Nothing was put: the locks go without a word on the disk.
            return self.roll_back().await;
        }
        let committed = shared.in_time(client.commit()).await;
        committed.map_err(Failure::at_commit)
    }

    async fn roll_back(&self) -> Result<(), Failure> {
        self.shared.in_time(self.client.rollback()).await
    }
}

pub(super) fn too_many_passes() -> Failure {
    Failure::internal("commands ask for ever more rows")
}
