//! Moving connections in: what becomes of each row, that it can be repeated, and that a broken stream leaves whole rows behind.

use std::collections::{BTreeMap, BTreeSet};

use acquaint_proto::connection::v1 as api;
use api::ImportRefusalReason as Reason;
use connection_service::Policy;
use futures::{StreamExt as _, stream};
use service_kit::time::Span;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::harness::{Place, START, Service, Watch, facts_until, refused, timestamp};

/// A row: two ids, and a time in milliseconds.
type Row<'a> = (&'a str, &'a str, Option<i64>);

fn rows(rows: &[Row<'_>]) -> api::ImportConnectionsRequest {
    let row = |(member, other, millis): &Row<'_>| api::ImportedConnection {
        member_id: (*member).to_owned(),
        other_id: (*other).to_owned(),
        connect_time: millis.map(timestamp),
    };
    let connections = rows.iter().map(row).collect();
    api::ImportConnectionsRequest { connections }
}

impl Service {
    /// Imports rows, each in a message of its own.
    async fn import(&self, all: &[Row<'_>]) -> api::ImportConnectionsResponse {
        let messages: Vec<_> = all.iter().map(|row| rows(&[*row])).collect();
        let mut connections = self.connections.clone();
        let answer = connections.import_connections(stream::iter(messages));
        answer.await.unwrap().into_inner()
    }
}

/// What was refused: for each reason the numbers of the rows. Checks that everything adds up.
fn refusals(answer: &api::ImportConnectionsResponse) -> BTreeMap<Reason, Vec<i64>> {
    let counts = answer.refusals.iter().map(|refused| refused.count);
    let refused: i64 = counts.sum();
    let counted = answer.created_count + answer.existing_count + refused;
    assert_eq!(counted, answer.row_count, "{answer:?}");
    let reasons: Vec<_> = answer.refusals.iter().map(|r| r.reason).collect();
    assert!(reasons.is_sorted(), "{answer:?}");
    let of = |refused: &api::ImportRefusals| (refused.reason(), refused.row_numbers.clone());
    answer.refusals.iter().map(of).collect()
}

#[tokio::test]
async fn each_row_is_taken_or_named_with_its_reason() {
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "a", "b").await;
    service.block("c", "d").await.unwrap();
    service.erase("gone").await;
    service.remove("e", "f").await.unwrap();
    let made = Some(START - 1_000);
    let long = "x".repeat(65);
    let answer = service
        .import(&[
            ("x", "y", made),
            ("", "y", made),
            ("x", "a b", None),
            (long.as_str(), "y", made),
            ("x", "z", None),
            ("x", "x", made),
            ("x", "z", Some(START + 1)),
            ("gone", "x", made),
            ("x", "gone", Some(START + 1)),
            ("c", "d", made),
            ("d", "c", made),
            ("f", "e", made),
            ("b", "a", made),
            ("y", "x", Some(START - 5)),
            ("x", "z", Some(START)),
            ("e", "g", Some(-1)),
        ])
        .await;
    assert_eq!((answer.row_count, answer.created_count), (16, 3));
    assert_eq!(answer.existing_count, 2);
    let expected = BTreeMap::from([
        (Reason::MalformedId, vec![2, 3, 4]),
        (Reason::MalformedTime, vec![5]),
        (Reason::Self_, vec![6]),
        (Reason::FutureTime, vec![7, 9]),
        (Reason::Erased, vec![8]),
        (Reason::Blocked, vec![10, 11]),
        (Reason::Removed, vec![12]),
    ]);
    assert_eq!(refusals(&answer), expected);
    let list = service.list("x", 10, "").await.unwrap();
    let listed: Vec<_> = list
        .connections
        .iter()
        .map(|line| (line.other_id.as_str(), line.connect_time.unwrap()))
        .collect();
    let expected = [("z", timestamp(START)), ("y", timestamp(START - 1_000))];
    assert_eq!(listed, expected, "the first of two rows for a pair counts");
    assert_eq!(list.total_size, 2);
    service.stop().await;
}

#[tokio::test]
async fn an_import_is_safe_to_repeat() {
    let place = Place::new();
    let service = place.start().await;
    let made = Some(START - 1_000);
    let all = [("a", "b", made), ("b", "c", made), ("c", "a", made)];
    let mut facts = service.watch_facts(None).await.unwrap();
    let first = service.import(&all).await;
    assert_eq!((first.created_count, first.existing_count), (3, 0));
    let again = [("b", "a", Some(START)), all[1], all[2]];
    let second = service.import(&again).await;
    assert_eq!((second.created_count, second.existing_count), (0, 3));
    // The fact after the two imports is the fourth: the second has told nothing.
    service.block("x", "y").await.unwrap();
    let (told, _) = facts_until(&mut facts, 4).await;
    assert_eq!(told, ["a,bc", "a,cc", "b,cc", "x,y<"]);
    let list = service.list("a", 10, "").await.unwrap();
    let times: Vec<_> = list.connections.iter().map(|l| l.connect_time).collect();
    assert_eq!(times, [Some(timestamp(START - 1_000)); 2]);
    service.stop().await;
}

