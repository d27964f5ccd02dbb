//! Erasing: nothing names the member afterwards, partners' counts go down by exactly one, and nobody can tell.

use service_kit::id::Sides;

use super::feed::{entries, steps};
use super::*;
use connection_service::domain::fact::{Fact, Kept};
use connection_service::store::{Erased, Relationship};

over_every_engine! {
    everything_about_a_member_goes_at_once_and_their_name_when_it_is_acknowledged,
    an_erased_member_does_nothing_and_looks_like_a_stranger,
    a_large_member_goes_in_chunks_and_is_hidden_meanwhile,
    two_members_of_one_pair_can_be_erased_at_once,
    an_unknown_member_is_erased_too,
    unacknowledged_erasures_can_be_told_again,
    a_watch_of_the_erased_must_list_anew,
}

async fn erase(f: &Fixture, member: &str) -> Erased {
    f.store.erase_member(id(member)).await.unwrap()
}

/// Everything that can be between `e` and others.
async fn involve(f: &Fixture) {
    f.connect("e", "a").await;
    f.connect("z", "e").await;
    f.connect("a", "z").await;
    f.block("e", "c").await.unwrap();
    f.block("d", "e").await.unwrap();
    f.remove("e", "f").await.unwrap();
    f.remove("g", "e").await.unwrap();
    f.tick(1);
}

async fn everything_about_a_member_goes_at_once_and_their_name_when_it_is_acknowledged(
    engine: Engine,
) {
    let mut f = Fixture::on(engine).await;
    involve(&f).await;
    let before = f.head().await;
    assert_eq!(erase(&f, "e").await, Erased::Underway { fact: before + 1 });
    f.check().await;
    assert_eq!(f.connections("a").await, ["z"]);
    assert_eq!(f.connections("z").await, ["a"]);
    assert!(f.connections("e").await.is_empty() && f.blocks("d").await.is_empty());
    // The erasure first, then the end of each connection.
    let said = entries(&f, before).await;
    assert_eq!(said[0].kept, Kept::Fact(Fact::Erased(id("e"))));
    assert_eq!(said.len(), 3);
    assert_eq!(steps(&f, "a", before).await.unwrap(), ["-e"]);
    assert_eq!(steps(&f, "z", before).await.unwrap(), ["-e"]);
    assert_eq!(steps(&f, "d", before).await.unwrap(), [""; 0]);
    // Nothing more until it is acknowledged, however often it is asked for, also by the next process.
    f.round().await;
    assert_eq!(erase(&f, "e").await, Erased::Underway { fact: before + 1 });
    f.restart().await;
    f.store.acknowledge(before).await.unwrap();
    f.round().await;
    f.round().await;
    assert_eq!(erase(&f, "e").await, Erased::Underway { fact: before + 1 });
    f.store.acknowledge(before + 1).await.unwrap();
    f.round().await;
    assert_eq!(
        steps(&f, "a", before).await.unwrap(),
        ["-e"],
        "one round later"
    );
    f.round().await;
    assert_eq!(erase(&f, "e").await, Erased::Complete);
    assert_eq!(f.is_named("e").await, [""; 0]);
    f.check().await;
    // Positions stay, content does not; whoever has not seen it must list anew.
    assert_eq!(entries(&f, 0).await.len() as u64, before + 3);
    assert_eq!(steps(&f, "a", before).await, None);
    assert_eq!(steps(&f, "a", before + 3).await.unwrap(), [""; 0]);
    assert_eq!(
        steps(&f, "d", before).await.unwrap(),
        [""; 0],
        "was never in that list"
    );
}

