//! A server that ends, hangs, or loses an answer, in the middle of what is done on it; and a database that goes back.

use std::{sync::Arc, time::Duration};

use acquaint_tests::{
    engines::{Engine, postgres_options},
    postgres::{Ending, PostgresServer, connect},
    wait::eventually,
};
use futures::future::join_all;
use invitation_service::{
    domain::refusal::Refusal,
    store::{
        Store,
        postgres::{MIGRATIONS, PostgresStore, TimeSource},
    },
};
use service_kit::{
    environment::SystemRandom,
    group_commit::GroupCommitOptions,
    postgres::{PostgresOptions, migrate},
};

use crate::members::{
    clock, events, invitation, is_unavailable, member, policy, send, sent, shared,
};

/// A server of this test's own, and a store on it.
async fn alone(options: PostgresOptions) -> (PostgresServer, String, PostgresStore) {
    let server = tokio::task::spawn_blocking(PostgresServer::start)
        .await
        .unwrap();
    let name = server.database(None).await;
    let store = open(&server, &name, options).await;
    (server, name, store)
}

async fn open(server: &PostgresServer, name: &str, options: PostgresOptions) -> PostgresStore {
    let client = connect(server.url(name)).await;
    migrate(&client, MIGRATIONS).await.unwrap();
    let time = TimeSource::Given(shared(&clock()));
    let group_commit = GroupCommitOptions::default();
    let random = Arc::new(SystemRandom);
    PostgresStore::open(
        server.url(name),
        &options,
        group_commit,
        policy(),
        time,
        random,
    )
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_ends_and_comes_back_loses_nothing_that_was_answered() {
    let (server, name, store) = alone(postgres_options()).await;
    let mut answered = Vec::new();
    for round in 0..6 {
        let sends = (0..20).map(|number| {
            let request = invitation(&format!("a{round}.{number}"), "ben");
            async { store.send(request).await }
        });
        let ending = async {
            tokio::time::sleep(Duration::from_millis(round * 3)).await;
            let ending = if round % 2 == 0 {
                Ending::Immediate
            } else {
                Ending::Fast
            };
            tokio::task::block_in_place(|| server.stop(ending));
        };
        let (outcomes, ()) = futures::join!(join_all(sends), ending);
        for outcome in outcomes {
            assert!(
                matches!(outcome, Ok(Ok(_))) || is_unavailable(&outcome),
                "{outcome:?}"
            );
            answered.extend(
                outcome
                    .ok()
                    .and_then(Result::ok)
                    .map(|answer| answer.view.id),
            );
        }
        assert!(is_unavailable(&store.send(invitation("x", "y")).await));
        assert!(is_unavailable(&store.head().await));
        tokio::task::block_in_place(|| server.run());
        sent(&store, &format!("c{round}"), "dan").await;
    }
    let told = events(&store).await;
    let ids: Vec<_> = told.iter().map(|event| event.invitation_id).collect();
    for id in &answered {
        assert!(ids.contains(id), "what was answered is there");
    }
    let client = connect(server.url(&name)).await;
    let pending = client
        .query_one(
            "select received_pending from member where member = 'ben'",
            &[],
        )
        .await
        .unwrap();
    let of_ben = told
        .iter()
        .filter(|event| event.invitee == Some(member("ben")))
        .count();
    assert_eq!(pending.get::<_, i32>(0), i32::try_from(of_ben).unwrap());
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_are_cut_off_are_made_again_without_a_word() {
    let place = Engine::Postgres.place().await;
    let store = place.open(policy(), shared(&clock())).await;
    let (server, name) = (place.database().server(), place.database().name());
    let admin = connect(server.url("postgres")).await;
    for round in 0..10 {
        sent(&*store, &format!("a{round}"), "ben").await;
        let cut =
            "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1";
        admin.query(cut, &[&name]).await.unwrap();
    }
    assert_eq!(events(&*store).await.len(), 10);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_lost_is_found_out_about() {
    // Sessions are cut off at ever later moments of a commit, and so also between what is done and its answer.
    let place = Engine::Postgres.place().await;
    let store = place.open(policy(), shared(&clock())).await;
    let name = place.database().name();
    let admin = connect(place.database().url()).await;
    let mut lost = 0;
    for round in 0..40 {
        let inviter = format!("a{round}");
        let sending = store.send(invitation(&inviter, "ben"));
        let cutting = async {
            tokio::time::sleep(Duration::from_micros(round * 150)).await;
            let cut = "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid() and state <> 'idle'";
            admin
                .query_one(cut, &[&name])
                .await
                .unwrap()
                .get::<_, i64>(0)
        };
        let (outcome, cut) = futures::join!(sending, cutting);
        lost += cut;
        // Done once, whatever became of the session: had it been done twice, the second would have been refused. Where it was given up,
        // it was not done at all.
        if let Ok(done) = &outcome {
            assert!(done.is_ok(), "round {round}: {done:?}");
        } else {
            assert!(is_unavailable(&outcome), "round {round}: {outcome:?}");
            sent(&*store, &inviter, "ben").await;
        }
        let again = send(&*store, &inviter, "ben").await.unwrap_err();
        assert!(
            matches!(again, Refusal::InvitationPending { .. }),
            "{again:?}"
        );
    }
    assert!(lost > 0, "no session was cut off in the act");
    assert_eq!(events(&*store).await.len(), 40);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_away_after_a_while_and_used_again_afterwards() {
    let options = PostgresOptions {
        statement_timeout: Duration::from_millis(200),
        lock_timeout: Duration::from_millis(100),
        ..postgres_options()
    };
    let (server, _, store) = alone(options).await;
    sent(&store, "ann", "ben").await;
    let frozen = server.freeze();
    let (write, read) = futures::join!(store.send(invitation("ann", "cleo")), store.head());
    assert!(
        is_unavailable(&write) && is_unavailable(&read),
        "{write:?} {read:?}"
    );
    assert!(!store.health().works());
    drop(frozen);
    eventually("the store works again", || async {
        store.probe().await.ok()
    })
    .await;
    let outcome = send(&store, "ann", "cleo").await;
    // What hung may have been carried out once it went on.
    assert!(
        matches!(outcome, Ok(_) | Err(Refusal::InvitationPending { .. })),
        "{outcome:?}"
    );
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn that_commits_hang_is_known_although_nobody_waits_so_long() {
    let options = PostgresOptions {
        statement_timeout: Duration::from_millis(200),
        lock_timeout: Duration::from_millis(100),
        ..postgres_options()
    };
    let (primary, name, store) = alone(options).await;
    // Commits wait for the standby, and whatever only reads goes on.
    let standby = primary.standby().await;
    sent(&store, "ann", "ben").await;
    let frozen = standby.freeze();
    let patience = Duration::from_millis(50);
    let given_up = tokio::time::timeout(patience, store.send(invitation("ann", "cleo"))).await;
    assert!(given_up.is_err(), "{given_up:?}");
    eventually("the store is known to fail", || async {
        store.head().await.unwrap();
        (!store.health().works()).then_some(())
    })
    .await;
    drop(frozen);
    eventually("the store works again", || async {
        store.probe().await.ok()
    })
    .await;
    let again = send(&store, "ann", "cleo").await.unwrap_err();
    assert!(
        matches!(again, Refusal::InvitationPending { .. }),
        "{again:?}"
    );
    let told = events(&store).await.len();
    assert_eq!(told, 2, "each once, in {name}");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_known_to_be_away_although_nobody_asks() {
    let options = PostgresOptions {
        statement_timeout: Duration::from_millis(200),
        ..postgres_options()
    };
    let (server, _, store) = alone(options).await;
    let frozen = server.freeze();
    eventually("the store is known to fail", || async {
        (!store.health().works()).then_some(())
    })
    .await;
    drop(frozen);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_stays_locked_keeps_nobody_else_from_being_stored() {
    let place = Engine::Postgres.place().await;
    let (server, name) = (place.database().server(), place.database().name());
    let options = PostgresOptions {
        lock_timeout: Duration::from_millis(50),
        ..postgres_options()
    };
    let store = open(server, name, options).await;
    sent(&store, "ann", "ben").await;
    let client = connect(place.database().url()).await;
    let lock = "begin; select 1 from member where member = 'ann' for update";
    client.batch_execute(lock).await.unwrap();
    // While the first of ann's is tried, what comes after it gathers.
    let of_ann = |other: &str| (true, invitation("ann", other));
    let others = (0..20).map(|number| (false, invitation(&format!("c{number}"), "dan")));
    let mut sends = vec![of_ann("x")];
    sends.extend(others);
    sends.insert(9, of_ann("y"));
    let outcomes = join_all(sends.into_iter().map(async |(stuck, send)| {
        let outcome = store.send(send).await;
        assert_eq!(is_unavailable(&outcome), stuck, "{outcome:?}");
    }));
    outcomes.await;
    client.batch_execute("rollback").await.unwrap();
    sent(&store, "ann", "x").await;
    assert_eq!(events(&store).await.len(), 22);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_went_back_under_its_processes_is_noticed() {
    let place = Engine::Postgres.place().await;
    let store = place.open(policy(), shared(&clock())).await;
    sent(&*store, "ann", "ben").await;
    let client = connect(place.database().url()).await;
    let tables = ["head", "epoch", "event", "pair", "member", "invitation"];
    let each = |sql: &str| tables.map(|table| sql.replace('?', table)).join("; ");
    client
        .batch_execute(&each("create table saved_? as table ?"))
        .await
        .unwrap();
    for name in ["cleo", "dan"] {
        sent(&*store, "ann", name).await;
    }
    let (epoch, position) = (store.epoch(), store.head().await.unwrap());
    assert_eq!((position, store.check_epoch(&epoch, position)), (3, Ok(())));
    client
        .batch_execute(&format!(
            "begin; {}; commit",
            each("delete from ?; insert into ? table saved_?")
        ))
        .await
        .unwrap();
    eventually("the store notices", || async {
        (store.epoch() != epoch).then_some(())
    })
    .await;
    let diverged = store.check_epoch(&epoch, position).unwrap_err();
    assert_eq!(diverged.common_position, 1);
    sent(&*store, "ann", "cleo").await;
    assert_eq!(events(&*store).await.len(), 2);
    store.close().await;
}
