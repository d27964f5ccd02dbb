//! What nobody waits for: acceptances left unfinished, what time alone ends, wishes for auto-withdrawal, and forgetting.
//!
//! Each unit of work is claimed in the store or harmless to do twice, so it does not matter how many workers there are or when one dies.
//! Deliberately absent: following connection-service's feed (`connections/follow.rs`).

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use service_kit::{deadline::Deadline, error::StoreError, id::PairKey};
use tokio_util::sync::CancellationToken;

use crate::usecase::{Context, finish_acceptance};

/// How many pairs are looked at in one round.
const PAIRS_MAX: usize = 200;
/// How many members are looked at in one round.
const MEMBERS_MAX: usize = 20;
/// How many acceptances are seen through at a time.
const FINISHING_MAX: usize = 16;
/// In how many rounds what is over is deleted once.
const FORGET_EVERY: u64 = 10;
/// How long one acceptance is seen through.
const FINISHING_TIME: Duration = Duration::from_secs(5);

/// Works until `stop` is cancelled, looking every `poll` for what is due.
pub async fn run(context: Arc<Context>, poll: Duration, stop: CancellationToken) {
    let work = async {
        for rounds in 0_u64.. {
            match round(&context, rounds % FORGET_EVERY == 0).await {
                // There may be more: go on at once.
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => tokio::time::sleep(poll).await,
                Err(error) => {
                    tracing::warn!("a round of the worker failed: {error}");
                    tokio::time::sleep(poll).await;
                }
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Does what is due now, up to its bounds; whether there may be more.
async fn round(context: &Context, forget: bool) -> Result<bool, StoreError> {
    let pairs = context.store.due_pairs(PAIRS_MAX).await?;
    let members = context.store.due_members(MEMBERS_MAX).await?;
    let full = pairs.len() == PAIRS_MAX || members.len() == MEMBERS_MAX;
    stream::iter(pairs)
        .for_each_concurrent(FINISHING_MAX, |key| async {
            if let Err(error) = review(context, key).await {
                tracing::warn!("a pair could not be reviewed: {error}");
            }
        })
        .await;
    for member in members {
        context.store.auto_withdraw(member).await?;
    }
    let forgetting = forget && context.store.forget_old().await?;
    Ok(forgetting || full)
}

async fn review(context: &Context, key: PairKey) -> Result<(), StoreError> {
    if let Some(awaited) = context.store.review(key).await? {
        finish_acceptance::run(context, &awaited, Deadline::after(FINISHING_TIME)).await?;
    }
    Ok(())
}
