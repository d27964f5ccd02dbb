//! Health says what is so: before the store is ready, and while it fails.

use std::time::Duration;

use acquaint_proto::connection::v1::{BlockMemberRequest, ListConnectionsRequest};
use acquaint_tests::refusal::Refusal;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::child::Service;

/// Takes the store's one place to write, until dropped.
fn hold(service: &Service) -> rusqlite::Connection {
    let holder = rusqlite::Connection::open(service.store()).unwrap();
    holder.execute_batch("begin immediate").unwrap();
    holder
}

#[tokio::test(flavor = "multi_thread")]
async fn before_the_store_is_open_the_service_says_so() {
    let mut service = Service::started().await;
    service.tell_to_end();
    service.ends_within(Duration::from_secs(20)).await;
    let holder = hold(&service);
    service.start();
    service.says(ServingStatus::NotServing).await;
    let mut connections = service.connections();
    let listed = connections.list_connections(ListConnectionsRequest::default());
    let refused = Refusal::of(&listed.await.unwrap_err());
    assert_eq!(refused.reason, "DEPENDENCY_UNAVAILABLE");
    assert!(refused.retry_after.is_some());
    drop(holder);
    service.says(ServingStatus::Serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_fails_the_service_says_so() {
    let service = Service::started().await;
    let holder = hold(&service);
    let block = |timeout| {
        let mut request = tonic::Request::new(BlockMemberRequest {
            member_id: "ann".to_owned(),
            other_id: "bob".to_owned(),
        });
        request.set_timeout(timeout);
        let mut blocks = service.blocks();
        async move { blocks.block_member(request).await }
    };
    // Longer than the store waits.
    let refused = block(Duration::from_secs(30)).await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason, "DEPENDENCY_UNAVAILABLE");
    service.says(ServingStatus::NotServing).await;
    drop(holder);
    service.says(ServingStatus::Serving).await;
    block(Duration::from_secs(30)).await.unwrap();
}
