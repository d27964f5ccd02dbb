//! Asking one replica whether it serves, for as long as it is known.
//!
//! On a connection of its own: the balancer's come and go with what is said here. Deliberately absent: what follows from the answer
//! (`keeper.rs`).

use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::transport::Endpoint;
use tonic::{Status, Streaming};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// How long a replica may take to connect and answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How long after an attempt to hear from a replica the next begins, at the earliest.
const AGAIN: Duration = Duration::from_millis(250);

/// Tells whether the replica on `address` serves, at first and at each change; never ends.
pub(super) async fn ask(
    address: SocketAddr,
    endpoint: Endpoint,
    told: mpsc::Sender<(SocketAddr, bool)>,
) {
    let mut pace = interval(AGAIN);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let begun = timeout(ANSWER_MAX, begin(&endpoint)).await;
        let Ok(Ok((first, mut more))) = begun else {
            // Nobody to tell is nobody who would wait for it; this task is about to be aborted.
            let _ = told.send((address, false)).await;
            continue;
        };
        let mut said = Some(first);
        while let Some(answer) = said {
            let serves = answer.status() == ServingStatus::Serving;
            let _ = told.send((address, serves)).await;
            said = more.message().await.ok().flatten();
        }
        // A connection ends when it is old, too: whether the replica has gone shows when it is asked again, which is at once.
    }
}

async fn begin(
    endpoint: &Endpoint,
) -> Result<(HealthCheckResponse, Streaming<HealthCheckResponse>), Status> {
    let away = |error: tonic::transport::Error| Status::unavailable(error.to_string());
    let mut client = HealthClient::new(endpoint.connect().await.map_err(away)?);
    let mut answers = client
        .watch(HealthCheckRequest::default())
        .await?
        .into_inner();
    let first = answers.message().await?;
    let first = first.ok_or_else(|| Status::unavailable("no answer"))?;
    Ok((first, answers))
}
