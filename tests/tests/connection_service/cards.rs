//! Cards as trusted services put them, and lists by name and search as members read them.
//!
//! Deliberately absent: the orders and matches themselves (beside the code), and malformed requests (the contract's tests).

use acquaint_proto::connection::v1 as api;
use acquaint_proto::error::v1::ErrorReason;
use acquaint_tests::wait::eventually;
use api::put_member_result::Outcome;
use service_kit::time::Span;
use tonic::{Code, Status};

use crate::harness::{Place, START, Service, refused, timestamp};

fn card(member: &str, first_name: &str, last_name: &str) -> api::MemberCard {
    api::MemberCard {
        member_id: member.to_owned(),
        first_name: first_name.to_owned(),
        last_name: last_name.to_owned(),
        headline: String::new(),
    }
}

impl Service {
    async fn put(&self, card: api::MemberCard) -> Result<api::MemberCard, Status> {
        let request = api::PutMemberRequest {
            member_id: card.member_id,
            first_name: card.first_name,
            last_name: card.last_name,
            headline: card.headline,
        };
        let answer = self.members.clone().put_member(request).await?;
        Ok(answer.into_inner().member.unwrap())
    }

    async fn card(&self, member: &str) -> Result<api::MemberCard, Status> {
        let request = api::GetMemberRequest {
            member_id: member.to_owned(),
        };
        let answer = self.members.clone().get_member(request).await?;
        Ok(answer.into_inner().member.unwrap())
    }

    async fn put_many(&self, members: Vec<api::MemberCard>) -> Vec<api::PutMemberResult> {
        let request = api::BatchPutMembersRequest { members };
        let answer = self.members.clone().batch_put_members(request).await;
        answer.unwrap().into_inner().results
    }

    async fn page(
        &self,
        request: api::ListConnectionsRequest,
    ) -> Result<api::ListConnectionsResponse, Status> {
        let answer = self.connections.clone().list_connections(request).await?;
        Ok(answer.into_inner())
    }
}

fn others(page: &api::ListConnectionsResponse) -> Vec<&str> {
    let each = page.connections.iter();
    each.map(|connection| connection.other_id.as_str())
        .collect()
}

/// Three connections of `m`, a second apart, two of them with cards.
async fn connected(place: &Place) -> Service {
    let service = place.start().await;
    for (n, other) in ["a", "b", "c"].into_iter().enumerate() {
        service.ensure(n as u128, "m", other).await;
        place.clock.advance(Span::seconds(1));
    }
    let cards = vec![card("a", "Zoë", "Abel"), card("b", "Ada", "Zorn")];
    service.put_many(cards).await;
    service
}

fn of_m() -> api::ListConnectionsRequest {
    api::ListConnectionsRequest {
        member_id: "m".to_owned(),
        ..Default::default()
    }
}

fn by(order: api::ConnectionOrder) -> api::ListConnectionsRequest {
    api::ListConnectionsRequest {
        order: order.into(),
        ..of_m()
    }
}

#[tokio::test]
async fn a_card_is_answered_as_it_is_stored_and_outlives_the_process() {
    let place = Place::new();
    let service = place.start().await;
    refused(service.card("a").await, Code::NotFound, "MEMBER_NOT_FOUND");
    let put = api::MemberCard {
        headline: " Bäcker\u{a0}".to_owned(),
        ..card("a", " Zoe\u{308} ", "")
    };
    let stored = api::MemberCard {
        headline: "Bäcker".to_owned(),
        ..card("a", "Zo\u{eb}", "")
    };
    for _ in 0..2 {
        assert_eq!(service.put(put.clone()).await.unwrap(), stored);
        assert_eq!(service.card("a").await.unwrap(), stored);
    }
    service.stop().await;
    let service = place.start().await;
    assert_eq!(service.card("a").await.unwrap(), stored);
    let other = card("a", "Ann", "Zu");
    assert_eq!(service.put(other.clone()).await.unwrap(), other);
    assert_eq!(service.card("a").await.unwrap(), other);
    service.stop().await;
}

#[tokio::test]
async fn an_erased_member_gets_no_card_and_a_batch_says_so_of_them_alone() {
    let place = Place::new();
    let service = place.start().await;
    let following = service.follow().await;
    service.put(card("eve", "Eve", "Gone")).await.unwrap();
    eventually("the erasure is complete", || async {
        service.erase("eve").await.then_some(())
    })
    .await;
    let not_found = (Code::NotFound, "MEMBER_NOT_FOUND");
    refused(service.card("eve").await, not_found.0, not_found.1);
    let again = service.put(card("eve", "Eve", "Back")).await;
    let alone = refused(again, not_found.0, not_found.1);
    let (ann, bob) = (card("ann", "Ann", ""), card("ann", "Anna", ""));
    let results = service
        .put_many(vec![ann.clone(), card("eve", "Eve", "Back"), bob.clone()])
        .await;
    let ids: Vec<_> = results.iter().map(|one| one.member_id.as_str()).collect();
    assert_eq!(ids, ["ann", "eve", "ann"]);
    assert_eq!(results[0].outcome, Some(Outcome::Member(ann)));
    assert_eq!(results[2].outcome, Some(Outcome::Member(bob.clone())));
    let Some(Outcome::Status(status)) = &results[1].outcome else {
        panic!("{results:?}");
    };
    assert_eq!(status.reason(), ErrorReason::MemberNotFound);
    assert_eq!(status.code, i32::from(alone.code()));
    assert_eq!(
        (status.message.as_str(), status.metadata.len()),
        (alone.message(), 0)
    );
    assert_eq!(service.card("ann").await.unwrap(), bob, "the later stands");
    refused(service.card("eve").await, not_found.0, not_found.1);
    following.abort();
    service.stop().await;
}

