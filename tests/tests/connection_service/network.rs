//! The network around a member: from memory and from the store the same answers as plain SQL, at every moment.
//!
//! Deliberately absent: the index itself (tested beside the code) and malformed requests.

use std::collections::BTreeSet;
use std::time::Duration;

use acquaint_proto::connection::v1 as api;
use acquaint_tests::wait::eventually;
use connection_service::graph::GraphOptions;
use connection_service::{Policy, domain::network::SHOWN_MAX};
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use service_kit::time::Span;
use tonic::{Code, Status};

use crate::harness::{Place, Service, refused};
use crate::oracle::Oracle;

/// Only memory answers; however long that takes.
const MEMORY: GraphOptions = GraphOptions {
    memory_mebibytes_max: 64,
    views_mebibytes_max: 1,
    wait: Duration::from_secs(10),
    searches_max: 2,
    store_rows_max: 0,
};
/// Only the store answers.
const STORE: GraphOptions = GraphOptions {
    memory_mebibytes_max: 0,
    store_rows_max: 1_000_000,
    ..MEMORY
};
/// Nobody answers.
const NEITHER: GraphOptions = GraphOptions {
    store_rows_max: 0,
    ..STORE
};

fn place(graph: GraphOptions) -> Place {
    Place {
        graph,
        ..Place::new()
    }
}

/// What a member is answered, in few words.
impl Service {
    async fn between(
        &self,
        member: &str,
        others: &[String],
        with_mutual_counts: bool,
    ) -> Vec<(i32, Option<i32>)> {
        let request = api::BatchGetRelationshipsRequest {
            member_id: member.to_owned(),
            other_ids: others.to_vec(),
            with_mutual_counts,
        };
        let answer = self
            .connections
            .clone()
            .batch_get_relationships(request)
            .await;
        let found = answer.unwrap().into_inner().relationships.into_iter();
        found
            .map(|found| (found.degree, found.mutual_count))
            .collect()
    }

    async fn relationship(&self, member: &str, other: &str) -> api::Relationship {
        let request = api::GetRelationshipRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
        };
        let answer = self.connections.clone().get_relationship(request).await;
        answer.unwrap().into_inner().relationship.unwrap()
    }

    async fn mutual(
        &self,
        member: &str,
        other: &str,
        page_size: i32,
        page_token: &str,
    ) -> Result<api::ListMutualConnectionsResponse, Status> {
        let request = api::ListMutualConnectionsRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
        };
        let answer = self
            .connections
            .clone()
            .list_mutual_connections(request)
            .await;
        Ok(answer?.into_inner())
    }

    async fn suggest(
        &self,
        member: &str,
        page_size: i32,
        page_token: &str,
    ) -> Result<api::SuggestConnectionsResponse, Status> {
        let request = api::SuggestConnectionsRequest {
            member_id: member.to_owned(),
            page_size,
            page_token: page_token.to_owned(),
        };
        let answer = self.connections.clone().suggest_connections(request).await;
        Ok(answer?.into_inner())
    }

    async fn dismiss(&self, member: &str, other: &str) -> Result<(), Status> {
        let request = api::DismissSuggestionRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
        };
        let answer = self.connections.clone().dismiss_suggestion(request).await;
        answer.map(drop)
    }

    async fn all_mutual(&self, member: &str, other: &str) -> Vec<String> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = self.mutual(member, other, 2, &token).await.unwrap();
            found.extend(page.member_ids);
            token = page.next_page_token;
            if token.is_empty() {
                assert_eq!(found.len(), usize::try_from(page.total_size).unwrap());
                return found;
            }
        }
    }

    async fn all_suggestions(
        &self,
        member: &str,
        page_size: i32,
    ) -> Vec<(String, i32, Vec<String>)> {
        let (mut found, mut token) = (Vec::new(), String::new());
        loop {
            let page = self.suggest(member, page_size, &token).await.unwrap();
            let suggested = page.suggestions.into_iter();
            found.extend(suggested.map(|one| (one.other_id, one.mutual_count, one.mutual_ids)));
            token = page.next_page_token;
            if token.is_empty() {
                return found;
            }
        }
    }

    /// Until memory answers.
    async fn built(&self) {
        eventually("memory answers", || async {
            let known =
                self.relationship("nobody", "no-one").await.degree() != api::Degree::Unspecified;
            known.then_some(())
        })
        .await;
    }
}

fn id(n: u32) -> String {
    format!("m{n:02}")
}

