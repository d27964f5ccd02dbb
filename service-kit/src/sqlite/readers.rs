//! Reads on threads of their own, each in a snapshot.
//!
//! Deliberately absent: anything that writes: the connections are `query_only`.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::registry::Registry;
use rusqlite::Connection;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::jobs::{Jobs, Refused};
use crate::answers::Answers;
use crate::error::StoreError;
use crate::metrics::store::{self, ReaderMetrics};

type Job = Box<dyn FnOnce(&Connection) + Send>;

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
    answers: Answers,
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.jobs.close();
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
        let queue = Queue {
            jobs: Arc::clone(&jobs),
            answers: Answers::start(),
        };
        for (n, conn) in conns.into_iter().enumerate() {
            let worker = jobs.worker();
            std::thread::Builder::new()
                .name(format!("store-reader-{n}"))
                .spawn(move || {
                    while let Some(job) = worker.next() {
                        job(&conn);
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
                return snapshot(&conn.lock().unwrap_or_else(PoisonError::into_inner), f);
            }
        };
        let (answer, answered) = oneshot::channel();
        let (metrics, answers) = (self.metrics.clone(), queue.answers.clone());
        let job: Job = Box::new(move |conn| {
            if !answer.is_closed() {
                // The caller may stop waiting meanwhile.
                let begun = Instant::now();
                let value = snapshot(conn, f);
                metrics.read(begun - asked, begun.elapsed());
                answers.leave(move || drop(answer.send(value)));
            }
        });
        queue.jobs.push(job).map_err(|refused| match refused {
            Refused::Full => StoreError::Overloaded,
            Refused::Closed => StoreError::unavailable("the readers have ended"),
        })?;
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("a reader died in the act")))
    }
}

fn snapshot<T>(
    conn: &Connection,
    f: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    conn.prepare_cached("begin")?.execute([])?;
    let value = catch_unwind(AssertUnwindSafe(|| f(conn)))
        .unwrap_or_else(|_| Err(StoreError::internal("a read panicked")));
    // An error of the disk may have ended the transaction already.
    if !conn.is_autocommit() {
        conn.prepare_cached("rollback")?.execute([])?;
    }
    value
}
