//! Reasons that have to do with labels, which of two is answered, and what a batch says of each of its items.

use acquaint_proto::connection::v1 as connection;
use acquaint_proto::error::v1::ErrorReason;
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::{Refusal, reason},
};
use connection::{
    ConnectionFilter, OtherIds, RemovalResult, batch_remove_connections_request::Selection,
    removal_result::Outcome,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::batches::alike;
use crate::privacy::erase;

async fn with_few_labels() -> Pair {
    let mut setup = Setup::default();
    setup.connection_policy.connection_labels_max = 2;
    setup.connection_policy.member_labels_max = 3;
    let pair = Pair::with(setup).await;
    for other in ["bob", "cat"] {
        pair.connect("ann", other).await;
        pair.note("ann", other, &["friend", other], None)
            .await
            .unwrap();
    }
    pair
}

/// Every reason of labels.
pub(super) async fn of_labels() -> Vec<Status> {
    let pair = with_few_labels().await;
    let refused = vec![
        pair.note("ann", "dan", &["friend"], None)
            .await
            .unwrap_err(),
        pair.note("ann", "bob", &["a", "b", "c"], None)
            .await
            .unwrap_err(),
        pair.note("ann", "bob", &["a"], None).await.unwrap_err(),
        pair.rename_label("ann", "bob", "cat").await.unwrap_err(),
        pair.rename_label("ann", "x", "y").await.unwrap_err(),
    ];
    pair.stop().await;
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_of_labels_that_was_reached_is_named() {
    let pair = with_few_labels().await;
    for (labels, subject, limit) in [
        (&["a", "b", "c"][..], "connection", "at most 2 labels"),
        (&["a"], "member", "at most 3 labels"),
    ] {
        let refused = pair.note("ann", "bob", labels, None).await.unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted);
        let quota = refused.get_details_quota_failure().unwrap().violations;
        assert_eq!(
            (quota[0].subject.as_str(), quota[0].description.as_str()),
            (subject, limit)
        );
    }
    // One that the member has, given twice, takes no place.
    let noted = pair
        .note("ann", "bob", &["cat", " cat", "bob"], None)
        .await
        .unwrap();
    assert_eq!(noted.labels, ["bob", "cat"]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_reasons_the_first_of_the_contract_is_answered() {
    let pair = with_few_labels().await;
    let many = ["a", "b", "c"];
    let note = async |member: &str, other: &str, labels: &[&str]| {
        reason(pair.note(member, other, labels, None).await)
    };
    assert_eq!(note("ann", "ann", &["a\tb"]).await, "INVALID_FIELD");
    assert_eq!(note("ann", "ann", &many).await, "SELF_REFERENCE");
    assert_eq!(note("ann", "dan", &many).await, "CONNECTION_NOT_FOUND");
    assert_eq!(note("ann", "bob", &many).await, "LABEL_LIMIT_REACHED");
    erase(&pair, "ann").await;
    for other in ["ann", "bob", "dan"] {
        assert_eq!(note("ann", other, &many).await, "MEMBER_NOT_FOUND");
    }
    assert_eq!(note("bob", "ann", &many).await, "CONNECTION_NOT_FOUND");
    let renamed = pair.rename_label("ann", "x", "y").await;
    assert_eq!(reason(renamed), "MEMBER_NOT_FOUND");
    assert_eq!(
        reason(pair.delete_label("ann", "x").await),
        "MEMBER_NOT_FOUND"
    );
    assert_eq!(pair.labels("ann").await, []);
    pair.stop().await;
}

fn named(others: &[&str]) -> Selection {
    Selection::OtherIds(OtherIds {
        other_ids: others.iter().map(ToString::to_string).collect(),
    })
}

fn with_label(label: &str) -> Selection {
    Selection::Filter(ConnectionFilter {
        label: label.to_owned(),
        ..Default::default()
    })
}

/// Whom each result is about, and whether a connection ended.
fn ended(results: &[RemovalResult]) -> Vec<(&str, bool)> {
    let each = results.iter().map(|result| match &result.outcome {
        Some(Outcome::Removal(removal)) => {
            (result.other_id.as_str(), removal.connect_time.is_some())
        }
        other => panic!("{other:?}"),
    });
    each.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_removes_each_as_a_removal_would_and_says_so_before() {
    let pair = with_few_labels().await;
    let others = ["bob", "dan", "bob", "ann", "cat"];
    let dry = pair.remove_many("ann", named(&others), true).await.unwrap();
    assert_eq!(pair.connected("ann").await.len(), 2, "nothing is done");
    let alone = pair.remove("ann", "ann").await.unwrap_err();
    let item = |results: &mut Vec<RemovalResult>| match results.remove(3).outcome {
        Some(Outcome::Status(status)) => status,
        other => panic!("{other:?}"),
    };
    let mut results = dry.results;
    alike(&item(&mut results), &alone, ErrorReason::SelfReference);
    let expected = [("bob", true), ("dan", false), ("bob", true), ("cat", true)];
    assert_eq!(ended(&results), expected);
    assert_eq!((dry.matched_count, dry.remaining_count), (5, 0));
    let done = pair
        .remove_many("ann", named(&others), false)
        .await
        .unwrap();
    let mut results = done.results;
    alike(&item(&mut results), &alone, ErrorReason::SelfReference);
    let once = results.iter().filter(|result| result.other_id == "bob");
    let once: Vec<_> = ended(&once.cloned().collect::<Vec<_>>())
        .into_iter()
        .map(|(_, ended)| ended)
        .collect();
    assert!(once == [true, false] || once == [false, true], "{once:?}");
    assert!(pair.connected("ann").await.is_empty() && pair.connected("bob").await.is_empty());
    let again = pair
        .remove_many("ann", named(&["bob", "cat"]), false)
        .await
        .unwrap();
    assert_eq!(ended(&again.results), [("bob", false), ("cat", false)]);
    erase(&pair, "ann").await;
    let alone = pair.remove("ann", "bob").await.unwrap_err();
    for dry_run in [true, false] {
        let mut refused = pair
            .remove_many("ann", named(&["bob"]), dry_run)
            .await
            .unwrap()
            .results;
        match refused.remove(0).outcome {
            Some(Outcome::Status(item)) => alike(&item, &alone, ErrorReason::MemberNotFound),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Refusal::of(&alone).reason, "MEMBER_NOT_FOUND");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_by_filter_takes_the_oldest_and_says_what_is_left() {
    let mut setup = Setup::default();
    setup.requests.batches.items_max = 2;
    setup.requests.batches.matched_max = 4;
    let pair = Pair::with(setup).await;
    for other in ["bob", "cat", "dan", "eve", "fay", "gus"] {
        pair.connect("ann", other).await;
        pair.advance(service_kit::time::Span::seconds(1));
        if other != "cat" {
            pair.note("ann", other, &["old"], None).await.unwrap();
        }
    }
    let remove =
        async |selection, dry_run| pair.remove_many("ann", selection, dry_run).await.unwrap();
    for dry_run in [true, false] {
        let first = remove(with_label("old"), dry_run).await;
        assert_eq!(ended(&first.results), [("bob", true), ("dan", true)]);
        // Five match, and four are counted.
        assert_eq!((first.matched_count, first.remaining_count), (4, 2));
    }
    let second = remove(with_label("old"), false).await;
    assert_eq!(ended(&second.results), [("eve", true), ("fay", true)]);
    assert_eq!((second.matched_count, second.remaining_count), (3, 1));
    assert_eq!(remove(with_label("new"), false).await.results, []);
    assert_eq!(pair.labels("ann").await, [("old".to_owned(), 1)]);
    let all = Selection::Filter(ConnectionFilter {
        all_connections: true,
        ..Default::default()
    });
    let rest = remove(all.clone(), false).await;
    assert_eq!(ended(&rest.results), [("cat", true), ("gus", true)]);
    assert_eq!((rest.matched_count, rest.remaining_count), (2, 0));
    let nothing = remove(all, false).await;
    assert_eq!((nothing.matched_count, nothing.results.len()), (0, 0));
    pair.stop().await;
}
