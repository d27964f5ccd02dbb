//! Refusals: their order, codes, reasons and details.
//!
//! Deliberately absent: refusals of streams (beside the streams).

use acquaint_proto::connection::internal::v1 as internal;
use acquaint_proto::connection::v1 as api;
use connection_service::Policy;
use internal::FactPosition;
use service_kit::time::Span;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::harness::{Place, refused};

#[tokio::test]
async fn every_violation_is_named_at_once() {
    let place = Place::new();
    let service = place.start().await;
    let mut others = vec!["b".to_owned(); 3];
    others[2] = "not an id".to_owned();
    let batch = api::BatchGetRelationshipsRequest {
        member_id: String::new(),
        other_ids: others,
        with_mutual_counts: false,
    };
    let batch = service
        .connections
        .clone()
        .batch_get_relationships(batch)
        .await;
    let ensure = internal::EnsureConnectionRequest {
        invitation_id: "1".to_owned(),
        inviter_id: "a".to_owned(),
        invitee_id: "a".to_owned(),
        ..internal::EnsureConnectionRequest::default()
    };
    let ensure = service.facts.clone().ensure_connection(ensure).await;
    let pairs = vec![internal::MemberPair {
        low_id: "b".to_owned(),
        high_id: "a".to_owned(),
    }];
    let pairs = internal::BatchGetPairFactsRequest { pairs };
    let pairs = service.facts.clone().batch_get_pair_facts(pairs).await;
    let none = api::BatchGetRelationshipsRequest {
        member_id: "a".to_owned(),
        other_ids: vec![],
        with_mutual_counts: false,
    };
    let none = service
        .connections
        .clone()
        .batch_get_relationships(none)
        .await;
    let remove = api::RemoveConnectionRequest {
        member_id: "a".to_owned(),
        other_id: "b".to_owned(),
        connect_time: Some(prost_types::Timestamp {
            seconds: 0,
            nanos: -1,
        }),
    };
    let remove = service.connections.clone().remove_connection(remove).await;
    let scope = api::WatchConnectionsRequest::default();
    let scope = service.connections.clone().watch_connections(scope).await;
    let position = service.acknowledge(FactPosition::default()).await;
    for (answer, fields) in [
        (batch.map(drop), &["member_id", "other_ids[2]"][..]),
        (none.map(drop), &["other_ids"]),
        (service.list("a", -1, "").await.map(drop), &["page_size"]),
        (
            ensure.map(drop),
            &["invitation_id", "acceptance", "accept_time", "invitee_id"],
        ),
        (pairs.map(drop), &["pairs[0]"]),
        (remove.map(drop), &["connect_time"]),
        (scope.map(drop), &["scope"]),
        (position, &["position.incarnation"]),
    ] {
        let status = refused(answer, Code::InvalidArgument, "INVALID_FIELD");
        let violations = status.get_details_bad_request().unwrap().field_violations;
        assert_eq!(
            violations
                .iter()
                .map(|v| v.field.as_str())
                .collect::<Vec<_>>(),
            fields
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn refusals_come_in_the_order_of_the_contract() {
    let place = Place::with(Policy {
        blocks_max: 1,
        acknowledgement_wait: Span::millis(1),
        ..Policy::default()
    });
    let service = place.start().await;
    service.erase("e").await;
    let (own, gone) = (
        (Code::InvalidArgument, "SELF_REFERENCE"),
        (Code::NotFound, "MEMBER_NOT_FOUND"),
    );
    for (member, other, (code, reason)) in [("a", "a", own), ("e", "e", gone), ("e", "a", gone)] {
        refused(service.remove(member, other).await, code, reason);
        refused(service.block(member, other).await, code, reason);
        refused(service.unblock(member, other).await, code, reason);
    }
    refused(service.relationships("a", &["b", "a"]).await, own.0, own.1);
    service.block("a", "b").await.unwrap();
    let full = service.block("a", "c").await;
    let full = refused(full, Code::ResourceExhausted, "BLOCK_LIMIT_REACHED");
    assert_eq!(
        full.get_details_quota_failure().unwrap().violations.len(),
        1
    );
    service
        .block("a", "e")
        .await
        .expect("an erased member looks like any other");
    service.stop().await;
}
