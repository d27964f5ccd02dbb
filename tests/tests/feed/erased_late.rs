//! An erasure reaches invitation-service whatever comes between, and nothing that comes after it brings a name back.

use std::sync::Arc;

use acquaint_tests::{
    pair::{Pair, START, folder},
    trace::rows_naming,
    wait::eventually,
};
use invitation_service::{
    Policy,
    domain::{
        accept::{Ruling, Verdict},
        pair::Facts,
    },
    store::{Store as _, rows::FeedCursor, sqlite::SqliteStore},
};
use service_kit::{
    clock::ManualClock,
    environment::Environment,
    epoch::EpochId,
    group_commit::GroupCommitOptions,
    id::{MemberId, PairKey},
    sqlite::SqliteOptions,
};

const ERASED: &str = "erased.member";

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_built_anew_hears_of_an_erasure_of_the_meantime() {
    let mut pair = Pair::start().await;
    pair.sent(ERASED, "ann").await;
    pair.sent("bob", ERASED).await;
    pair.stop_invitation_service().await;
    assert!(!pair.erase(ERASED).await);
    // As after its first start, or when it was away for longer than facts are kept.
    rusqlite::Connection::open(pair.invitation_file())
        .unwrap()
        .execute("update meta set feed_epoch = null", [])
        .unwrap();
    pair.start_invitation_service().await;
    eventually("the erasure is complete", || async {
        pair.erase(ERASED).await.then_some(())
    })
    .await;
    let left = rows_naming(&pair.invitation_file(), &[ERASED]);
    assert_eq!(left, Vec::<String>::new());
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verdict_that_comes_after_an_erasure_leaves_no_name() {
    let folder = folder();
    let file = folder.path().join("invitations.db");
    let environment = Environment::system(Arc::new(ManualClock::new(START)));
    let (options, group) = (SqliteOptions::new(&file), GroupCommitOptions::default());
    let store = SqliteStore::open(options, group, Policy::default(), environment).unwrap();
    let epoch = EpochId::from_bytes([1; 16]);
    let cursor = FeedCursor {
        epoch: Some(epoch),
        position: 7,
    };
    store.fold(Vec::new(), cursor).await.unwrap();
    let [erased, other] = [ERASED, "ann"].map(|id| MemberId::parse(id).unwrap());
    assert!(store.erase(erased.clone()).await.unwrap());
    let ruling = Ruling {
        invitation_id: uuid::Uuid::from_u128(1),
        acceptance: 1,
        verdict: Verdict::Overtaken,
        facts: Facts::default(),
        position: 9,
    };
    let key = PairKey::new(&erased, &other).unwrap();
    store.rule(key, epoch, ruling.clone()).await.unwrap();
    assert_eq!(rows_naming(&file, &[ERASED]), Vec::<String>::new());
    // Of others it is kept as of when nothing holds between them.
    let key = PairKey::new(&other, &MemberId::parse("bob").unwrap()).unwrap();
    store.rule(key, epoch, ruling).await.unwrap();
    assert_ne!(rows_naming(&file, &["ann", "bob"]), Vec::<String>::new());
    store.close().await;
}
