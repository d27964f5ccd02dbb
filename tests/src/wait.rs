//! Waiting for a condition, with a bound.

use std::{future::Future, time::Duration};

use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// How long a condition may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(20);
/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until `look` gives a value; fails with `what` when it does not within [`PATIENCE`].
pub async fn eventually<T, W>(what: &str, mut look: impl FnMut() -> W) -> T
where
    W: Future<Output = Option<T>>,
{
    let found = tokio::time::timeout(PATIENCE, async {
        let mut pause = tokio::time::interval(PAUSE);
        loop {
            pause.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    });
    found
        .await
        .unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Waits until `look` gives a value; fails with `what` when it does not within `limit`, which is what the test is about.
pub async fn within<T, W>(limit: Duration, what: &str, look: impl FnMut() -> W) -> T
where
    W: Future<Output = Option<T>>,
{
    tokio::time::timeout(limit, eventually(what, look))
        .await
        .unwrap_or_else(|_| panic!("not within {limit:?}: {what}"))
}

/// Waits until the service at the other end of `channel` says that it serves: it answers before its store is open.
pub async fn until_serving(channel: Channel) {
    let health = HealthClient::new(channel);
    eventually("the service serves", || async {
        let answer = health.clone().check(HealthCheckRequest::default()).await;
        (answer.ok()?.get_ref().status() == ServingStatus::Serving).then_some(())
    })
    .await;
}
