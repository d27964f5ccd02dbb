//! The pair loses nothing, doubles nothing and gets stuck nowhere, wherever its processes die.
//!
//! `ACQUAINT_CRASH_RUNS` says how often each crash point is run (2), `ACQUAINT_KILLS` how many random kills there are (20),
//! `ACQUAINT_CRASH_SEED` where a run begins, and `ACQUAINT_CRASH_AT` names the one point to run. Deliberately absent: failures of the
//! machine; a process that is killed has handed its writes to the system already.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

#[path = "crash/backup.rs"]
mod backup;
#[path = "crash/checker.rs"]
mod checker;
#[path = "crash/disk.rs"]
mod disk;
#[path = "crash/kills.rs"]
mod kills;
#[path = "crash/points.rs"]
mod points;

use acquaint_tests::rig::process::Programs;

/// The programs, with crash points.
const PROGRAMS: Programs = Programs {
    invitation: env!("CARGO_BIN_EXE_invitation-service-under-test"),
    connection: env!("CARGO_BIN_EXE_connection-service-under-test"),
};

/// How many runs are under way at a time. Most of a run is waiting.
const AT_A_TIME: usize = 4;

/// A count from the environment.
fn count(key: &str, default: u64) -> u64 {
    std::env::var(key).map_or(default, |text| text.parse().expect(key))
}
