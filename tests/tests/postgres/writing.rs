//! The writer's connection: what is tried again, what is told, and a server that goes away and comes back.

use std::{sync::Arc, thread};

use acquaint_tests::postgres::{Ending, PostgresServer, connect};
use service_kit::{
    environment::SystemRandom,
    error::StoreError,
    postgres::{Client, Connector, Failure, PostgresOptions, PostgresUrl, Writer},
};
use std::time::Duration;

fn writer(url: PostgresUrl) -> Writer {
    let options = PostgresOptions {
        lock_timeout: Duration::from_millis(100),
        statement_timeout: Duration::from_millis(400),
        ..PostgresOptions::default()
    };
    let connector = Connector::new(url, &options, "test").unwrap();
    Writer::new(connector, &options, Arc::new(SystemRandom)).unwrap()
}

/// On a thread of its own, as a store's writer is.
async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::spawn(work);
    tokio::task::spawn_blocking(|| thread.join().unwrap())
        .await
        .unwrap()
}

async fn add(client: &Client, begin: &str, x: i32) -> Result<(), Failure> {
    client.batch_execute(begin).await?;
    client
        .batch_execute(&format!("insert into t values ({x})"))
        .await?;
    Ok(client.batch_execute("commit").await?)
}

async fn with_table(server: &PostgresServer) -> (String, Client) {
    let name = server.database(None).await;
    let client = connect(server.url(&name)).await;
    client
        .batch_execute("create table t (x integer primary key)")
        .await
        .unwrap();
    (name, client)
}

async fn count(client: &Client) -> i64 {
    client
        .query_one("select count(*) from t", &[])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn what_others_are_in_the_way_of_is_done_again_as_a_whole() {
    let server = PostgresServer::shared();
    let (name, client) = with_table(server).await;
    let url = server.url(&name);
    let attempts = on_a_thread(move || {
        let mut writer = writer(url);
        let (begin, mut attempts) = (writer.begin().to_owned(), 0);
        let done = writer.run(async |client| {
            attempts += 1;
            client.batch_execute(&begin).await?;
            client.batch_execute("insert into t values (1)").await?;
            if attempts < 3 {
                return Err(Failure::overtaken("t"));
            }
            Ok(client.batch_execute("commit").await?)
        });
        done.unwrap();
        attempts
    })
    .await;
    assert_eq!(
        (attempts, count(&client).await),
        (3, 1),
        "the first two were rolled back"
    );
}

#[tokio::test]
async fn it_is_not_tried_for_ever() {
    let server = PostgresServer::shared();
    let (name, client) = with_table(server).await;
    client
        .batch_execute("insert into t values (1)")
        .await
        .unwrap();
    let url = server.url(&name);
    let (failed, other) = on_a_thread(move || {
        let mut writer = writer(url);
        let begin = writer.begin().to_owned();
        let failed = writer.run(async |client| add(client, &begin, 1).await);
        // The connection is of use as before.
        (
            failed,
            writer.run(async |client| add(client, &begin, 2).await),
        )
    })
    .await;
    assert!(matches!(failed, Err(Failure::Conflict(_))), "{failed:?}");
    assert_eq!((other, count(&client).await), (Ok(()), 2));
}

#[tokio::test]
async fn an_own_error_is_told_and_leaves_nothing() {
    let server = PostgresServer::shared();
    let (name, client) = with_table(server).await;
    let url = server.url(&name);
    let failed = on_a_thread(move || {
        let mut writer = writer(url);
        let begin = writer.begin().to_owned();
        writer.run(async |client| {
            client.batch_execute(&begin).await?;
            client.batch_execute("insert into t values (1)").await?;
            Err::<(), _>(StoreError::Overloaded.into())
        })
    })
    .await;
    assert_eq!(failed, Err(Failure::Store(StoreError::Overloaded)));
    assert_eq!(count(&client).await, 0);
}

#[tokio::test]
async fn a_row_that_stays_locked_is_waited_for_only_so_long() {
    let server = PostgresServer::shared();
    let (name, client) = with_table(server).await;
    for sql in ["insert into t values (1)", "begin; update t set x = 2"] {
        client.batch_execute(sql).await.unwrap();
    }
    let url = server.url(&name);
    let failed = on_a_thread(move || {
        let mut writer = writer(url);
        let (begin, mut attempts) = (writer.begin().to_owned(), 0);
        let failed = writer.run(async |client| {
            attempts += 1;
            client.batch_execute(&begin).await?;
            client
                .batch_execute("delete from t")
                .await
                .map_err(Failure::from)
        });
        (failed, attempts)
    })
    .await;
    let (Err(Failure::Conflict(why)), attempts) = failed else {
        panic!("{failed:?}")
    };
    assert!(
        why.contains("55P03") && attempts > 1,
        "{why}, {attempts} attempts"
    );
}

#[tokio::test]
async fn a_server_that_was_restarted_is_found_again_and_one_that_is_gone_is_told_of() {
    let server = PostgresServer::start();
    let (name, _) = with_table(&server).await;
    let url = server.url(&name);
    on_a_thread(move || {
        let mut writer = writer(url);
        let begin = writer.begin().to_owned();
        assert_eq!(
            writer.run(async |client| add(client, &begin, 1).await),
            Ok(())
        );
        server.stop(Ending::Fast);
        server.run();
        assert_eq!(
            writer.run(async |client| add(client, &begin, 2).await),
            Ok(()),
            "its connection was gone"
        );
        server.stop(Ending::Immediate);
        let gone = writer.run(async |client| add(client, &begin, 3).await);
        assert!(matches!(gone, Err(Failure::Away(_))), "{gone:?}");
        server.run();
        assert_eq!(
            writer.run(async |client| add(client, &begin, 3).await),
            Ok(())
        );
    })
    .await;
}
