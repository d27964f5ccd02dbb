//! Hearing of what other processes have written, to tell those here who watch.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{BatchRows, Client, Columns, Failure, PostgresReaders, Shared};
use crate::error::StoreError;
use crate::store_health::StoreHealth;
use crate::stored;

/// How many events one look for what others have written takes.
const HEARD_MAX: i64 = 1_000;

/// Tells watchers here of what other processes have written, looking every `poll`, until `stop` is cancelled. Notes in `health` when nothing
/// is to be had: a server that hangs may take longer to be given up than any caller waits.
pub(super) async fn hear<B: BatchRows>(
    shared: Shared<B>,
    readers: PostgresReaders,
    health: StoreHealth,
    poll: Duration,
    stop: CancellationToken,
) {
    let hearing = async {
        let mut wait = tokio::time::interval(poll);
        wait.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            wait.tick().await;
            let mut heard = hear_all(&shared, &readers).await;
            if let Err(Failure::Away(_)) = heard {
                // The connections may be of no more use, and the server well.
                readers.forget_idle();
                heard = hear_all(&shared, &readers).await;
            }
            if let Err(error) = health.note(heard.map_err(StoreError::from)) {
                tracing::debug!("what others have written could not be heard of: {error}");
            }
        }
    };
    stop.run_until_cancelled(Box::pin(hearing)).await;
}

/// Tells of all that is new, however much that is; no look at some of it takes for ever.
async fn hear_all<B: BatchRows>(
    shared: &Shared<B>,
    readers: &PostgresReaders,
) -> Result<(), Failure> {
    let connection = readers.get().await?;
    let mut more = true;
    while more {
        let client = connection.client()?;
        let heard = shared.in_time(Box::pin(hear_some(shared, client))).await;
        more = match heard {
            Err(Failure::WentBack) => {
                shared.begin_again(client).await?;
                true
            }
            heard => heard?,
        };
    }
    connection.give_back();
    Ok(())
}

/// Tells of some of what is new; whether there may be more.
async fn hear_some<B: BatchRows>(shared: &Shared<B>, client: &Client) -> Result<bool, Failure> {
    let before = shared.published.load(Ordering::Acquire);
    // Notices a history that went back, and the epochs of processes that have started.
    let (head, _) = shared.look(client).await?;
    let position = B::position(&head);
    if position < before {
        // The history went back, which is known by now: its watchers are told anew from its end.
        shared.told(before, position);
        return Ok(false);
    }
    if position == before {
        return Ok(false);
    }
    let from = stored::position_number(before);
    let rows = B::concerned_statement()
        .query(client, &[&from, &HEARD_MAX])
        .await?;
    let mut members = BTreeSet::new();
    let (mut until, more) = (before, i64::try_from(rows.len()) == Ok(HEARD_MAX));
    for row in &rows {
        let mut columns = Columns::new(row);
        until = columns.position()?;
        for _ in 1..row.len() {
            members.extend(columns.get::<Option<&str>>()?);
        }
    }
    if !more {
        // Events at the end may be gone again.
        until = until.max(position);
    }
    shared.hub.publish(until, members);
    shared.told(before, until);
    Ok(more)
}
