//! Reads on threads of their own, in snapshots.
//!
//! Reads that wait together share a snapshot, taken after all of them were asked for. The tasks that ask are heard of once a turn of the
//! runtime: it wakes one reader for all that they ask, not one for each.
//!
//! Deliberately absent: anything that writes: the connections are `query_only`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::registry::Registry;
use rusqlite::Connection;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::jobs::{Jobs, Refused};
use crate::answers::{Answer, Answers};
use crate::error::StoreError;
use crate::metrics::store::{self, ReaderMetrics};

/// Reads, and says how the caller is answered.
type Job = Box<dyn FnOnce(&mut Snapshot<'_>) -> Answer + Send>;

/// A handle to the readers of a store. Clones share them; their threads end when the last is dropped and the queue is empty.
#[derive(Clone)]
pub struct Readers {
    kind: Kind,
    metrics: ReaderMetrics,
}

#[derive(Clone)]
enum Kind {
    Threads(Arc<Queue>),
    Inline(Arc<Mutex<Connection>>),
}

/// The queue as those who ask have it: closed when the last of them is gone.
struct Queue {
    jobs: Arc<Jobs<Job>>,
    /// Tells the task that wakes readers of jobs that came; `None` outside of a runtime.
    came: Option<(Arc<Notify>, AbortHandle)>,
    /// Its other end is dropped with the last connection.
    ended: watch::Receiver<()>,
}

impl Queue {
    fn of(jobs: Arc<Jobs<Job>>, ended: watch::Receiver<()>) -> Self {
        let came = Handle::try_current().ok().map(|runtime| {
            let came = Arc::new(Notify::new());
            let (jobs, heard) = (Arc::clone(&jobs), Arc::clone(&came));
            // Its turn comes after those of the tasks that are ready to ask.
            let task = runtime.spawn(async move {
                while jobs.wake() {
                    heard.notified().await;
                }
            });
            (came, task.abort_handle())
        });
        Self { jobs, came, ended }
    }

    fn push(&self, job: Job) -> Result<(), Refused> {
        self.jobs.push(job)?;
        match &self.came {
            Some((came, task)) if !task.is_finished() => came.notify_one(),
            // There is no runtime, or it has ended: each job wakes a reader.
            _ => _ = self.jobs.wake(),
        }
        Ok(())
    }

    fn close(&self) {
        self.jobs.close();
        if let Some((came, _)) = &self.came {
            came.notify_one();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").finish_non_exhaustive()
    }
}

impl Readers {
    /// One thread for each of `conns`, with one queue for all.
    pub(super) fn spawn(
        conns: Vec<Connection>,
        queue_max: usize,
        metrics: ReaderMetrics,
    ) -> io::Result<Self> {
        let jobs = Jobs::<Job>::new(queue_max);
        let (end, ended) = watch::channel(());
        let queue = Queue::of(Arc::clone(&jobs), ended);
        let answers = Answers::start();
        for (n, conn) in conns.into_iter().enumerate() {
            let (worker, answers, end) = (jobs.worker(), answers.clone(), end.clone());
            std::thread::Builder::new()
                .name(format!("store-reader-{n}"))
                .spawn(move || {
                    // Dropped after the connection, also when a read panics.
                    let _end = end;
                    let conn = conn;
                    while let Some(jobs) = worker.next() {
                        let mut snapshot = Snapshot::of(&conn);
                        let read = jobs.into_iter().map(|job| job(&mut snapshot)).collect();
                        drop(snapshot);
                        answers.leave(read);
                    }
                })?;
        }
        Ok(Self {
            kind: Kind::Threads(Arc::new(queue)),
            metrics,
        })
    }

    /// Reads on the caller's task.
    pub(super) fn inline(conn: Connection, metrics: ReaderMetrics) -> Self {
        Self {
            kind: Kind::Inline(Arc::new(Mutex::new(conn))),
            metrics,
        }
    }

    /// Adds how many reads wait to what is scraped.
    pub fn register_queue(&self, registry: &mut Registry) {
        if let Kind::Threads(queue) = &self.kind {
            let help = "Reads that wait for a reader";
            // A strong handle would keep the threads from ending.
            let queue = Arc::downgrade(queue);
            store::register_length(registry, "store_read_queue", help, move || {
                Some(queue.upgrade()?.jobs.len())
            });
        }
    }

    /// Lets the readers finish what waits, then end; resolves when their connections are closed. A read that is asked for later is
    /// answered [`StoreError::Unavailable`]. Without threads there is nothing to wait for.
    pub async fn close(&self) {
        if let Kind::Threads(queue) = &self.kind {
            queue.close();
            let mut ended = queue.ended.clone();
            while ended.changed().await.is_ok() {}
        }
    }

    /// Runs `f` on a reader thread inside one read transaction: all that it reads is of one moment, the moment of its first look,
    /// which is after this call began. Keep it short: as long as it runs, the log cannot start anew.
    ///
    /// [`StoreError::Overloaded`] at once when the queue is full; `f`'s own error; [`StoreError::Internal`] when it panics. When
    /// the caller stops waiting before its turn, `f` is not run.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = self.run(f).await;
        self.metrics.ended(&result);
        result
    }

    async fn run<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let asked = Instant::now();
        let queue = match &self.kind {
            Kind::Threads(queue) => queue,
            Kind::Inline(conn) => {
                let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
                return Snapshot::of(&conn).read(f);
            }
        };
        let (answer, answered) = oneshot::channel();
        let metrics = self.metrics.clone();
        let job: Job = Box::new(move |snapshot| {
            // The caller may stop waiting meanwhile.
            if answer.is_closed() {
                return Box::new(|| ());
            }
            let begun = Instant::now();
            let value = snapshot.read(f);
            metrics.read(begun - asked, begun.elapsed());
            Box::new(move || drop(answer.send(value)))
        });
        queue.push(job).map_err(|refused| match refused {
            Refused::Full => StoreError::Overloaded,
            Refused::Closed => StoreError::unavailable("the readers have ended"),
        })?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("a reader died in the act")))
    }
}

/// A read transaction, which begins with its first read.
struct Snapshot<'c> {
    conn: &'c Connection,
    begun: bool,
}

impl<'c> Snapshot<'c> {
    fn of(conn: &'c Connection) -> Self {
        Self { conn, begun: false }
    }

    fn read<T>(
        &mut self,
        f: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        // An error of the disk may have ended the transaction. One that could not be ended is begun again in vain: nobody reads in it.
        if !self.begun || self.conn.is_autocommit() {
            self.conn.prepare_cached("begin")?.execute([])?;
            self.begun = true;
        }
        catch_unwind(AssertUnwindSafe(|| f(self.conn)))
            .unwrap_or_else(|_| Err(StoreError::internal("a read panicked")))
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        if !self.conn.is_autocommit() {
            let ended = self.conn.prepare_cached("rollback");
            if let Err(error) = ended.and_then(|mut rollback| rollback.execute([])) {
                tracing::error!("a snapshot could not be ended: {error}");
            }
        }
    }
}
