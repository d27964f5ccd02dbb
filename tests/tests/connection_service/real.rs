//! A real friendship network: answers about the network around a member against a plain search through sets.
//!
//! Deliberately absent: blocks and dismissals, which a friendship network does not have (see `network`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use acquaint_proto::connection::v1 as api;
use acquaint_tests::friendships;
use acquaint_tests::wait::eventually;
use connection_service::domain::ensure::Acceptance;
use connection_service::domain::network::{Degree, Tie};
use connection_service::graph::network::Network;
use connection_service::store::{Store as _, sqlite::SqliteStore};
use service_kit::clock::ManualClock;
use service_kit::environment::Environment;
use service_kit::group_commit::GroupCommitOptions;
use service_kit::id::{MemberId, PairKey};
use service_kit::sqlite::{SqliteOptions, Synchronous};
use service_kit::time::Time;
use uuid::Uuid;

use crate::harness::{Place, START, Service};

const ALL: usize = usize::MAX;

type Friends = BTreeMap<String, BTreeSet<String>>;

fn name(n: u32) -> String {
    format!("person-{n:04}")
}

fn id(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

fn friends(pairs: &[(u32, u32)]) -> Friends {
    let mut friends = Friends::new();
    for &(a, b) in pairs {
        for (one, other) in [(a, b), (b, a)] {
            friends.entry(name(one)).or_default().insert(name(other));
        }
    }
    friends
}

/// How far everybody is from one, up to 3.
fn degrees(friends: &Friends, from: &str) -> BTreeMap<String, Degree> {
    let mut found = BTreeMap::from([(from.to_owned(), Degree::First)]);
    let mut border = vec![from.to_owned()];
    for degree in [Degree::First, Degree::Second, Degree::Third] {
        let mut next = Vec::new();
        for other in border.iter().flat_map(|one| &friends[one]) {
            if !found.contains_key(other) {
                found.insert(other.clone(), degree);
                next.push(other.clone());
            }
        }
        border = next;
    }
    found.remove(from);
    found
}

fn mutual(friends: &Friends, one: &str, other: &str) -> Vec<String> {
    friends[one]
        .intersection(&friends[other])
        .cloned()
        .collect()
}

/// Whom one may know, with how many friends in common.
fn suggestions(friends: &Friends, one: &str) -> Vec<(String, u32)> {
    let mut counts = BTreeMap::new();
    for reached in friends[one].iter().flat_map(|near| &friends[near]) {
        if reached != one && !friends[one].contains(reached) {
            *counts.entry(reached.clone()).or_insert(0) += 1;
        }
    }
    let mut found: Vec<_> = counts.into_iter().collect();
    found.sort_by_key(|(other, count)| (Reverse(*count), other.clone()));
    found
}

#[test]
fn memory_answers_as_a_plain_search_does() {
    let pairs = friendships::pairs();
    let friends = friends(&pairs);
    let mut network = Network::new(1 << 20);
    for &(a, b) in &pairs {
        network
            .set(&id(&name(a)), &id(&name(b)), Tie::Connected)
            .unwrap();
    }
    assert_eq!(network.size().directions, 2 * friendships::PAIRS);
    let everybody: Vec<_> = friends.keys().map(|name| id(name)).collect();
    // The one with most friends, and some all over.
    let most = friends.iter().max_by_key(|(_, of)| of.len()).unwrap().0;
    for one in friends.keys().step_by(331).chain([most]) {
        let member = id(one);
        let expected = degrees(&friends, one);
        let compare = |network: &Network| {
            let found = network.between(&member, &everybody, true, ALL).unwrap();
            for (other, found) in everybody
                .iter()
                .zip(found)
                .filter(|(other, _)| **other != member)
            {
                let degree = expected
                    .get(other.as_str())
                    .copied()
                    .unwrap_or(Degree::Further);
                let count = u32::try_from(mutual(&friends, one, other.as_str()).len()).unwrap();
                assert_eq!(
                    (found.degree, found.mutual_count),
                    (degree, Some(count)),
                    "{one} {other}"
                );
            }
        };
        compare(&network);
        network.begin(&member);
        while !network.advance(&member, 1_000).unwrap() {}
        compare(&network);
        let found = network
            .suggestions(&member, &[], None, 5_000, ALL)
            .unwrap()
            .suggestions;
        let found = found
            .iter()
            .map(|one| (one.member.to_string(), one.mutual_count));
        assert_eq!(
            found.collect::<Vec<_>>(),
            suggestions(&friends, one),
            "{one}"
        );
    }
}

/// Those of the pairs in which both numbers are low enough.
fn part(people: u32) -> Vec<(u32, u32)> {
    let mut pairs = friendships::pairs();
    pairs.retain(|(_, high)| *high < people);
    pairs
}

async fn connect(store: &SqliteStore, pairs: &[(u32, u32)]) {
    let now = Time::from_millis(START);
    for together in pairs.chunks(1_000) {
        let all = together.iter().map(async |&(a, b)| {
            let key = PairKey::new(&id(&name(a)), &id(&name(b))).unwrap();
            let acceptance = Acceptance {
                invitation: Uuid::from_u64_pair(a.into(), b.into()),
                number: 1,
                accept_time: now,
                acceptor: key.side_of(&id(&name(a))).unwrap(),
            };
            store.ensure_connection(key, acceptance).await.unwrap()
        });
        futures::future::join_all(all).await;
    }
}

async fn asked(service: &Service, one: &str, others: &[String]) -> Vec<i32> {
    let request = api::BatchGetRelationshipsRequest {
        member_id: one.to_owned(),
        other_ids: others.to_vec(),
        with_mutual_counts: false,
    };
    let answer = service
        .connections
        .clone()
        .batch_get_relationships(request)
        .await;
    let found = answer.unwrap().into_inner().relationships;
    found.iter().map(|found| found.degree).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_answers_as_a_plain_search_does_also_after_it_has_changed() {
    let mut place = Place::new();
    // Only memory answers, however long that takes.
    place.graph.store_rows_max = 0;
    place.graph.wait = Duration::from_secs(10);
    let mut options = SqliteOptions::new(place.file());
    options.synchronous = Synchronous::Normal;
    let clock = Arc::new(ManualClock::new(Time::from_millis(START)));
    let groups = GroupCommitOptions::default();
    let store = SqliteStore::open(options, groups, place.policy, Environment::system(clock));
    let store = store.unwrap();
    let mut pairs = part(500);
    connect(&store, &pairs).await;
    store.close().await;
    drop(store);
    let service = place.start().await;
    eventually("the index is built", || async {
        let degrees = asked(&service, &name(0), &[name(1)]).await;
        (degrees[0] == i32::from(api::Degree::First)).then_some(())
    })
    .await;
    check(&service, &pairs).await;
    // Some go while others look.
    let gone: Vec<_> = pairs.iter().copied().step_by(97).collect();
    let (changing, looking) = (
        async {
            for &(a, b) in &gone {
                service.remove(&name(a), &name(b)).await.unwrap();
            }
        },
        async {
            for one in 0..40 {
                let others: Vec<_> = (41..90).map(name).collect();
                let degrees = asked(&service, &name(one), &others).await;
                assert!(degrees.iter().all(|degree| (1..=4).contains(degree)));
            }
        },
    );
    tokio::join!(changing, looking);
    pairs.retain(|pair| !gone.contains(pair));
    check(&service, &pairs).await;
    service.stop().await;
}

async fn check(service: &Service, pairs: &[(u32, u32)]) {
    let friends = friends(pairs);
    for one in friends.keys().step_by(61) {
        let others: Vec<_> = friends
            .keys()
            .filter(|other| *other != one)
            .cloned()
            .collect();
        let expected = degrees(&friends, one);
        let found = asked(service, one, &others).await;
        for (other, found) in others.iter().zip(found) {
            let degree = match expected.get(other) {
                Some(Degree::First) => 1,
                Some(Degree::Second) => 2,
                Some(Degree::Third) => 3,
                Some(Degree::Further) | None => 4,
            };
            assert_eq!(found, degree, "{one} and {other}");
        }
    }
}
