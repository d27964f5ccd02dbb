//! Restarts, second processes and restored backups.
//!
//! Deliberately absent: crashes.

use std::sync::Arc;

use connection_service::{Config, RunError};
use service_kit::sqlite::SqliteOptions;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::Code;
use tonic::transport::Channel;

use crate::harness::{Place, facts_until, refused};

#[tokio::test]
async fn a_restored_backup_is_another_history() {
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "a", "b").await;
    let mut before = service.watch(Some("a"), "").await.unwrap();
    before.next().await;
    service.stop().await;
    let backup = place.folder.path().join("backup");
    std::fs::copy(place.file(), &backup).unwrap();

    let service = place.start().await;
    service.ensure(2, "a", "c").await;
    let mut after = service.watch(Some("a"), "").await.unwrap();
    after.next().await;
    let mut facts = service.watch_facts(None).await.unwrap();
    let (_, reached) = facts_until(&mut facts, 2).await;
    service.stop().await;

    std::fs::copy(&backup, place.file()).unwrap();
    let service = place.start().await;
    service.ensure(3, "a", "d").await;
    let mut goes_on = service.watch(Some("a"), &before.token).await.unwrap();
    assert_eq!(goes_on.event().await, "+d");
    let (code, reason) = (Code::FailedPrecondition, "OTHER_INCARNATION");
    let other = service.watch(Some("a"), &after.token).await;
    refused(other.map(drop), code, reason);
    let other = service.watch_facts(Some(reached.clone())).await;
    let other = refused(other.map(drop), code, reason);
    assert_eq!(
        other.metadata().get("acquaint-common-position").unwrap(),
        "0"
    );
    refused(service.acknowledge(reached).await, code, reason);
    service.stop().await;
}

#[tokio::test]
async fn what_was_answered_survives_and_only_one_process_has_the_store() {
    let place = Place::new();
    let service = place.start().await;
    service.ensure(1, "a", "b").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let second = connection_service::run(
        Config::new(SqliteOptions::new(place.file())),
        listener,
        Arc::new(place.clock.clone()),
        CancellationToken::new(),
    );
    assert!(matches!(second.await, Err(RunError::Store(_))));
    let address = service.address;
    service.stop().await;
    assert!(
        Channel::from_shared(format!("http://{address}"))
            .unwrap()
            .connect()
            .await
            .is_err()
    );
    let service = place.start().await;
    assert_eq!(
        service.list("b", 0, "").await.unwrap().connections[0].other_id,
        "a"
    );
    service.stop().await;
}
