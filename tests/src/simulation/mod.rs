//! The pair in simulated time, on a simulated network, in one thread: a seed settles everything that happens.
//!
//! What runs is the real thing from the wire's frames to the rows in SQLite: both services with their handlers, use cases, workers, feed
//! and stores. What is simulated is what they run on: the network (turmoil's), time (tokio's, paused; each service's clock follows it and
//! is moved by the plan), randomness, and the executor of the stores, which work in place. Processes are killed in between, networks cut,
//! slowed and held, clocks moved. In the end all is healed, and what is stored must agree with itself, with what callers were answered and
//! with what watchers were told ([`check`]).
//!
//! One process runs one seed ([`run::run`]), for what a process has counted before would show in the next run: `src/bin/simulate.rs`.
//! Deliberately absent: disks that fail, and crashes between two steps that wait for nothing.

#![allow(
    clippy::indexing_slicing,
    reason = "hosts and the columns of queries are settled here; what goes wrong is a failed test"
)]

mod caller;
mod check;
mod device;
mod history;
mod network;
mod plan;
mod run;
mod service;
mod variant;
mod watching;

pub use run::run;
pub use variant::Variant;