#[tokio::test]
async fn what_a_member_has_removed_comes_back_only_once_it_is_forgotten() {
    let place = Place::with(Policy {
        removal_mark_kept: Span::seconds(60),
        acknowledgement_wait: Span::millis(1),
        ..Policy::default()
    });
    let service = place.start().await;
    let row = ("a", "b", Some(START - 1));
    service.import(&[row]).await;
    service.remove("b", "a").await.unwrap();
    let answer = service.import(&[row]).await;
    assert_eq!(
        refusals(&answer),
        BTreeMap::from([(Reason::Removed, vec![1])])
    );
    place.clock.advance(Span::seconds(61));
    // Made after the removal, or the removal is no longer known.
    let answer = service.import(&[row]).await;
    assert_eq!(answer.created_count, 1);
    service.stop().await;
}

#[tokio::test]
async fn both_sides_limits_hold_whatever_is_in_the_stream() {
    let place = Place::with(Policy {
        connections_max: 5,
        acknowledgement_wait: Span::millis(1),
        ..Policy::default()
    });
    let service = place.start().await;
    // Everybody with everybody: 12 members, of whom each may have 5.
    let ids: Vec<_> = (0..12).map(|n| format!("m{n}")).collect();
    let made = Some(START - 1);
    let pairs = ids.iter().enumerate().flat_map(|(n, one)| {
        let others = ids.iter().skip(n + 1);
        others.map(move |other| (one.as_str(), other.as_str(), made))
    });
    let all: Vec<_> = pairs.collect();
    let answer = service.import(&all).await;
    assert_eq!(answer.row_count, 66);
    let refused = refusals(&answer);
    assert_eq!(
        refused.keys().collect::<Vec<_>>(),
        [&Reason::ConnectionLimit]
    );
    let named = &refused[&Reason::ConnectionLimit];
    assert_eq!(named.len(), 20, "the first 20 of them are named");
    assert!(named.is_sorted() && named[0] >= 1, "{named:?}");
    let mut listed = 0;
    let mut full = 0;
    for id in &ids {
        let total = service.list(id, 1, "").await.unwrap().total_size;
        assert!(total <= 5, "{id} has {total}");
        listed += i64::from(total);
        full += usize::from(total == 5);
    }
    assert_eq!(listed, 2 * answer.created_count);
    // Nobody is refused while both have room: those who have room left are all connected with each other, so they are 5 at most.
    assert!(full >= 7, "{full}");
    let again = service.import(&all).await;
    assert_eq!(
        (again.created_count, again.existing_count),
        (0, answer.created_count)
    );
    service.stop().await;
}

#[tokio::test]
async fn watches_show_what_came() {
    let place = Place::new();
    let service = place.start().await;
    let beat = async |watch: &mut Watch| assert_eq!(watch.next().await, "beat");
    let mut member = service.watch(Some("b"), "").await.unwrap();
    let mut all = service.watch(None, "").await.unwrap();
    beat(&mut member).await;
    beat(&mut all).await;
    let made = Some(START - 1_000);
    service
        .import(&[("b", "a", made), ("b", "c", made), ("x", "y", made)])
        .await;
    let seen = BTreeSet::from([member.event().await, member.event().await]);
    assert_eq!(seen, BTreeSet::from(["+a".to_owned(), "+c".to_owned()]));
    let mut seen = BTreeSet::new();
    for _ in 0..3 {
        seen.insert(all.event().await);
    }
    assert_eq!(seen, ["+a,b", "+b,c", "+x,y"].map(str::to_owned).into());
    service.stop().await;
}

#[tokio::test]
async fn services_are_told_what_was_imported_and_what_accepted() {
    let place = Place::new();
    let service = place.start().await;
    service.import(&[("a", "b", Some(START - 9))]).await;
    service.ensure(1, "a", "c").await;
    let mut all = service.watch(None, "").await.unwrap();
    service.import(&[("a", "d", Some(START - 9))]).await;
    service.ensure(2, "a", "e").await;
    service.remove("a", "b").await.unwrap();
    service.remove("a", "c").await.unwrap();
    let mut told = Vec::new();
    while told.len() < 4 {
        let message = all.stream.message().await.unwrap().unwrap();
        if let Some(api::watch_connections_response::Content::Event(event)) = message.content {
            told.push((event.member_ids[1].clone(), event.imported));
        }
    }
    let expected = [("d", true), ("e", false), ("b", true), ("c", false)];
    assert_eq!(
        told,
        expected.map(|(other, imported)| (other.to_owned(), imported))
    );
    service.stop().await;
}