#[tokio::test]
async fn lists_are_by_time_or_by_name_with_cards_where_they_are_asked_for() {
    use api::ConnectionOrder::{FirstName, LastName, Recent, Unspecified};
    let place = Place::new();
    let service = connected(&place).await;
    for (order, expected) in [
        (Unspecified, ["c", "b", "a"]),
        (Recent, ["c", "b", "a"]),
        (FirstName, ["b", "a", "c"]),
        (LastName, ["a", "b", "c"]),
    ] {
        let page = service.page(by(order)).await.unwrap();
        assert_eq!(others(&page), expected, "{order:?}");
        assert_eq!((page.total_size, page.total_size_is_minimum), (3, false));
        assert!(page.connections.iter().all(|one| one.card.is_none()));
        let with_cards = api::ListConnectionsRequest {
            with_cards: true,
            ..by(order)
        };
        let page = service.page(with_cards).await.unwrap();
        for one in &page.connections {
            let card = service.card(&one.other_id).await.ok();
            assert_eq!(one.card, card, "{order:?}");
        }
    }
    service.stop().await;
}

#[tokio::test]
async fn a_list_may_be_of_those_who_match() {
    let place = Place::new();
    let service = connected(&place).await;
    let check = async |query: &str, after: Option<i64>, before: Option<i64>, expected: &[&str]| {
        let request = api::ListConnectionsRequest {
            query: query.to_owned(),
            connected_after: after.map(|millis| timestamp(START + millis)),
            connected_before: before.map(|millis| timestamp(START + millis)),
            ..by(api::ConnectionOrder::FirstName)
        };
        let page = service.page(request).await.unwrap();
        assert_eq!(others(&page), expected, "{query} {after:?} {before:?}");
        assert_eq!(usize::try_from(page.total_size), Ok(expected.len()));
    };
    check("zo", None, None, &["b", "a"]).await;
    check("ZOE abe", None, None, &["a"]).await;
    check(" ", None, None, &["b", "a", "c"]).await;
    check("!", None, None, &[]).await;
    check("", Some(0), None, &["b", "c"]).await;
    check("", None, Some(2_000), &["b", "a"]).await;
    check("", Some(0), Some(2_000), &["b"]).await;
    check("zo", Some(0), None, &["b"]).await;
    service.stop().await;
}

#[tokio::test]
async fn what_matches_is_counted_up_to_a_number_of_its_own() {
    let mut place = Place::new();
    place.policy.listed_counted_max = 2;
    let service = connected(&place).await;
    let everybody = api::ListConnectionsRequest {
        connected_after: Some(timestamp(0)),
        page_size: 1,
        ..of_m()
    };
    let page = service.page(everybody).await.unwrap();
    assert_eq!((page.total_size, page.total_size_is_minimum), (2, true));
    let two = api::ListConnectionsRequest {
        query: "z".to_owned(),
        ..of_m()
    };
    let page = service.page(two).await.unwrap();
    assert_eq!((page.total_size, page.total_size_is_minimum), (2, false));
    let page = service.page(of_m()).await.unwrap();
    assert_eq!((page.total_size, page.total_size_is_minimum), (3, false));
    service.stop().await;
}

#[tokio::test]
async fn a_token_goes_with_its_member_order_and_filters_only() {
    let place = Place::new();
    let service = connected(&place).await;
    let first = api::ListConnectionsRequest {
        page_size: 1,
        query: "Z".to_owned(),
        ..by(api::ConnectionOrder::FirstName)
    };
    let page = service.page(first.clone()).await.unwrap();
    assert_eq!(others(&page), ["b"]);
    let second = || api::ListConnectionsRequest {
        page_token: page.next_page_token.clone(),
        ..first.clone()
    };
    let same = [
        second(),
        // What finds the same is the same.
        api::ListConnectionsRequest {
            query: " z".to_owned(),
            ..second()
        },
        api::ListConnectionsRequest {
            page_size: 7,
            with_cards: true,
            ..second()
        },
    ];
    for request in same {
        let page = service.page(request).await.unwrap();
        assert_eq!(
            (others(&page), page.next_page_token.as_str()),
            (vec!["a"], "")
        );
    }
    let another = [
        api::ListConnectionsRequest {
            member_id: "a".to_owned(),
            ..second()
        },
        api::ListConnectionsRequest {
            order: api::ConnectionOrder::LastName.into(),
            ..second()
        },
        api::ListConnectionsRequest {
            order: api::ConnectionOrder::Recent.into(),
            ..second()
        },
        api::ListConnectionsRequest {
            query: String::new(),
            ..second()
        },
        api::ListConnectionsRequest {
            query: "z a".to_owned(),
            ..second()
        },
        api::ListConnectionsRequest {
            query: "?".to_owned(),
            ..second()
        },
        api::ListConnectionsRequest {
            connected_after: Some(timestamp(0)),
            ..second()
        },
        api::ListConnectionsRequest {
            connected_before: Some(timestamp(START + 9_000)),
            ..second()
        },
    ];
    for request in another {
        let answer = service.page(request).await;
        refused(answer, Code::InvalidArgument, "INVALID_TOKEN");
    }
    service.stop().await;
}
