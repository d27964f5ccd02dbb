//! The work that nobody waits for: forgetting what has served its time, and carrying erasures through.
//!
//! Looks every so often for something to do and does it in small steps between the commands of callers. Doing it late or twice
//! changes nothing. Deliberately absent: a schedule; what is due is seen from the store alone.

use std::time::Duration;

use service_kit::crash;
use service_kit::error::StoreError;
use service_kit::metrics::work::WorkMetrics;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::store::Store;

/// Works until `stop` is cancelled. What the store cannot do now is tried again in the next round.
pub async fn run(store: &dyn Store, poll: Duration, stop: &CancellationToken, work: &WorkMetrics) {
    // An interval of nothing would never rest.
    let mut rounds = interval(poll.max(Duration::from_millis(1)));
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let work = async {
        loop {
            rounds.tick().await;
            match round(store, work).await {
                Ok(()) => {}
                Err(error) => error.log("a round of the worker"),
            }
        }
    };
    // Cut between two steps or in one: each is a transaction.
    let _ = stop.run_until_cancelled(work).await;
}

/// Does all that is due. Each erasure goes at most one stage further.
pub async fn round(store: &dyn Store, work: &WorkMetrics) -> Result<(), StoreError> {
    let due = store.due().await?;
    for member in due.erasures {
        let steps = async {
            while store.advance_erasure(member.clone()).await? {}
            Ok(())
        };
        counted(work, "erasures", steps).await?;
        crash::point("erasure.step");
    }
    if due.removal_marks {
        let steps = async {
            while store.forget_removal_marks().await? {}
            Ok(())
        };
        counted(work, "removal_marks", steps).await?;
    }
    if due.verdicts {
        let steps = async {
            while store.forget_verdicts().await? {}
            Ok(())
        };
        counted(work, "verdicts", steps).await?;
    }
    if due.facts {
        let steps = async {
            while store.forget_facts().await? {}
            Ok(())
        };
        counted(work, "facts", steps).await?;
    }
    if due.dropped_labels {
        let steps = async {
            while store.forget_dropped_labels().await? {
                crash::point("dropped_labels.step");
            }
            Ok(())
        };
        counted(work, "dropped_labels", steps).await?;
    }
    Ok(())
}

/// Takes all steps of a job and counts how that ended.
async fn counted(
    work: &WorkMetrics,
    kind: &'static str,
    steps: impl Future<Output = Result<(), StoreError>>,
) -> Result<(), StoreError> {
    let ended = steps.await;
    work.ended(kind, &ended);
    ended
}
