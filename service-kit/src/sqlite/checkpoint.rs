//! Carrying the log over into the file, away from those who commit.
//!
//! The writer tells the length of the log after each commit that matters; in between the thread sleeps. A passive checkpoint
//! hinders nobody, and once it has caught up, the next commit starts the log anew. Under an unbroken stream of commits it never
//! quite catches up, so beyond a second bound the writer is held for the moment that the rest takes, once the rest is little.
//!
//! Deliberately absent: a clock. A store that is not written to needs no checkpoint.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use tokio::time::Instant;

use super::OpenError;
use crate::crash;
use crate::metrics::store::CheckpointMetrics;

/// Beyond so many frames (64 MiB) the log is made to start anew.
const RESTART_FRAMES: u32 = 8_192;
/// With so few frames left to carry over (2 MiB) the writer may be held for the rest.
const REST_FRAMES: i32 = 256;
/// How many passes are made, at most, before the writer is held whatever is left.
const CATCH_UP_MAX: u32 = 8;
/// How long starting anew waits for readers to leave the log. The writer waits with it, so it is short; what fails is tried
/// again with the next passive one.
const RESTART_WAIT_MAX: Duration = Duration::from_millis(50);

/// The thread that checkpoints. When dropped it empties the log, as far as readers let it, and ends before the drop returns.
#[derive(Debug)]
pub struct Checkpointer {
    shared: Arc<Shared>,
    metrics: CheckpointMetrics,
    /// A passive checkpoint each time that the log has grown by so many frames.
    passive_frames: u32,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The length of the log when last told, in frames; 0 when that has been dealt with.
    frames: u32,
    closing: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The length of the log to deal with; `None` when it is time to end.
    fn next(&self) -> Option<u32> {
        let idle = |state: &mut State| state.frames == 0 && !state.closing;
        let mut state = self
            .changed
            .wait_while(self.state(), idle)
            .unwrap_or_else(PoisonError::into_inner);
        let frames = std::mem::take(&mut state.frames);
        (!state.closing).then_some(frames)
    }
}

impl Checkpointer {
    pub(super) fn spawn(
        conn: Connection,
        metrics: CheckpointMetrics,
        passive_frames: u32,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new()
            .name("store-checkpointer".to_owned())
            .spawn({
                let (shared, metrics) = (shared.clone(), metrics.clone());
                move || {
                    if let Err(error) = conn.busy_timeout(RESTART_WAIT_MAX) {
                        tracing::warn!("checkpointer: {error}");
                    }
                    while let Some(frames) = shared.next() {
                        crash::point("checkpoint.begun");
                        let done = run(&conn, CheckpointMode::PASSIVE, &metrics);
                        crash::point("checkpoint.done");
                        if frames >= RESTART_FRAMES {
                            start_anew(&conn, done, &metrics);
                        }
                    }
                    crash::point("stop.checkpoint");
                    run(&conn, CheckpointMode::TRUNCATE, &metrics);
                    crash::point("stop.closed");
                }
            })?;
        Ok(Self {
            shared,
            metrics,
            passive_frames,
            thread: Some(thread),
        })
    }

    /// Follows the commits of `writer` from now on. Replaces any other log hook of that connection.
    pub(super) fn watch(&self, writer: &mut Connection) -> Result<(), OpenError> {
        let (shared, metrics) = (self.shared.clone(), self.metrics.clone());
        let passive_frames = self.passive_frames;
        let mut told = 0;
        let hook = move |_: &mut Wal, frames: i32| {
            let frames = u32::try_from(frames).unwrap_or(0);
            metrics.log_has(frames);
            if frames < told {
                // The log has started anew.
                told = 0;
            }
            if frames - told >= passive_frames {
                told = frames;
                shared.state().frames = frames;
                shared.changed.notify_one();
            }
            Ok(())
        };
        writer.wal_hook(Some(hook))?;
        Ok(())
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.shared.state().closing = true;
        self.shared.changed.notify_one();
        if self
            .thread
            .take()
            .is_some_and(|thread| thread.join().is_err())
        {
            tracing::error!("the checkpointer panicked");
        }
    }
}

/// Makes the next commit start the log anew. `done`: how many of its frames have been carried over, if that is known.
fn start_anew(conn: &Connection, mut done: Option<i32>, metrics: &CheckpointMetrics) {
    for _ in 0..CATCH_UP_MAX {
        let before = done;
        done = run(conn, CheckpointMode::PASSIVE, metrics);
        let came = done.zip(before).map(|(done, before)| done - before);
        if came.is_none_or(|came| came <= REST_FRAMES) {
            break;
        }
    }
    run(conn, CheckpointMode::RESTART, metrics);
}

/// One checkpoint; how many frames of the log have been carried over by now, if it was done.
fn run(conn: &Connection, mode: CheckpointMode, metrics: &CheckpointMetrics) -> Option<i32> {
    let begun = Instant::now();
    match conn.wal_checkpoint_v2(Some(rusqlite::MAIN_DB), mode) {
        Ok((frames, done)) => {
            metrics.done(begun.elapsed());
            tracing::debug!(frames, done, "checkpoint");
            Some(done)
        }
        // A reader or the writer would not wait; the next one will do it.
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            tracing::debug!("checkpoint put off: {error}");
            None
        }
        Err(error) => {
            metrics.failed();
            tracing::error!("checkpoint failed: {error}");
            None
        }
    }
}
