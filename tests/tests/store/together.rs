//! What many commands of one batch, or one command on many pairs, need of rows that are elsewhere.

use std::sync::Arc;

use acquaint_tests::engines::Engine;
use futures::future::join_all;
use invitation_service::{
    domain::{
        accept::{Ruled, Ruling, Verdict},
        pair::{Connection, Facts},
    },
    store::{
        Store,
        command::{answer::Acceptance, facts::FeedFact},
        rows::FeedCursor,
    },
};
use service_kit::{epoch::EpochId, id::PairKey};
use uuid::Uuid;

use crate::members::{START, clock, member, policy, sent, shared};

/// More than a batch may take to find out which rows its commands need.
const PAIRS: u64 = 150;
const EPOCH: EpochId = EpochId::from_bytes([7; 16]);

over_every_engine! {
    verdicts_that_come_together_are_all_taken,
    acceptances_that_the_other_service_has_lost_are_all_offered_again,
    connections_that_are_heard_of_together_are_all_taken,
}

fn inviter(number: u64) -> String {
    format!("a{number}")
}

fn invitee(number: u64) -> String {
    format!("b{number}")
}

/// What accepting the invitation of a number comes to.
async fn accept(store: &dyn Store, number: u64, id: Uuid) -> Acceptance {
    let accepted = store.accept(member(&invitee(number)), id).await;
    accepted.unwrap().unwrap()
}

fn key(number: u64) -> PairKey {
    PairKey::new(&member(&inviter(number)), &member(&invitee(number))).unwrap()
}

fn connection(id: Uuid) -> Facts {
    let connection = Connection {
        connect_time: START,
        invitation_id: Some(id),
    };
    Facts {
        connection: Some(connection),
        ..Facts::default()
    }
}

/// Tells of the connection, which is the one after so many in the feed.
async fn connect(store: &dyn Store, number: u64, id: Uuid) -> Option<Ruled> {
    let ruling = Ruling {
        invitation_id: id,
        acceptance: 1,
        verdict: Verdict::Created,
        facts: connection(id),
        position: number + 1,
    };
    store.rule(key(number), EPOCH, ruling).await.unwrap()
}

/// Sends so many invitations and has them accepted, all at once each.
async fn accepted(store: &dyn Store) -> Vec<(u64, Uuid)> {
    let followed = FeedCursor {
        epoch: Some(EPOCH),
        position: 0,
    };
    store.fold(Vec::new(), followed).await.unwrap();
    let sends = (0..PAIRS).map(async |number| {
        let (inviter, invitee) = (inviter(number), invitee(number));
        (number, sent(store, &inviter, &invitee).await)
    });
    let sent = join_all(sends).await;
    let accepts = sent.iter().map(|(number, id)| accept(store, *number, *id));
    for accepted in join_all(accepts).await {
        assert!(
            matches!(accepted, Acceptance::Awaited { .. }),
            "{accepted:?}"
        );
    }
    sent
}

/// The same, with verdicts.
async fn connected(store: &dyn Store) -> Vec<Uuid> {
    let sent = accepted(store).await;
    let ruled = sent.iter().map(|(number, id)| connect(store, *number, *id));
    for ruled in join_all(ruled).await {
        assert!(matches!(ruled, Some(Ruled::Connected { .. })), "{ruled:?}");
    }
    sent.into_iter().map(|(_, id)| id).collect()
}

async fn verdicts_that_come_together_are_all_taken(engine: Engine) {
    let place = engine.place().await;
    let store: Arc<dyn Store> = place.open(policy(), shared(&clock())).await;
    for (number, id) in (0..).zip(connected(&*store).await) {
        let again = accept(&*store, number, id).await;
        assert!(matches!(again, Acceptance::Connected { .. }), "{again:?}");
    }
    store.close().await;
}

async fn acceptances_that_the_other_service_has_lost_are_all_offered_again(engine: Engine) {
    let place = engine.place().await;
    let store: Arc<dyn Store> = place.open(policy(), shared(&clock())).await;
    let ids = connected(&*store).await;
    // It went back to before the first of them.
    assert_eq!(store.rewind_pairs(None, 0).await.unwrap(), None);
    for (number, id) in (0..).zip(ids) {
        let again = accept(&*store, number, id).await;
        assert!(matches!(again, Acceptance::Awaited { .. }), "{again:?}");
    }
    store.close().await;
}

async fn connections_that_are_heard_of_together_are_all_taken(engine: Engine) {
    let place = engine.place().await;
    let store: Arc<dyn Store> = place.open(policy(), shared(&clock())).await;
    let accepted = accepted(&*store).await;
    let facts = accepted.iter().map(|(number, id)| FeedFact {
        position: number + 1,
        key: key(*number),
        facts: connection(*id),
    });
    let until = FeedCursor {
        epoch: Some(EPOCH),
        position: PAIRS,
    };
    store.fold(facts.collect(), until).await.unwrap();
    for (number, id) in accepted {
        let again = accept(&*store, number, id).await;
        assert!(matches!(again, Acceptance::Connected { .. }), "{again:?}");
    }
    store.close().await;
}
