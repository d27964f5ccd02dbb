//! What members and services see happen to connections.
//!
//! Deliberately absent: how streams are paced (beside the code).

use std::collections::BTreeSet;

use service_kit::time::Span;
use tonic::Code;

use crate::harness::{Place, end, refused};

#[tokio::test]
async fn a_watch_shows_lists_and_no_blocks() {
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "a", "b").await;
    let mut a = service.watch(Some("a"), "").await.unwrap();
    let mut all = service.watch(None, "").await.unwrap();
    assert_eq!(
        (a.next().await, all.next().await),
        ("beat".to_owned(), "beat".to_owned())
    );
    service.block("z", "a").await.unwrap();
    service.ensure(2, "c", "a").await;
    assert_eq!(a.event().await, "+c");
    service.block("a", "b").await.unwrap();
    assert_eq!(a.event().await, "-b");
    service.unblock("a", "b").await.unwrap();
    service.remove("c", "a").await.unwrap();
    assert_eq!(a.event().await, "-c");
    assert_eq!(a.next().await, "beat", "a sign of life in silence");
    for expected in ["+a,c", "-a,b", "-a,c"] {
        assert_eq!(all.event().await, expected);
    }
    let invalid = (Code::InvalidArgument, "INVALID_TOKEN");
    refused(
        service.watch(Some("b"), &a.token).await.map(drop),
        invalid.0,
        invalid.1,
    );
    refused(
        service.watch(None, &a.token).await.map(drop),
        invalid.0,
        invalid.1,
    );
    service.shutdown.cancel();
    for watch in [a, all] {
        assert_eq!(end(watch).await.code(), Code::Unavailable);
    }
    service.running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_watch_that_is_cut_anywhere_folds_to_the_list() {
    let place = Place::new();
    let mut service = place.start().await;
    let mut list: BTreeSet<String> = BTreeSet::new();
    let mut begun = service.watch(Some("a"), "").await.unwrap();
    begun.next().await;
    let mut token = begun.token;
    for round in 0_u128..12 {
        for (n, other) in ["b", "c", "d", "e"].into_iter().enumerate() {
            place.clock.advance(Span::millis(1));
            if (round * 7 + n as u128).is_multiple_of(3) {
                service.remove("a", other).await.unwrap();
            } else {
                service.ensure(round * 100 + n as u128, "a", other).await;
            }
        }
        if round % 4 == 3 {
            service.stop().await;
            service = place.start().await;
        }
        // Takes a few messages and breaks off; in the last round all.
        let mut watch = service.watch(Some("a"), &token).await.unwrap();
        watch.next().await;
        for _ in 0..round % 3 + if round == 11 { 100 } else { 0 } {
            let event = watch.next().await;
            token.clone_from(&watch.token);
            match event.split_at(1) {
                ("+", other) => drop(list.insert(other.to_owned())),
                ("-", other) => assert!(list.remove(other), "gone, but never told of"),
                _ => break,
            }
        }
    }
    let page = service.list("a", 0, "").await.unwrap();
    let mut expected: Vec<_> = page.connections.into_iter().map(|c| c.other_id).collect();
    expected.sort();
    assert_eq!(list.into_iter().collect::<Vec<_>>(), expected);
    service.stop().await;
}
