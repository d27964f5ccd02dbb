//! SIGTERM: what is open is told, and the process ends in time.

use std::time::Duration;

use acquaint_proto::connection::v1::{WatchConnectionsRequest, watch_connections_request::Scope};
use acquaint_tests::frames::{END_HEADERS, Raw, call, frame, kind};
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::child::Service;

/// The drain, and what closing the store may take.
const ENDS_WITHIN: Duration = Duration::from_secs(20);

#[tokio::test(flavor = "multi_thread")]
async fn open_watches_are_told_and_do_not_hold_the_end() {
    let mut service = Service::started().await;
    let scopes = [Scope::MemberId("ann".to_owned()), Scope::AllMembers(true)];
    let mut watches = Vec::new();
    for scope in scopes {
        let request = WatchConnectionsRequest {
            scope: Some(scope),
            resume_token: String::new(),
        };
        let watch = service.connections().watch_connections(request).await;
        let mut watch = watch.unwrap().into_inner();
        assert!(watch.message().await.unwrap().is_some());
        watches.push(watch);
    }
    let health = HealthClient::new(service.channel())
        .watch(HealthCheckRequest::default())
        .await;
    let mut health = health.unwrap().into_inner();
    assert_eq!(
        health.message().await.unwrap().unwrap().status(),
        ServingStatus::Serving
    );
    service.tell_to_end();
    for mut watch in watches {
        let end = watch.message().await.unwrap_err();
        assert_eq!(end.code(), Code::Unavailable);
    }
    let told = health.message().await.unwrap().unwrap();
    assert_eq!(told.status(), ServingStatus::NotServing);
    service.ends_within(Duration::from_secs(8)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_goes_on_does_not_hold_the_end() {
    let mut service = Service::started().await;
    // A call whose message never comes, and a connection that says nothing.
    let mut raw = Raw::connect(service.address, &[]).await.unwrap();
    let list = "/acquaint.connection.v1.ConnectionService/ListConnections";
    assert!(
        raw.send(&frame(kind::HEADERS, END_HEADERS, 1, &call(list)))
            .await
    );
    let silent = tokio::net::TcpStream::connect(service.address)
        .await
        .unwrap();
    service.tell_to_end();
    service.ends_within(ENDS_WITHIN).await;
    drop((raw, silent));
}