async fn an_erased_member_does_nothing_and_looks_like_a_stranger(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    involve(&f).await;
    erase(&f, "e").await;
    let head = f.head().await;
    for _ in 0..2 {
        let refused = Err(Refusal::MemberNotFound);
        assert_eq!(f.remove("e", "a").await, refused);
        assert_eq!(f.block("e", "a").await, refused);
        assert_eq!(f.unblock("e", "a").await, refused);
        assert!(f.remove("a", "e").await.is_ok());
        assert!(f.block("a", "e").await.is_ok());
        assert!(f.unblock("a", "e").await.is_ok());
        assert_eq!(f.ensure(77, 1, "e", "a").await.verdict, Verdict::Erased);
        assert_eq!(f.ensure(78, 1, "a", "e").await.verdict, Verdict::Erased);
        assert!(f.store.is_erased(id("e")).await.unwrap());
        let facts = f.store.pair_facts(pairs("a", &["e"])).await.unwrap().facts;
        assert_eq!(
            facts[0].1.erased,
            Sides {
                low: false,
                high: true
            }
        );
        let related = f.store.relationships(id("a"), ids(&["e"])).await.unwrap();
        assert_eq!(related, [Relationship::None]);
        assert_eq!(f.head().await, head, "nothing was stored");
        f.store.acknowledge(head).await.unwrap();
        f.round().await;
        f.round().await;
        f.restart().await;
    }
    assert_eq!(f.is_named("e").await, [""; 0]);
    f.check().await;
}

async fn a_large_member_goes_in_chunks_and_is_hidden_meanwhile(engine: Engine) {
    let policy = Policy {
        job_chunk: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    for other in ["a", "b", "c", "f", "g"] {
        f.connect("e", other).await;
    }
    assert_eq!(erase(&f, "e").await, Erased::Underway { fact: 6 });
    f.check().await;
    let left = f.store.relationships(id("g"), ids(&["e"])).await.unwrap();
    assert_eq!(left, [Relationship::None]);
    assert!(f.store.all_facts(None, 100).await.unwrap().facts.is_empty());
    assert!(f.connections("e").await.is_empty());
    f.round().await;
    for other in ["a", "b", "c", "f", "g"] {
        assert!(f.connections(other).await.is_empty(), "{other}");
    }
    f.check().await;
    f.store.acknowledge(6).await.unwrap();
    f.round().await;
    f.round().await;
    assert_eq!(erase(&f, "e").await, Erased::Complete);
    assert_eq!(f.is_named("e").await, [""; 0]);
    assert_eq!(f.head().await, 11);
}

async fn two_members_of_one_pair_can_be_erased_at_once(engine: Engine) {
    let policy = Policy {
        job_chunk: 1,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    for (a, b) in [("a", "e"), ("b", "e"), ("e", "f"), ("f", "g")] {
        f.connect(a, b).await;
    }
    erase(&f, "e").await;
    erase(&f, "f").await;
    f.check().await;
    f.round().await;
    f.check().await;
    f.store.acknowledge(f.head().await).await.unwrap();
    f.round().await;
    f.round().await;
    for member in ["e", "f"] {
        assert_eq!(erase(&f, member).await, Erased::Complete);
        assert_eq!(f.is_named(member).await, [""; 0]);
    }
    for other in ["a", "b", "g"] {
        assert!(f.connections(other).await.is_empty());
    }
    f.check().await;
}

async fn an_unknown_member_is_erased_too(engine: Engine) {
    let f = Fixture::on(engine).await;
    assert_eq!(erase(&f, "x").await, Erased::Underway { fact: 1 });
    f.store.acknowledge(1).await.unwrap();
    f.round().await;
    f.round().await;
    assert_eq!(erase(&f, "x").await, Erased::Complete);
    assert_eq!(f.block("x", "a").await, Err(Refusal::MemberNotFound));
}

async fn unacknowledged_erasures_can_be_told_again(engine: Engine) {
    let f = Fixture::on(engine).await;
    erase(&f, "a").await; // 1
    f.connect("b", "c").await; // 2
    erase(&f, "d").await; // 3
    let told = async |after, through| {
        let found = f
            .store
            .unacknowledged_erasures(after, through, 10)
            .await
            .unwrap();
        found
            .into_iter()
            .map(|(position, _)| position)
            .collect::<Vec<_>>()
    };
    assert_eq!(told(0, 9).await, [1, 3]);
    assert_eq!(told(0, 2).await, [1]);
    assert_eq!(told(1, 9).await, [3]);
    f.store.acknowledge(1).await.unwrap();
    assert_eq!(told(0, 9).await, [3]);
}

async fn a_watch_of_the_erased_must_list_anew(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.connect("a", "e").await;
    erase(&f, "e").await;
    let head = f.head().await;
    assert_eq!(steps(&f, "e", 1).await, None);
    assert_eq!(steps(&f, "e", head).await.unwrap(), [""; 0]);
}
