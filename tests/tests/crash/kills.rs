//! Either process, or both, is killed at any moment.

use std::time::Duration;

use acquaint_tests::{
    engines::Engine,
    rig::{Rig, process::Which},
    wait::PATIENCE,
};
use fastrand::Rng;
use futures::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::{AT_A_TIME, PROGRAMS, count, points::pause};

/// How many kills one pair lives through.
const KILLS_A_RUN: u64 = 4;
/// How long a process lives between two kills, at most.
const ALIVE_MAX_MILLIS: u64 = 400;
/// How many calls are begun between two kills, at most.
const CALLS_MAX: usize = 100;
/// How long it is away.
const AWAY_MAX_MILLIS: u64 = 150;

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_whenever_either_is_killed() {
    kills(Engine::Sqlite, count("ACQUAINT_KILLS", 20)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_postgresql_whenever_either_is_killed() {
    kills(Engine::PostgresInLanes, count("ACQUAINT_KILLS", 12)).await;
}

async fn kills(engine: Engine, kills: u64) {
    let begin = count("ACQUAINT_CRASH_SEED", 1);
    let began = Instant::now();
    let outcomes = stream::iter(0..kills.div_ceil(KILLS_A_RUN))
        .map(|number| async move {
            let seed = begin + number;
            let kills = KILLS_A_RUN.min(kills - number * KILLS_A_RUN);
            let run = tokio::spawn(run(engine, seed, kills)).await;
            (seed, run.unwrap_or_else(|panic| vec![panic.to_string()]))
        })
        .buffer_unordered(AT_A_TIME);
    let outcomes: Vec<_> = outcomes.collect().await;
    let failed = outcomes.iter().filter(|(_, wrong)| !wrong.is_empty());
    let failed: Vec<_> = failed
        .map(|(seed, wrong)| format!("seed {seed}:\n  {}", wrong.join("\n  ")))
        .collect();
    println!(
        "random kills: {{\"engine\": \"{engine:?}\", \"kills\": {kills}, \"runs\": {}, \"failed runs\": {}, \"seconds\": {}}}",
        outcomes.len(),
        failed.len(),
        began.elapsed().as_secs()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

async fn run(engine: Engine, seed: u64, kills: u64) -> Vec<String> {
    let mut rng = Rng::with_seed(seed);
    let mut rig = Rig::on(engine, PROGRAMS, seed).await;
    rig.processes.start().await;
    rig.begin().await;
    for _ in 0..kills {
        // Any moment, also of the start; or in the middle of the load.
        if rng.bool() {
            pause(&mut rng, ALIVE_MAX_MILLIS).await;
        } else {
            let calls = rng.usize(1..=CALLS_MAX);
            assert!(rig.calls_begin(calls, PATIENCE).await, "there is no load");
        }
        let dying = match rng.u8(0..3) {
            0 => &[Which::Invitation][..],
            1 => &[Which::Connection],
            _ => &Which::BOTH,
        };
        for which in dying {
            rig.processes.service(*which).kill().await;
        }
        for which in dying {
            pause(&mut rng, AWAY_MAX_MILLIS).await;
            rig.processes.service(*which).start(None);
        }
    }
    assert!(
        rig.calls_begin(CALLS_MAX, PATIENCE).await,
        "there is no load"
    );
    rig.settle().await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_in_the_middle_of_everything_loses_nothing() {
    orderly_ends(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orderly_end_on_postgresql_loses_nothing() {
    orderly_ends(Engine::Postgres).await;
}

async fn orderly_ends(engine: Engine) {
    let mut rig = Rig::on(engine, PROGRAMS, 7).await;
    rig.processes.start().await;
    rig.begin().await;
    for which in [Which::Connection, Which::Invitation] {
        tokio::time::sleep(Duration::from_millis(300)).await;
        rig.processes.service(which).stop().await;
        rig.processes.start().await;
    }
    assert_eq!(rig.settle().await, Vec::<String>::new());
}
