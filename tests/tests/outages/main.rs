//! The server under both services goes away, comes back, or is replaced, while two processes of each are under load: what is asked
//! meanwhile is refused at once, everything goes on by itself, and nothing that was answered is lost, doubled or stuck.
//!
//! `ACQUAINT_OUTAGE_SECONDS` says how long a server is away (2), `ACQUAINT_RESTARTS` how often it is restarted (3), `ACQUAINT_FAILOVERS` how
//! often one fails over (1). Deliberately absent: two servers that may be written at a time, which whoever runs them must rule out.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod failover;
mod meanwhile;
mod pooler;
mod stops;

use std::time::Duration;

use acquaint_tests::{
    postgres::{Ending, PostgresServer},
    rig::{Rig, process::Programs},
    wait::PATIENCE,
};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    task::{block_in_place, spawn_blocking},
};

/// The programs, with crash points.
const PROGRAMS: Programs = Programs {
    invitation: env!("CARGO_BIN_EXE_invitation-service-under-test"),
    connection: env!("CARGO_BIN_EXE_connection-service-under-test"),
};
/// How many calls are begun between two disturbances.
const CALLS: usize = 100;
/// How many runs are under way at a time: each is four processes and a server or two, and is to be back in time.
const AT_A_TIME: usize = 2;

/// A count from the environment.
fn count(key: &str, default: u64) -> u64 {
    std::env::var(key).map_or(default, |text| text.parse().expect(key))
}

/// How long a server is away.
fn outage() -> Duration {
    Duration::from_secs(count("ACQUAINT_OUTAGE_SECONDS", 2))
}

/// Waits until one more run may be under way; it is while this is held.
async fn turn() -> SemaphorePermit<'static> {
    static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);
    TURNS.acquire().await.unwrap()
}

/// A server that no other test uses.
async fn server() -> PostgresServer {
    spawn_blocking(PostgresServer::start).await.unwrap()
}

/// The names of new databases for both services.
async fn databases(server: &PostgresServer) -> [String; 2] {
    [server.database(None).await, server.database(None).await]
}

/// Two processes of each service under load. `of_services`, `of_lookers`: where the databases are, invitation-service's first.
async fn under_load(seed: u64, of_services: &[String; 2], of_lookers: &[String; 2]) -> Rig {
    let mut rig = Rig::of_two(PROGRAMS, seed, of_services, of_lookers);
    rig.errors_are_expected();
    rig.processes.start().await;
    rig.begin().await;
    go_on(&rig).await;
    rig
}

/// Waits until some more has been done.
async fn go_on(rig: &Rig) {
    assert!(rig.calls_begin(CALLS, PATIENCE).await, "there is no load");
}

fn stop(server: &PostgresServer, ending: Ending) {
    block_in_place(|| server.stop(ending));
}

fn run(server: &PostgresServer) {
    block_in_place(|| server.run());
}
