//! What members read, connect, block and page through.
//!
//! Deliberately absent: refusals, streams.

use acquaint_proto::connection::internal::v1::Verdict;
use acquaint_proto::connection::v1 as api;
use connection_service::Policy;
use service_kit::time::Span;
use tonic::Code;

use crate::harness::{Place, START, refused, shown, timestamp};

#[tokio::test]
async fn an_acceptance_is_read_by_both_sides() {
    let place = Place::new();
    let service = place.start().await;
    let made = service.ensure(1, "b", "a").await;
    assert_eq!(
        (made.verdict(), made.connect_time),
        (Verdict::Created, Some(timestamp(START)))
    );
    assert_eq!(made.position.as_ref().unwrap().position, 1);
    assert_eq!(shown(made.facts.as_ref().unwrap()), "a,bc");
    assert_eq!(service.ensure(1, "b", "a").await, made);
    assert_eq!(
        service.ensure(2, "a", "b").await.verdict(),
        Verdict::Already
    );
    for (member, other) in [("a", "b"), ("b", "a")] {
        let page = service.list(member, 0, "").await.unwrap();
        assert_eq!((page.total_size, page.next_page_token.as_str()), (1, ""));
        assert_eq!(page.connections[0].other_id, other);
        assert_eq!(page.connections[0].connect_time, Some(timestamp(START)));
        let request = api::GetRelationshipRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
        };
        let found = service
            .connections
            .clone()
            .get_relationship(request)
            .await
            .unwrap();
        let found = found.into_inner().relationship.unwrap();
        assert_eq!(found.status(), api::RelationshipStatus::Connected);
        assert_eq!(found.connect_time, Some(timestamp(START)));
    }
    service.stop().await;
}

#[tokio::test]
async fn a_limit_names_whose_it_is() {
    let place = Place::with(Policy {
        connections_max: 1,
        ..Policy::default()
    });
    let service = place.start().await;
    service.ensure(1, "a", "b").await;
    let refused = service.ensure(2, "c", "a").await;
    assert_eq!(
        (refused.verdict(), refused.full_member_id.as_str()),
        (Verdict::Refused, "a")
    );
    let refused = service.ensure(3, "b", "c").await;
    assert_eq!(
        (refused.verdict(), refused.full_member_id.as_str()),
        (Verdict::Refused, "b")
    );
    service.stop().await;
}

#[tokio::test]
async fn a_block_is_seen_by_the_one_who_made_it() {
    use api::RelationshipStatus::{Blocked, Connected, None};
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "a", "b").await;
    service.ensure(2, "a", "d").await;
    service.block("a", "b").await.unwrap();
    service.block("a", "b").await.unwrap();
    let seen = service
        .relationships("a", &["b", "c", "d", "b"])
        .await
        .unwrap();
    assert_eq!(seen, [Blocked, None, Connected, Blocked]);
    assert_eq!(service.relationships("b", &["a"]).await.unwrap(), [None]);
    assert_eq!(
        service.ensure(3, "b", "a").await.verdict(),
        Verdict::Blocked
    );
    service.unblock("a", "b").await.unwrap();
    assert_eq!(service.relationships("a", &["b"]).await.unwrap(), [None]);
    service.stop().await;
}

#[tokio::test]
async fn pages_belong_to_one_member_and_one_list_and_outlive_the_process() {
    let place = Place::new();
    let service = place.start().await;
    for (n, other) in ["b", "c", "d"].into_iter().enumerate() {
        service.ensure(n as u128, "a", other).await;
        service.block("m", other).await.unwrap();
        place.clock.advance(Span::millis(1));
    }
    let first = service.list("a", 2, "").await.unwrap();
    let others = |page: &api::ListConnectionsResponse| {
        page.connections
            .iter()
            .map(|c| c.other_id.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (others(&first), first.total_size),
        (vec!["d".to_owned(), "c".to_owned()], 3)
    );
    let blocked = service.blocked("m", "").await.unwrap();
    assert_eq!(blocked.blocked_members[0].other_id, "d");
    service.stop().await;
    let service = place.start().await;
    let second = service.list("a", 2, &first.next_page_token).await.unwrap();
    assert_eq!(
        (others(&second), second.next_page_token.as_str()),
        (vec!["b".to_owned()], "")
    );
    let next = service
        .blocked("m", &blocked.next_page_token)
        .await
        .unwrap();
    assert_eq!(next.blocked_members[0].other_id, "c");
    let invalid = (Code::InvalidArgument, "INVALID_TOKEN");
    refused(
        service.list("b", 2, &first.next_page_token).await,
        invalid.0,
        invalid.1,
    );
    refused(
        service.list("a", 2, &blocked.next_page_token).await,
        invalid.0,
        invalid.1,
    );
    refused(service.list("a", 2, "x").await, invalid.0, invalid.1);
    refused(
        service
            .watch(Some("a"), &first.next_page_token)
            .await
            .map(drop),
        invalid.0,
        invalid.1,
    );
    service.stop().await;
}
