//! The runtime that serves the wire.
//!
//! Deliberately absent: the store's threads, which are its own (see [`crate::group_commit`] and [`crate::sqlite`]).

use std::io;

use tokio::runtime::{Builder, Runtime};

/// How many threads serve the wire unless something else is configured: one does more than a store's writer can follow, and needs
/// less CPU time for each call than several, which hand work to each other.
pub const THREADS_DEFAULT: usize = 1;

/// A runtime of so many threads, at least 1. One alone is the caller's own. Fails when the system gives no threads.
pub fn build(threads: usize) -> io::Result<Runtime> {
    let mut builder = match threads {
        0 | 1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(threads.max(1)).enable_all().build()
}
