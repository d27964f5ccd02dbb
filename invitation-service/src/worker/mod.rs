//! What nobody waits for: acceptances left unfinished, what time alone ends, wishes for auto-withdrawal, and forgetting.
//!
//! Each unit of work is claimed in the store or harmless to do twice, so it does not matter how many workers there are or when one dies. Of
//! several processes on one store the one that leads works, which spares the others the looking.
//! Deliberately absent: following connection-service's feed (`connections/follow.rs`).

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream};
use service_kit::{
    crash,
    deadline::Deadline,
    error::StoreError,
    id::PairKey,
    trace::{self, SpanKind},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    domain::accept::Ruled,
    usecase::{Context, finish_acceptance},
};

/// How much the worker does, and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// How often it looks for something to do. Default 100 ms.
    pub poll: Duration,
    /// How many pairs are looked at in one round. At least 1. Default 200.
    pub pairs_max: usize,
    /// How many members are looked at in one round. At least 1. Default 20.
    pub members_max: usize,
    /// How many pairs are reviewed, and acceptances seen through, at a time. At least 1. Default 16.
    pub acceptances_max: usize,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            poll: Duration::from_millis(100),
            pairs_max: 200,
            members_max: 20,
            acceptances_max: 16,
        }
    }
}

/// In how many rounds what is over is deleted once.
const FORGET_EVERY: u64 = 10;
/// The span of seeing an acceptance through.
const FINISHING: &str = "worker/FinishAcceptance";
/// How long one acceptance is seen through.
const FINISHING_TIME: Duration = Duration::from_secs(5);

/// Works until `stop` is cancelled, within the bounds of `options`, whenever this process leads.
pub async fn run(
    context: Arc<Context>,
    options: WorkerOptions,
    mut leads: watch::Receiver<bool>,
    stop: CancellationToken,
) {
    let work = async {
        for rounds in 0_u64.. {
            // Whoever says so has ended: so does this.
            if leads.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            match round(&context, &options, rounds % FORGET_EVERY == 0).await {
                // There may be more: go on at once.
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => tokio::time::sleep(options.poll).await,
                Err(error) => {
                    error.log("a round of the worker");
                    tokio::time::sleep(options.poll).await;
                }
            }
        }
    };
    stop.run_until_cancelled(work).await;
}

/// Does what is due now, up to its bounds; whether there may be more.
async fn round(
    context: &Context,
    options: &WorkerOptions,
    forget: bool,
) -> Result<bool, StoreError> {
    let pairs = context.store.due_pairs(options.pairs_max).await?;
    let members = context.store.due_members(options.members_max).await?;
    let full = pairs.len() == options.pairs_max || members.len() == options.members_max;
    stream::iter(pairs)
        .for_each_concurrent(options.acceptances_max, |key| async {
            let reviewed = review(context, key).await;
            context.metrics.work.ended("pairs", &reviewed);
            if let Err(error) = reviewed {
                error.log("reviewing a pair");
            }
        })
        .await;
    for member in members {
        let withdrawn = context.store.auto_withdraw(member).await;
        context.metrics.work.ended("auto_withdrawals", &withdrawn);
        withdrawn?;
    }
    let forgetting = forget && context.store.forget_old().await?;
    Ok(forgetting || full)
}

async fn review(context: &Context, key: PairKey) -> Result<(), StoreError> {
    let Some(awaited) = context.store.review(key).await? else {
        return Ok(());
    };
    crash::point("worker.claimed");
    // A part of the trace of the call that accepted.
    let mut span = context
        .tracer
        .begin(FINISHING, SpanKind::Internal, awaited.trace);
    let within = span.context();
    let finishing = async {
        let deadline = Deadline::after(FINISHING_TIME);
        let finished = finish_acceptance::run(context, &awaited, deadline).await;
        let outcome = outcome(&finished);
        context.metrics.work.done("acceptances", outcome);
        span.set("acquaint.outcome", outcome);
        tracing::debug!(outcome, "an acceptance was taken up");
        finished
    };
    trace::within(within, finishing).await?;
    Ok(())
}

fn outcome(finished: &Result<Option<Ruled>, StoreError>) -> &'static str {
    match finished {
        Ok(Some(Ruled::Connected { .. })) => "connected",
        Ok(Some(Ruled::Returned { .. })) => "returned",
        Ok(Some(Ruled::Gone)) => "gone",
        Ok(Some(Ruled::NotAwaited)) => "done_before",
        Ok(None) => "no_verdict",
        Err(_) => "failed",
    }
}
