//! Several processes on one database: each is a store of its own, as if it were elsewhere.

use std::{collections::BTreeSet, sync::Arc};

use acquaint_tests::{
    engines::{Engine, Place},
    wait::eventually,
};
use futures::{StreamExt as _, future::join_all, stream};
use invitation_service::{
    domain::refusal::Refusal,
    store::{
        Store,
        feed::{MemberChange, Reached},
        postgres::TimeSource,
    },
};
use uuid::Uuid;

use crate::members::{clock, events, invitation, member, policy, send, sent, shared};

/// How many events a follower reads at a time.
const PAGE: usize = 50;

const LANES: [Engine; 2] = [Engine::Postgres, Engine::PostgresInLanes];

async fn two(place: &Place) -> [Arc<dyn Store>; 2] {
    let clock = clock();
    [
        place.open(policy(), shared(&clock)).await,
        place.open(policy(), shared(&clock)).await,
    ]
}

async fn close(stores: [Arc<dyn Store>; 2]) {
    for store in stores {
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cap_is_exact_over_all_of_them() {
    for engine in LANES {
        let place = engine.place().await;
        let stores = two(&place).await;
        let cap = usize::try_from(policy().weekly_cap).unwrap();
        for round in 0..5 {
            let inviter = format!("ann{round}");
            let sends = (0..2 * cap).map(|number| {
                let (store, inviter) = (stores[number % 2].clone(), inviter.clone());
                async move { send(&*store, &inviter, &format!("b{number}")).await }
            });
            let outcomes: Vec<_> = stream::iter(sends).buffer_unordered(64).collect().await;
            let went = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
            assert_eq!(went, cap, "{engine:?}");
            for outcome in outcomes {
                assert!(
                    matches!(outcome, Ok(_) | Err(Refusal::WeeklyCapReached { .. })),
                    "{engine:?}: {outcome:?}"
                );
            }
        }
        for store in &stores {
            assert_eq!(events(&**store).await.len(), 5 * cap, "{engine:?}");
        }
        close(stores).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_at_two_of_them_is_done_once() {
    for engine in LANES {
        let place = engine.place().await;
        let stores = two(&place).await;
        for round in 0..30_u32 {
            let mut request = invitation(&format!("ann{round}"), &format!("ben{round}"));
            request.request_id = Some(Uuid::from_u128(u128::from(round) + 1));
            let [first, second] = &stores;
            let done = futures::join!(first.send(request.clone()), second.send(request));
            let (Ok(Ok(first)), Ok(Ok(second))) = done else {
                panic!("{engine:?}: {done:?}")
            };
            assert_eq!(first.view.id, second.view.id, "{engine:?}");
            assert_eq!(
                usize::from(first.is_charged()) + usize::from(second.is_charged()),
                1,
                "{engine:?}"
            );
        }
        close(stores).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crossing_invitations_at_two_of_them_meet() {
    for engine in LANES {
        let place = engine.place().await;
        let stores = two(&place).await;
        for round in 0..30 {
            let (ann, ben) = (format!("ann{round}"), format!("ben{round}"));
            let [here, there] = &stores;
            let outcomes = futures::join!(send(&**here, &ann, &ben), send(&**there, &ben, &ann));
            let (Ok(first), Ok(second)) = outcomes else {
                panic!("{engine:?}: {outcomes:?}")
            };
            assert_eq!(first.view.id, second.view.id, "{engine:?}");
        }
        close(stores).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_feed_has_no_gaps_and_whoever_follows_it_misses_nothing() {
    for engine in LANES {
        let place = engine.place().await;
        let stores = two(&place).await;
        let writing =
            join_all(
                (0..200).map(|number| {
                    let store = stores[number % 2].clone();
                    async move {
                        sent(&*store, &format!("a{number}"), &format!("b{}", number % 7)).await
                    }
                }),
            );
        // A follower at each that asks again and again while both write.
        let following = stores.clone().map(|store| async move {
            let (mut told, mut changed) = (Vec::new(), store.subscribe(None));
            while told.len() < 200 {
                let after = told.last().map_or(0, |(position, _)| *position);
                let stretch = store.service_events(after, PAGE).await.unwrap().unwrap();
                let full = stretch.events.len() == PAGE;
                let new = stretch.events.into_iter();
                told.extend(new.map(|told| (told.event.position, told.event.invitation_id)));
                if !full && told.len() < 200 {
                    changed.changed().await;
                }
            }
            told
        });
        let (ids, told) = futures::join!(writing, join_all(following));
        let ids: BTreeSet<Uuid> = ids.into_iter().collect();
        for told in told {
            assert!(
                told.iter().map(|(position, _)| *position).eq(1..=200),
                "{engine:?}"
            );
            assert_eq!(told.iter().map(|(_, id)| *id).collect::<BTreeSet<_>>(), ids);
            assert!(
                told.is_sorted_by_key(|(_, id)| *id),
                "ids are in the order of commits"
            );
        }
        close(stores).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_hears_of_what_another_process_writes() {
    let place = Engine::Postgres.place().await;
    let stores = two(&place).await;
    let [here, there] = &stores;
    let mut watching = here.subscribe(Some(&member("ben")));
    let id = sent(&**there, "ann", "ben").await;
    watching.changed().await;
    let told = here.member_events(member("ben"), Reached::at(0)).await;
    let told = told.unwrap().unwrap();
    assert_eq!(told.until, 1);
    let [event] = &told.events[..] else {
        panic!("{told:?}")
    };
    assert!(matches!(&event.change, MemberChange::Listed(view) if view.id == id));
    close(stores).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_that_one_begins_is_soon_known_to_all() {
    let place = Engine::Postgres.place().await;
    let clock = clock();
    let first = place.open(policy(), shared(&clock)).await;
    sent(&*first, "ann", "ben").await;
    let old = first.epoch();
    let second = place.open(policy(), shared(&clock)).await;
    sent(&*first, "ann", "cleo").await;
    // By its own commit the first has learnt of it: what it gives out is valid at both.
    let new = first.epoch();
    assert_eq!(new, second.epoch());
    for store in [&first, &second] {
        assert_eq!(store.check_epoch(&old, 1), Ok(()));
        assert!(store.check_epoch(&old, 2).is_err());
        assert_eq!(store.check_epoch(&new, 2), Ok(()));
    }
    let third = place.open(policy(), shared(&clock)).await;
    eventually("the others hear of the third's epoch", || async {
        let known = [&first, &second].map(|store| store.epoch() == third.epoch());
        (known == [true, true]).then_some(())
    })
    .await;
    close([first, second]).await;
    third.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn their_time_is_the_databases() {
    let place = Engine::Postgres.place().await;
    let store = place.open_postgres(policy(), TimeSource::Database).await;
    let client = acquaint_tests::postgres::connect(place.database().url()).await;
    let time = async || {
        let sql = "select (extract(epoch from clock_timestamp()) * 1000)::bigint";
        client.query_one(sql, &[]).await.unwrap().get::<_, i64>(0)
    };
    let before = time().await;
    let id = sent(&store, "ann", "ben").await;
    let after = time().await;
    let view = store.get(member("ann"), id).await.unwrap().unwrap();
    assert!((before..=after).contains(&view.create_time.millis()));
    store.close().await;
}
