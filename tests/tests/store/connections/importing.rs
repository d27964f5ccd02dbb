//! Importing many pairs in one transaction: each is decided on what the ones before it have left.

use super::*;

over_every_engine! {
    rows_of_one_import_see_each_other,
    an_import_that_changes_nothing_writes_nothing,
    what_was_between_two_stays_beside_an_imported_connection,
    an_erasure_that_is_still_under_way_refuses_rows,
    long_ids_that_begin_alike_are_told_apart,
}

const CREATED: Outcome = Outcome::Created;

async fn rows_of_one_import_see_each_other(engine: Engine) {
    let f = Fixture::with(
        engine,
        Policy {
            connections_max: 2,
            ..Policy::default()
        },
    )
    .await;
    f.block("c", "d").await.unwrap();
    let head = f.head().await;
    let full = Outcome::Refused(Reason::ConnectionLimit);
    let outcomes = f
        .import(&[
            ("a", "b"),
            ("b", "a"),
            ("a", "c"),
            ("a", "d"),
            ("d", "c"),
            ("b", "d"),
        ])
        .await;
    let blocked = Outcome::Refused(Reason::Blocked);
    let expected = [CREATED, Outcome::Existing, CREATED, full, blocked, CREATED];
    assert_eq!(outcomes, expected);
    f.check().await;
    assert_eq!(f.head().await, head + 3);
    assert_eq!(f.connections("a").await, ["c", "b"]);
}

async fn an_import_that_changes_nothing_writes_nothing(engine: Engine) {
    let f = Fixture::on(engine).await;
    let pairs = [("a", "b"), ("b", "c")];
    assert_eq!(f.import(&pairs).await, [CREATED; 2]);
    let before = f.store.feed_state().await.unwrap();
    f.tick(5);
    assert_eq!(f.import(&pairs).await, [Outcome::Existing; 2]);
    assert_eq!(f.import(&[]).await, []);
    assert_eq!(f.store.feed_state().await.unwrap(), before);
    f.check().await;
}

async fn what_was_between_two_stays_beside_an_imported_connection(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.tick(1);
    f.remove("b", "a").await.unwrap();
    f.tick(1);
    // Made after the removal, whose mark goes on standing against acceptances before it.
    assert_eq!(f.import(&[("a", "b")]).await, [CREATED]);
    f.check().await;
    let verdict = f.ensure_at(9, 1, "a", "b", START).await.verdict;
    assert!(matches!(verdict, Verdict::Already { .. }), "{verdict:?}");
    f.tick(1);
    f.remove("a", "b").await.unwrap();
    f.check().await;
    assert_eq!(f.connections("b").await, Vec::<String>::new());
}

async fn an_erasure_that_is_still_under_way_refuses_rows(engine: Engine) {
    let f = Fixture::with(
        engine,
        Policy {
            job_chunk: 1,
            ..Policy::default()
        },
    )
    .await;
    let pairs = [("a", "b"), ("a", "c"), ("a", "d")];
    f.import(&pairs).await;
    f.store.erase_member(id("a")).await.unwrap();
    let erased = Outcome::Refused(Reason::Erased);
    // Some of these pairs have not been removed yet.
    assert_eq!(f.import(&pairs).await, [erased; 3]);
    assert_eq!(f.import(&[("b", "c")]).await, [CREATED]);
    f.check().await;
    f.round().await;
    f.check().await;
    assert_eq!(f.connections("b").await, ["c"]);
}

async fn long_ids_that_begin_alike_are_told_apart(engine: Engine) {
    let f = Fixture::on(engine).await;
    let ids: Vec<_> = (0..30).map(|n| format!("a-long-beginning-{n}")).collect();
    let pairs = ids.iter().enumerate().flat_map(|(n, one)| {
        let others = ids.iter().skip(n + 1);
        others.map(move |other| (one.as_str(), other.as_str()))
    });
    let pairs: Vec<_> = pairs.collect();
    assert_eq!(f.import(&pairs).await, vec![CREATED; pairs.len()]);
    f.check().await;
    for one in &ids {
        assert_eq!(f.connections(one).await.len(), ids.len() - 1);
    }
}