#[tokio::test]
async fn an_empty_stream_and_empty_messages_are_imports_too() {
    let place = Place::new();
    let service = place.start().await;
    let none = service.import(&[]).await;
    assert_eq!(none, api::ImportConnectionsResponse::default());
    let messages = [rows(&[]), rows(&[("a", "b", Some(1))]), rows(&[])];
    let answer = service
        .connections
        .clone()
        .import_connections(stream::iter(messages))
        .await;
    assert_eq!(answer.unwrap().into_inner().created_count, 1);
    service.stop().await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_leaves_whole_rows_and_can_be_sent_again() {
    let place = Place::new();
    let service = place.start_importing(|imports| {
        imports.window_rows_max = 10;
        imports.batch_rows_max = 4;
    });
    let service = service.await;
    let ids: Vec<_> = (0..100).map(|n| format!("m{n:02}")).collect();
    let all: Vec<Row<'_>> = ids
        .windows(2)
        .map(|two| (two[0].as_str(), two[1].as_str(), Some(START - 1)))
        .collect();
    let (sender, messages) = mpsc::channel(1);
    let call = tokio::spawn({
        let mut connections = service.connections.clone();
        async move {
            connections
                .import_connections(ReceiverStream::new(messages))
                .await
        }
    });
    let mut facts = service.watch_facts(None).await.unwrap();
    for row in &all[..35] {
        sender.send(rows(&[*row])).await.unwrap();
    }
    // Three windows are full; then the caller goes away in the middle of the fourth.
    let (told, _) = facts_until(&mut facts, 30).await;
    assert_eq!(told.len(), 30);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    let mut there = 0;
    for id in &ids {
        there += service.list(id, 10, "").await.unwrap().total_size;
    }
    assert_eq!(there, 60, "30 connections, each of two members");
    let answer = service.import(&all).await;
    assert_eq!((answer.existing_count, answer.created_count), (30, 69));
    service.stop().await;
}

#[tokio::test]
async fn a_stream_that_says_nothing_for_too_long_is_ended() {
    let place = Place::new();
    let service = place
        .start_importing(|imports| imports.wait_max = std::time::Duration::from_millis(50))
        .await;
    let quiet = stream::iter([rows(&[("a", "b", Some(1))])]).chain(stream::pending());
    let ended = service.connections.clone().import_connections(quiet).await;
    assert_eq!(ended.unwrap_err().code(), Code::DeadlineExceeded);
    service.stop().await;
}

#[tokio::test]
async fn only_so_many_imports_run_at_a_time() {
    let place = Place::new();
    let service = place.start_importing(|imports| imports.open_max = 1).await;
    let (sender, messages) = mpsc::channel(1);
    let first = tokio::spawn({
        let mut connections = service.connections.clone();
        async move {
            connections
                .import_connections(ReceiverStream::new(messages))
                .await
        }
    });
    // Taken by the service once more than HTTP/2's window holds was sent.
    let many = vec![("a", "b", Some(1)); 1_000];
    for _ in 0..20 {
        sender.send(rows(&many)).await.unwrap();
    }
    let second = service
        .connections
        .clone()
        .import_connections(stream::iter([rows(&[])]))
        .await;
    refused(second, Code::Unavailable, "OVERLOADED");
    drop(sender);
    let first = first.await.unwrap().unwrap().into_inner();
    assert_eq!((first.created_count, first.existing_count), (1, 19_999));
    service.import(&[]).await;
    service.stop().await;
}

#[tokio::test]
async fn a_shutdown_ends_an_import_that_can_be_sent_again() {
    let place = Place::new();
    let service = place.start().await;
    let (sender, messages) = mpsc::channel(1);
    let call = tokio::spawn({
        let mut connections = service.connections.clone();
        async move {
            connections
                .import_connections(ReceiverStream::new(messages))
                .await
        }
    });
    sender.send(rows(&[("a", "b", Some(1))])).await.unwrap();
    sender.send(rows(&[("a", "c", Some(1))])).await.unwrap();
    service.stop().await;
    let status = call.await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let service = place.start().await;
    let answer = service.import(&[("a", "b", Some(1))]).await;
    assert_eq!(answer.row_count, 1);
    service.stop().await;
}
