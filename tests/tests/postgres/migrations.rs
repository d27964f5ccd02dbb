//! Migrations: once, in order, by several processes at once, and never on what does not fit.

use acquaint_tests::postgres::{PostgresServer, connect};
use futures::future::join_all;
use service_kit::postgres::{Failure, MigrateError, Migration, check_migrations, migrate};

const FIRST: Migration = Migration {
    name: "0001_first",
    sql: "create table a (x integer); insert into a values (1);",
    expands: false,
};
const SECOND: Migration = Migration {
    name: "0002_second",
    sql: "create table b (x integer)",
    expands: false,
};
const LATER: Migration = Migration {
    name: "0003_later",
    sql: "alter table a add column y integer",
    expands: true,
};

#[tokio::test]
async fn migrations_are_applied_once_and_in_order() {
    let server = PostgresServer::shared();
    let client = connect(server.url(&server.database(None).await)).await;
    assert_eq!(migrate(&client, &[FIRST]).await.unwrap(), 1);
    assert_eq!(migrate(&client, &[FIRST]).await.unwrap(), 0);
    let missing = check_migrations(&client, &[FIRST, SECOND]).await;
    assert!(
        matches!(
            missing,
            Err(MigrateError::Missing {
                name: "0002_second"
            })
        ),
        "{missing:?}"
    );
    assert_eq!(migrate(&client, &[FIRST, SECOND]).await.unwrap(), 1);
    check_migrations(&client, &[FIRST, SECOND]).await.unwrap();
    let rows = client
        .query_one("select count(*) from a", &[])
        .await
        .unwrap();
    assert_eq!(rows.get::<_, i64>(0), 1);
    client
        .batch_execute("insert into b values (1)")
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_processes_at_once_apply_each_once() {
    let server = PostgresServer::shared();
    let name = server.database(None).await;
    let applied = (0..8).map(|_| async {
        let client = connect(server.url(&name)).await;
        migrate(&client, &[FIRST, SECOND, LATER]).await.unwrap()
    });
    let applied: usize = join_all(applied).await.into_iter().sum();
    assert_eq!(applied, 3);
}

#[tokio::test]
async fn migrations_that_do_not_fit_change_nothing() {
    let server = PostgresServer::shared();
    let client = connect(server.url(&server.database(None).await)).await;
    migrate(&client, &[FIRST, SECOND]).await.unwrap();
    let changed = Migration {
        sql: "create table c (x integer)",
        ..SECOND
    };
    let renamed = Migration {
        name: "0001_other",
        ..FIRST
    };
    for other in [&[FIRST, changed][..], &[SECOND, FIRST], &[renamed, SECOND]] {
        let refused = migrate(&client, other).await;
        assert!(
            matches!(refused, Err(MigrateError::Changed { .. })),
            "{refused:?}"
        );
    }
    let Err(MigrateError::Unknown { name }) = migrate(&client, &[FIRST]).await else {
        panic!("an older program ran on a newer database")
    };
    assert_eq!(name, SECOND.name);
    let twice = Migration {
        name: "0003_twice",
        sql: "create table d (x integer); create table d (x integer)",
        expands: false,
    };
    let failed = migrate(&client, &[FIRST, SECOND, twice]).await;
    assert!(
        matches!(failed, Err(MigrateError::Failed(Failure::Conflict(_)))),
        "{failed:?}"
    );
    client
        .batch_execute("insert into d values (1)")
        .await
        .unwrap_err();
    assert_eq!(
        migrate(&client, &[FIRST, SECOND]).await.unwrap(),
        0,
        "the list is as it was"
    );
}

#[tokio::test]
async fn a_program_goes_on_after_a_newer_one_has_only_added_to_the_tables() {
    let server = PostgresServer::shared();
    let client = connect(server.url(&server.database(None).await)).await;
    migrate(&client, &[FIRST, SECOND, LATER]).await.unwrap();
    assert_eq!(migrate(&client, &[FIRST, SECOND]).await.unwrap(), 0);
    check_migrations(&client, &[FIRST, SECOND]).await.unwrap();
}
