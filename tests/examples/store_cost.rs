//! What sending costs in the store, over each engine: microseconds of CPU for each command, here and in PostgreSQL.
//!
//! `store_cost [COMMANDS] [IN_FLIGHT]`, usually 20000 and 64. Everything lies in memory and nothing is forced to the disk, so this is work
//! alone, without waiting. Deliberately absent: the wire, the limiter and connection-service, which `acquaint-bench` measures with it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::cast_precision_loss,
    clippy::cast_lossless,
    reason = "a tool for those who measure"
)]

use std::{fs, sync::Arc};

use acquaint_tests::{
    engines::{Engine, Place},
    postgres::PostgresServer,
};
use futures::{StreamExt as _, stream};
use invitation_service::{
    domain::{
        note::{Note, Source},
        policy::Policy,
    },
    store::{Store, command::send::SendInvitation},
};
use service_kit::{clock::SystemClock, id::MemberId};
use tokio::time::Instant;
use uuid::Uuid;

/// How long a tick of the kernel's accounting is, in microseconds.
const TICK_MICROS: u64 = 10_000;

/// What a process has used so far, in microseconds, with those that it has waited for.
fn used(pid: &str) -> u64 {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
        return 0;
    };
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = fields[11..15]
        .iter()
        .map(|ticks| ticks.parse::<u64>().unwrap());
    ticks.sum::<u64>() * TICK_MICROS
}

/// What a server's processes have used so far.
fn used_by_server(server: &PostgresServer) -> u64 {
    server
        .processes()
        .iter()
        .map(|pid| used(&pid.to_string()))
        .sum()
}

fn member(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

async fn send_all(store: &Arc<dyn Store>, first: usize, commands: usize, in_flight: usize) {
    let sends = (first..first + commands).map(|number| {
        let send = SendInvitation {
            inviter: member(&format!("inviter-{}", number % 5_000)),
            invitee: member(&format!("invitee-{number}")),
            note: Note::default(),
            source: Source::default(),
            request_id: Some(Uuid::from_u128(number as u128 + 1)),
            told: None,
        };
        store.send(send)
    });
    let mut sends = stream::iter(sends).buffer_unordered(in_flight);
    while let Some(outcome) = sends.next().await {
        outcome.unwrap().unwrap();
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse().unwrap());
    let commands: usize = arguments.next().unwrap_or(20_000);
    let in_flight: usize = arguments.next().unwrap_or(64);
    println!("| engine | µs of CPU here | µs in PostgreSQL | sends/s |\n|---|---|---|---|");
    for engine in Engine::ALL {
        let place = engine.place().await;
        let store = place.open(Policy::default(), Arc::new(SystemClock)).await;
        send_all(&store, 0, commands / 4, in_flight).await;
        let server = match &place {
            Place::Database { database, .. } => Some(database.server()),
            Place::File(_) => None,
        };
        let before = (
            used("self"),
            server.map_or(0, used_by_server),
            Instant::now(),
        );
        send_all(&store, commands, commands, in_flight).await;
        let each = |now: u64, before: u64| (now - before) as f64 / commands as f64;
        let here = each(used("self"), before.0);
        let there = each(server.map_or(0, used_by_server), before.1);
        let rate = commands as f64 / before.2.elapsed().as_secs_f64();
        println!("| {engine:?} | {here:.0} | {there:.0} | {rate:.0} |");
        store.close().await;
    }
}
