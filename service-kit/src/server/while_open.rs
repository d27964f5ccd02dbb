//! Serving for as long as the store is open.
//!
//! A process whose store has ended by itself must end too: it can answer nothing any more, and whoever starts it again opens the
//! store anew. Deliberately absent: closing the store, and waiting for what else the service does: both come after this.

use std::future::Future;

use tokio_util::sync::CancellationToken;

use super::HealthHandle;

/// Why serving has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to.
    Told,
    /// The store has ended by itself.
    StoreEnded,
}

/// Waits for `serving`, the task of a [`Server`](super::Server), which ends on `stop`, and cancels `stop` when `store_closed` resolves
/// before that: `health` says `NOT_SERVING` from then on. `stop` is cancelled in any case when this returns, so that all else that
/// ends on it ends.
pub(super) async fn while_open<E>(
    serving: impl Future<Output = Result<(), E>>,
    store_closed: impl Future<Output = ()>,
    health: &HealthHandle,
    stop: &CancellationToken,
) -> Result<End, E> {
    let served = async {
        let served = serving.await;
        stop.cancel();
        served
    };
    let watched = async {
        let closed = stop.run_until_cancelled(store_closed).await;
        if closed.is_none() {
            return End::Told;
        }
        health.set_not_serving();
        stop.cancel();
        End::StoreEnded
    };
    let (served, end) = tokio::join!(served, watched);
    served.map(|()| end)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{pending, ready};

    use futures::FutureExt as _;

    use super::*;

    async fn serving(stop: &CancellationToken) -> Result<(), Infallible> {
        stop.cancelled().await;
        Ok(())
    }

    #[tokio::test]
    async fn goes_on_until_told_to_end() {
        let (stop, health) = (CancellationToken::new(), HealthHandle::new());
        let mut ended = Box::pin(while_open(serving(&stop), pending(), &health, &stop));
        assert!((&mut ended).now_or_never().is_none());
        stop.cancel();
        assert_eq!(ended.await.unwrap(), End::Told);
    }

    #[tokio::test]
    async fn ends_with_the_store() {
        let (stop, health) = (CancellationToken::new(), HealthHandle::new());
        let ended = while_open(serving(&stop), ready(()), &health, &stop);
        health.set_serving();
        assert_eq!(ended.await.unwrap(), End::StoreEnded);
        assert!(!health.is_serving());
        assert!(stop.is_cancelled());
    }

    #[tokio::test]
    async fn all_ends_when_serving_fails() {
        let (stop, health) = (CancellationToken::new(), HealthHandle::new());
        let ended = while_open(ready(Err("failed")), pending(), &health, &stop);
        assert_eq!(ended.await, Err("failed"));
        assert!(stop.is_cancelled());
    }
}
