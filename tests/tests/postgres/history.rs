//! The history that several processes write together, and how one that went back is noticed.

use acquaint_tests::postgres::{PostgresServer, connect};
use service_kit::{
    environment::SystemRandom,
    epoch::Diverged,
    postgres::{Client, Failure, HISTORY_SQL, HeadRow, History, Migration, Opened, Seen, migrate},
};

const TABLES: Migration = Migration {
    name: "0001_history",
    sql: HISTORY_SQL,
    expands: false,
};

async fn database() -> Client {
    let server = PostgresServer::shared();
    let client = connect(server.url(&server.database(None).await)).await;
    migrate(&client, &[TABLES]).await.unwrap();
    client
}

async fn begin(client: &Client) -> Opened {
    History::make(client, 1, &SystemRandom).await.unwrap();
    History::begin(client, &SystemRandom).await.unwrap()
}

/// Lets the history end at `position`, as commits and restored backups do.
async fn move_to(client: &Client, position: i64) {
    client
        .execute("update head set position = $1", &[&position])
        .await
        .unwrap();
}

/// Looks at the end as a transaction does, and at the epochs if they are news.
async fn look(client: &Client, history: &History) -> Result<Seen, Failure> {
    let before = history.known();
    let row = client
        .query_one("select position, epoch, epoch_id from head", &[])
        .await
        .unwrap();
    let found = HeadRow::read(&row, 0)?;
    let seen = history.saw(before, found);
    if seen == Seen::Newer {
        history.reload(client, found).await?;
    }
    Ok(seen)
}

#[tokio::test]
async fn each_process_begins_an_epoch_that_all_share() {
    let client = database().await;
    let first = begin(&client).await;
    move_to(&client, 10).await;
    let second = begin(&client).await;
    assert_eq!(first.secret.as_bytes(), second.secret.as_bytes());
    let (old, new) = (first.history.current(), second.history.current());
    assert_ne!(old, new);
    assert_eq!(look(&client, &first.history).await, Ok(Seen::Newer));
    for history in [&first.history, &second.history] {
        assert_eq!(history.current(), new);
        assert_eq!(history.check(&old, 10), Ok(()));
        assert_eq!(
            history.check(&old, 11),
            Err(Diverged {
                common_position: 10
            })
        );
        assert_eq!(history.check(&new, 1_000), Ok(()));
    }
    move_to(&client, 30).await;
    assert_eq!(look(&client, &first.history).await, Ok(Seen::Same));
    assert_eq!(first.history.known().position, 30);
}

#[tokio::test]
async fn a_history_that_went_back_under_a_process_begins_another_epoch() {
    let client = database().await;
    let Opened { history, .. } = begin(&client).await;
    let epoch = history.current();
    move_to(&client, 50).await;
    look(&client, &history).await.unwrap();
    move_to(&client, 30).await;
    assert_eq!(look(&client, &history).await, Ok(Seen::WentBack));
    history.begin_again(&client, &SystemRandom).await.unwrap();
    assert_ne!(history.current(), epoch);
    assert_eq!(
        history.check(&epoch, 50),
        Err(Diverged {
            common_position: 30
        })
    );
    assert_eq!(look(&client, &history).await, Ok(Seen::Same));
}

#[tokio::test]
async fn a_backup_from_before_a_process_began_is_noticed_by_it() {
    let client = database().await;
    let before = begin(&client).await.history.current();
    client
        .batch_execute(
            "create table backup_head as table head; create table backup_epoch as table epoch",
        )
        .await
        .unwrap();
    let Opened { history, .. } = begin(&client).await;
    let own = history.current();
    client
        .batch_execute(
            "begin; delete from head; insert into head table backup_head; delete from epoch; insert into epoch table backup_epoch; commit",
        )
        .await
        .unwrap();
    // Another process starts on it first: its epoch has the same number as the lost one.
    let other = begin(&client).await;
    assert_eq!(look(&client, &history).await, Ok(Seen::WentBack));
    assert_eq!(history.mark(&client, 1).await, Err(Failure::WentBack));
    history.begin_again(&client, &SystemRandom).await.unwrap();
    assert_eq!(look(&client, &other.history).await, Ok(Seen::Newer));
    for history in [&history, &other.history] {
        assert_eq!(history.check(&own, 0), Err(Diverged { common_position: 0 }));
        assert_eq!(history.check(&before, 0), Ok(()));
    }
    assert_eq!(history.current(), other.history.current());
}

#[tokio::test]
async fn epochs_that_began_after_a_restore_are_not_taken_for_a_history_that_goes_on() {
    let client = database().await;
    client
        .batch_execute("create table backup_head as table head")
        .await
        .unwrap();
    let Opened { history, .. } = begin(&client).await;
    client.batch_execute("begin; delete from head; insert into head table backup_head; delete from epoch; commit").await.unwrap();
    begin(&client).await;
    begin(&client).await;
    assert_eq!(
        look(&client, &history).await,
        Err(Failure::WentBack),
        "the number is higher, but its own epoch is none of them"
    );
}

#[tokio::test]
async fn what_became_of_a_batch_is_known_afterwards() {
    let client = database().await;
    let Opened { history, .. } = begin(&client).await;
    assert_eq!(history.was_committed(&client, 1).await, Ok(false));
    client.batch_execute("begin").await.unwrap();
    history.mark(&client, 1).await.unwrap();
    client.batch_execute("rollback").await.unwrap();
    assert_eq!(history.was_committed(&client, 1).await, Ok(false));
    client.batch_execute("begin").await.unwrap();
    history.mark(&client, 2).await.unwrap();
    client.batch_execute("commit").await.unwrap();
    assert_eq!(history.was_committed(&client, 2).await, Ok(true));
    assert_eq!(history.was_committed(&client, 3).await, Ok(false));
}

#[tokio::test]
async fn the_server_understands_every_statement() {
    let client = database().await;
    for statement in History::statements() {
        statement
            .check(&client)
            .await
            .unwrap_or_else(|failure| panic!("{}: {failure}", statement.sql));
    }
}
