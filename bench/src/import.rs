//! `--import PAIRS`: how fast a network moves in, first and again, and what senders notice of it.
//!
//! The rows come in an order that has nothing to do with ids, over one call as an operator's tool makes it. Both services run: while
//! connection-service imports, invitation-service folds. Sends are measured before, while the rows are stored, and while what they said is still
//! being folded. Deliberately absent: how fast a tool reads its file.

use std::time::Duration;

use acquaint_proto::connection::v1::{
    ImportConnectionsRequest, ImportConnectionsResponse, ImportedConnection,
};
use anyhow::{Context as _, ensure};
use futures::stream;
use service_kit::{
    clock::{Clock as _, SystemClock},
    fields::timestamp,
    time::{Span, Time},
};
use tokio::time::{Instant, sleep};

use crate::{
    call::Clients,
    kind::Kind,
    load,
    measure::{Plan, Running, fresh},
    network::mix,
    report::Row,
    world::World,
};

/// How many connections a member has, on average.
const DEGREE: u64 = 50;
/// How many rows go in one message.
const MESSAGE_ROWS: u64 = 500;
/// How often it is looked how far folding has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Measures; prints what it finds.
pub(crate) async fn run(plan: &Plan, pairs: u64) -> anyhow::Result<()> {
    ensure!(pairs >= 1_000, "at least 1,000 pairs are needed");
    let stored = plan.stored.first().copied().context("a size")?;
    let (mut running, _scratch) = fresh(plan, stored).await?;
    println!("| what | rows/s | seconds |\n|---|---|---|");
    let sends = |what, row: &Row| println!("| {what}: {} | | |", row.line());
    for &in_flight in &plan.in_flight {
        sends("before", &send(plan, &mut running, in_flight).await?);
    }
    let before = running.world.followed()?;
    let clients = running.world.clients(0)?;
    let (first, began) = (tokio::spawn(import(clients, pairs)), Instant::now());
    for &in_flight in &plan.in_flight {
        if !first.is_finished() {
            sends(
                "while importing",
                &send(plan, &mut running, in_flight).await?,
            );
        }
    }
    let (answer, took) = first.await??;
    ensure!(answer.created_count == i64::try_from(pairs)?, "{answer:?}");
    told("imported", pairs, took);
    let head = before + pairs;
    for &in_flight in &plan.in_flight {
        if running.world.followed()? < head {
            sends("while folding", &send(plan, &mut running, in_flight).await?);
        }
    }
    // Each send is told nothing of by the feed, so its end is known.
    wait_for(&running.world, head).await?;
    told("imported and folded", pairs, began.elapsed());
    running.world.rest().await?;
    let (answer, took) = import(running.world.clients(0)?, pairs).await?;
    ensure!(answer.existing_count == i64::try_from(pairs)?, "{answer:?}");
    told("imported again", pairs, took);
    println!("| memory at most: {:?} | | |", running.world.memory()?);
    running.world.stop().await
}

fn told(what: &str, pairs: u64, took: Duration) {
    let rate = u128::from(pairs) * 1_000 / took.as_millis().max(1);
    println!("| {what} | {rate} | {:.1} |", took.as_secs_f64());
}

async fn send(plan: &Plan, running: &mut Running, in_flight: usize) -> anyhow::Result<Row> {
    let Running { world, supply } = running;
    let wanted = plan.wanted(in_flight)?;
    let mut calls = supply.calls(Kind::Send, wanted).await?;
    let clients: Vec<Clients> = (0..plan.connections.min(in_flight).max(1))
        .map(|nth| world.clients(nth))
        .collect::<Result<_, _>>()?;
    let measured = load::run(
        world,
        &clients,
        Kind::Send,
        in_flight,
        plan.spans,
        &mut calls,
    );
    Ok(Row::new(Kind::Send, in_flight, &measured.await?))
}

async fn wait_for(world: &World, position: u64) -> anyhow::Result<()> {
    while world.followed()? < position {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// Sends all rows in one call; what came of it, and how long it took.
async fn import(
    mut clients: Clients,
    pairs: u64,
) -> anyhow::Result<(ImportConnectionsResponse, Duration)> {
    let now = SystemClock.now();
    let messages = (0..pairs.div_ceil(MESSAGE_ROWS)).map(move |message| {
        let from = message * MESSAGE_ROWS;
        let rows = from..pairs.min(from + MESSAGE_ROWS);
        ImportConnectionsRequest {
            connections: rows.map(|number| row(number, pairs, now)).collect(),
        }
    });
    let began = Instant::now();
    let answer = clients
        .connections
        .import_connections(stream::iter(messages));
    Ok((answer.await?.into_inner(), began.elapsed()))
}

/// A row, another pair for each number: members are connected with some who joined soon after them.
fn row(number: u64, pairs: u64, now: Time) -> ImportedConnection {
    // A prime has no divisor in common with a number it is no divisor of: each pair comes once, out of order.
    let number = (number % pairs) * 2_654_435_761 % pairs;
    let each = DEGREE / 2;
    let members = pairs.div_ceil(each).max(4 * DEGREE);
    let (member, nth) = (number / each, number % each);
    let gap = (members / 2 / each).clamp(1, 40);
    let other = (member + 1 + nth * gap + mix(number) % gap) % members;
    ImportedConnection {
        member_id: id(member),
        other_id: id(other),
        connect_time: Some(timestamp(now.minus(Span::seconds(
            i64::try_from(1 + mix(number) % 300_000_000).unwrap_or(1),
        )))),
    }
}

/// The id of a member; the order of ids has nothing to do with who joined when.
fn id(member: u64) -> String {
    format!("i{:015x}", mix(member) & 0x0fff_ffff_ffff_ffff)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_row_is_another_pair() {
        for pairs in [1_000, 12_345, 100_000] {
            let mut seen = HashSet::new();
            for number in 0..pairs {
                let row = row(number, pairs, SystemClock.now());
                assert_ne!(row.member_id, row.other_id);
                let mut both = [row.member_id, row.other_id];
                both.sort_unstable();
                assert!(seen.insert(both), "{number} of {pairs}");
            }
        }
    }
}