async fn compare(service: &Service, oracle: &Oracle, member: &str, members: u32) {
    let others: Vec<_> = (0..members)
        .map(id)
        .filter(|other| other != member)
        .collect();
    let expected: Vec<_> = others
        .iter()
        .map(|other| {
            let count = i32::try_from(oracle.mutual(member, other).len()).unwrap();
            (oracle.degree(member, other), Some(count))
        })
        .collect();
    assert_eq!(
        service.between(member, &others, true).await,
        expected,
        "of {member}"
    );
    let degrees: Vec<_> = expected.iter().map(|(degree, _)| (*degree, None)).collect();
    assert_eq!(
        service.between(member, &others, false).await,
        degrees,
        "of {member}"
    );
    let (other, expected) = (&others[0], expected[0]);
    let one = service.relationship(member, other).await;
    assert_eq!(
        (one.degree, one.mutual_count),
        expected,
        "of {member} and {other}"
    );
    assert_eq!(
        service.all_mutual(member, other).await,
        oracle.mutual(member, other)
    );
    assert_eq!(
        service.all_suggestions(member, 3).await,
        oracle.suggestions(member)
    );
}

/// Some members do at random what members do, and each is asked about somebody right after.
async fn live(service: &Service, oracle: &Oracle, seed: u64, steps: u32, members: u32) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut erased = BTreeSet::new();
    for step in 0..steps {
        let (a, b) = (
            random.random_range(0..members),
            random.random_range(0..members),
        );
        let (a, b) = if a == b {
            (a, (b + 1) % members)
        } else {
            (a, b)
        };
        let present = |n: u32| !erased.contains(&n);
        let (one, other) = (id(a), id(b));
        match random.random_range(0..100) {
            0 => {
                service.erase(&one).await;
                erased.insert(a);
            }
            1..=60 => {
                service.ensure(u128::from(step), &one, &other).await;
            }
            61..=80 if present(a) => service.remove(&one, &other).await.unwrap(),
            81..=88 if present(a) => service.block(&one, &other).await.unwrap(),
            89..=94 if present(a) => service.unblock(&one, &other).await.unwrap(),
            95..=99 if present(a) => service.dismiss(&one, &other).await.unwrap(),
            _ => {}
        }
        compare(service, oracle, &one, members).await;
        compare(service, oracle, &other, members).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_answered_sees_it_and_memory_and_store_answer_as_plain_sql() {
    for (seed, graph) in [(1, MEMORY), (2, STORE)] {
        let place = place(graph);
        let service = place.start().await;
        if graph == MEMORY {
            service.built().await;
        }
        let oracle = Oracle::of(&place.file());
        live(&service, &oracle, seed, 120, 14).await;
        service.stop().await;
        // Built anew from what is stored.
        let service = place.start().await;
        if graph == MEMORY {
            service.built().await;
        }
        for member in 0..14 {
            compare(&service, &oracle, &id(member), 14).await;
        }
        service.stop().await;
    }
}

/// Everybody from b01 to b09 connects aa to those of them that are also connected to others.
async fn star(service: &Service) {
    let mut number = 0;
    for middle in 1..10 {
        let middle = format!("b{middle:02}");
        for end in ["aa", "cc", "dd"] {
            number += 1;
            service.ensure(number, end, &middle).await;
        }
    }
    service.ensure(number + 1, "b01", "ee").await;
    service.ensure(number + 2, "b02", "ee").await;
    service.ensure(number + 3, "b01", "ff").await;
}

#[tokio::test]
async fn suggestions_leave_out_the_connected_the_blocked_and_the_dismissed() {
    for graph in [MEMORY, STORE] {
        let place = place(graph);
        let service = place.start().await;
        star(&service).await;
        let suggested = async |member: &str| {
            let all = service.all_suggestions(member, 2).await.into_iter();
            all.map(|(other, count, _)| (other, count))
                .collect::<Vec<_>>()
        };
        let owned = |found: &[(&str, i32)]| {
            let found = found
                .iter()
                .map(|(other, count)| ((*other).to_owned(), *count));
            found.collect::<Vec<_>>()
        };
        eventually("the graph is built", || async {
            service.suggest("aa", 1, "").await.ok()
        })
        .await;
        assert_eq!(
            suggested("aa").await,
            owned(&[("cc", 9), ("dd", 9), ("ee", 2), ("ff", 1)])
        );
        let first = service
            .suggest("aa", 1, "")
            .await
            .unwrap()
            .suggestions
            .remove(0);
        assert_eq!(first.mutual_ids, ["b01", "b02", "b03"]);
        assert_eq!(first.mutual_ids.len(), SHOWN_MAX);
        service.dismiss("aa", "ee").await.unwrap();
        service.dismiss("aa", "ee").await.unwrap();
        assert_eq!(
            suggested("aa").await,
            owned(&[("cc", 9), ("dd", 9), ("ff", 1)])
        );
        // It is one side's own.
        assert!(suggested("ee").await.contains(&("aa".to_owned(), 2)));
        service.block("cc", "aa").await.unwrap();
        service.block("aa", "dd").await.unwrap();
        assert_eq!(suggested("aa").await, owned(&[("ff", 1)]));
        for other in ["cc", "dd"] {
            assert!(suggested(other).await.iter().all(|(one, _)| one != "aa"));
            assert_eq!(service.all_mutual("aa", other).await, Vec::<String>::new());
            assert_eq!(service.all_mutual(other, "aa").await, Vec::<String>::new());
        }
        service.stop().await;
    }
}

#[tokio::test]
async fn as_many_dismissals_are_remembered_as_are_allowed() {
    let place = Place {
        graph: MEMORY,
        ..Place::with(Policy {
            dismissals_max: 2,
            acknowledgement_wait: Span::millis(1),
            ..Policy::default()
        })
    };
    let service = place.start().await;
    star(&service).await;
    service.built().await;
    for other in ["cc", "dd", "ee"] {
        service.dismiss("aa", other).await.unwrap();
        place.clock.advance(Span::millis(1));
    }
    let found = service.all_suggestions("aa", 10).await;
    let found: Vec<_> = found.iter().map(|(other, _, _)| other.as_str()).collect();
    assert_eq!(found, ["cc", "ff"], "the oldest was forgotten");
    service.stop().await;
}

#[tokio::test]
async fn nothing_of_an_erased_member_is_left_in_anybodys_answers_or_dismissals() {
    let place = place(MEMORY);
    let service = place.start().await;
    star(&service).await;
    service.built().await;
    let oracle = Oracle::of(&place.file());
    service.dismiss("aa", "cc").await.unwrap();
    service.dismiss("dd", "aa").await.unwrap();
    assert_eq!(oracle.dismissals("aa"), 2);
    service.erase("aa").await;
    assert_eq!(
        service.relationship("b01", "aa").await.degree(),
        api::Degree::Further
    );
    assert_eq!(service.all_mutual("b01", "b02").await, ["cc", "dd", "ee"]);
    assert_eq!(oracle.dismissals("aa"), 0);
    refused(
        service.dismiss("aa", "cc").await,
        Code::NotFound,
        "MEMBER_NOT_FOUND",
    );
    service.dismiss("cc", "aa").await.unwrap();
    assert_eq!(
        oracle.dismissals("aa"),
        0,
        "nothing about the erased is stored again"
    );
    service.stop().await;
}

#[tokio::test]
async fn pages_belong_to_their_query_and_outlive_the_process() {
    let place = place(MEMORY);
    let service = place.start().await;
    star(&service).await;
    service.built().await;
    let mutual = service.mutual("aa", "cc", 4, "").await.unwrap();
    assert_eq!((mutual.member_ids.len(), mutual.total_size), (4, 9));
    let suggested = service.suggest("aa", 2, "").await.unwrap();
    service.stop().await;
    let service = place.start().await;
    service.built().await;
    let rest = service
        .suggest("aa", 10, &suggested.next_page_token)
        .await
        .unwrap();
    let rest: Vec<_> = rest
        .suggestions
        .iter()
        .map(|one| one.other_id.as_str())
        .collect();
    assert_eq!(rest, ["ee", "ff"]);
    // Two have left since the first page, one before and one after where it ended.
    service.remove("aa", "b01").await.unwrap();
    service.remove("cc", "b09").await.unwrap();
    let next = service
        .mutual("aa", "cc", 10, &mutual.next_page_token)
        .await
        .unwrap();
    assert_eq!(next.member_ids, ["b05", "b06", "b07", "b08"]);
    assert_eq!((next.total_size, next.next_page_token.as_str()), (7, ""));
    let invalid = (Code::InvalidArgument, "INVALID_TOKEN");
    for (one, other, token) in [
        ("aa", "dd", &mutual.next_page_token),
        ("cc", "aa", &mutual.next_page_token),
        ("aa", "cc", &suggested.next_page_token),
    ] {
        refused(
            service.mutual(one, other, 2, token).await,
            invalid.0,
            invalid.1,
        );
    }
    for (member, token) in [
        ("cc", &suggested.next_page_token),
        ("aa", &mutual.next_page_token),
    ] {
        refused(
            service.suggest(member, 2, token).await,
            invalid.0,
            invalid.1,
        );
    }
    service.stop().await;
}

#[tokio::test]
async fn where_no_answer_can_be_had_there_is_none_and_not_a_wrong_one() {
    let place = place(NEITHER);
    let service = place.start().await;
    star(&service).await;
    let unavailable = (Code::Unavailable, "DEPENDENCY_UNAVAILABLE");
    refused(
        service.mutual("aa", "cc", 0, "").await,
        unavailable.0,
        unavailable.1,
    );
    refused(
        service.suggest("aa", 0, "").await,
        unavailable.0,
        unavailable.1,
    );
    let found = service.relationship("aa", "b01").await;
    assert_eq!(
        found.status(),
        api::RelationshipStatus::Connected,
        "which the store knows"
    );
    assert_eq!(
        (found.degree(), found.mutual_count),
        (api::Degree::Unspecified, None)
    );
    let others = ["b01", "cc"].map(str::to_owned);
    assert_eq!(
        service.between("aa", &others, true).await,
        [(0, None), (0, None)]
    );
    service.stop().await;
}
