//! What the other service is told, and how acts wait for it.
//!
//! Deliberately absent: what it does with it.

use std::time::Duration;

use acquaint_proto::connection::internal::v1 as internal;
use acquaint_tests::wait::eventually;
use connection_service::Policy;
use internal::{FactPosition, Verdict};
use service_kit::time::Span;
use tonic::Code;

use crate::harness::{Place, facts_until, refused, shown};

#[tokio::test]
async fn acts_wait_for_the_other_service_a_moment_and_not_longer() {
    let wait = Duration::from_millis(300);
    let place = Place::with(Policy {
        acknowledgement_wait: Span::millis(300),
        ..Policy::default()
    });
    let service = place.start().await;
    let took = async |act: &str| {
        let begun = tokio::time::Instant::now();
        match act {
            "block" => service.block("a", "b").await.unwrap(),
            "remove" => service.remove("a", "c").await.unwrap(),
            "nothing" => service.remove("x", "y").await.unwrap(),
            _ => service.unblock("a", "b").await.unwrap(),
        }
        begun.elapsed()
    };
    service.ensure(1, "a", "c").await;
    for act in ["block", "remove", "block"] {
        assert!(took(act).await >= wait, "nobody acknowledges: {act}");
    }
    assert!(
        took("nothing").await < wait && took("unblock").await < wait,
        "nothing to wait for"
    );
    let follower = service.follow().await;
    assert!(took("block").await < wait && took("remove").await < wait);
    follower.abort();
    service.stop().await;
}

#[tokio::test]
async fn the_follower_hears_everything_in_order_and_from_where_it_left() {
    let place = Place::new();
    let service = place.start().await;
    let mut live = service.watch_facts(None).await.unwrap();
    assert_eq!(
        facts_until(&mut live, 0).await.0,
        [""; 0],
        "the first message comes at once"
    );
    service.ensure(1, "b", "a").await;
    service.block("b", "a").await.unwrap();
    service.unblock("b", "a").await.unwrap();
    service.ensure(2, "c", "d").await;
    service.remove("d", "c").await.unwrap();
    let expected = ["a,bc", "a,b>", "a,b", "c,dc", "c,d"];
    let (said, reached) = facts_until(&mut live, 5).await;
    assert_eq!(said, expected);
    service.stop().await;

    let service = place.start().await;
    let mut all = service.watch_facts(None).await.unwrap();
    assert_eq!(facts_until(&mut all, 5).await.0, expected);
    let after = FactPosition {
        position: 3,
        ..reached.clone()
    };
    let mut rest = service.watch_facts(Some(after)).await.unwrap();
    assert_eq!(facts_until(&mut rest, 5).await.0, expected[3..]);
    let beyond = FactPosition {
        position: 6,
        ..reached.clone()
    };
    let other = refused(
        service.watch_facts(Some(beyond.clone())).await.map(drop),
        Code::FailedPrecondition,
        "OTHER_INCARNATION",
    );
    assert_eq!(
        other.metadata().get("acquaint-common-position").unwrap(),
        "5"
    );
    refused(
        service.acknowledge(beyond).await,
        Code::FailedPrecondition,
        "OTHER_INCARNATION",
    );
    service.acknowledge(reached.clone()).await.unwrap();
    // A week later.
    place.clock.advance(Span::days(7));
    let old = FactPosition {
        position: 4,
        ..reached.clone()
    };
    eventually("the facts are forgotten", || async {
        let watch = service.watch_facts(Some(old.clone())).await;
        watch.is_err().then_some(())
    })
    .await;
    refused(
        service.watch_facts(Some(old)).await.map(drop),
        Code::OutOfRange,
        "TOKEN_TOO_OLD",
    );
    refused(
        service.watch_facts(None).await.map(drop),
        Code::OutOfRange,
        "TOKEN_TOO_OLD",
    );
    service
        .watch_facts(Some(reached))
        .await
        .expect("up to date");
    service.stop().await;
}

#[tokio::test]
async fn all_facts_can_be_listed_page_by_page() {
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "b", "a").await;
    service.block("c", "a").await.unwrap();
    service.remove("a", "d").await.unwrap();
    service.ensure(2, "m", "n").await;
    let (mut token, mut said) = (String::new(), Vec::new());
    loop {
        let request = internal::ListFactsRequest {
            page_size: 1,
            page_token: token,
        };
        let page = service
            .facts
            .clone()
            .list_facts(request)
            .await
            .unwrap()
            .into_inner();
        assert_eq!(page.position.unwrap().position, 3);
        said.extend(page.facts.iter().map(shown));
        token = page.next_page_token;
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(said, ["a,bc", "a,c>", "m,nc"]);
    let ask = |low: &str, high: &str| internal::MemberPair {
        low_id: low.to_owned(),
        high_id: high.to_owned(),
    };
    let pairs = vec![ask("a", "c"), ask("x", "y"), ask("a", "c"), ask("a", "b")];
    let request = internal::BatchGetPairFactsRequest { pairs };
    let answer = service
        .facts
        .clone()
        .batch_get_pair_facts(request)
        .await
        .unwrap()
        .into_inner();
    let said: Vec<_> = answer.facts.iter().map(shown).collect();
    assert_eq!(said, ["a,c>", "x,y", "a,c>", "a,bc"]);
    service.stop().await;
}

#[tokio::test]
async fn an_erasure_is_complete_when_the_follower_has_it() {
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "a", "e").await;
    service.block("d", "e").await.unwrap();
    let mut watch = service.watch(Some("a"), "").await.unwrap();
    watch.next().await;
    assert!(!service.erase("e").await);
    assert_eq!(watch.event().await, "-e");
    assert_eq!(service.list("a", 0, "").await.unwrap().total_size, 0);
    assert!(
        service
            .blocked("d", "")
            .await
            .unwrap()
            .blocked_members
            .is_empty()
    );
    assert_eq!(service.ensure(2, "a", "e").await.verdict(), Verdict::Erased);
    assert!(!service.erase("e").await, "nobody has acknowledged it");
    // A copy that is built anew starts beyond the erasure, and hears of it all the same.
    let position = service.ensure(2, "a", "e").await.position.unwrap();
    let mut anew = service.watch_facts(Some(position.clone())).await.unwrap();
    let mut said = Vec::new();
    while said.is_empty() {
        said = facts_until(&mut anew, position.position).await.0;
    }
    assert_eq!(said, ["!e"]);
    let follower = service.follow().await;
    eventually("the erasure is complete", || async {
        service.erase("e").await.then_some(())
    })
    .await;
    follower.abort();
    service.stop().await;
}
