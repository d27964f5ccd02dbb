//! Statements that the server keeps, and connections on which it must not.

use acquaint_tests::postgres::PostgresServer;
use service_kit::postgres::{
    Client, Connector, Failure, PostgresOptions, PostgresUrl, Statement,
    types::{ToSql, Type},
};

const ONE_MORE: Statement = Statement::new("select $1 + 1", &[Type::INT4]);
const ALL_OF_T: Statement = Statement::new("select * from t where x = $1", &[Type::INT4]);
/// After so many transactions with a statement, those that come find it kept.
const UNTIL_KEPT: usize = 2;

fn connector(url: PostgresUrl) -> Connector {
    Connector::new(url, &PostgresOptions::default(), "test").unwrap()
}

async fn connected(connector: &Connector) -> Client {
    connector.connect().await.unwrap().0
}

/// A transaction with one statement, whose rows have one integer; that of the first.
async fn transaction(client: &Client, statement: &Statement, x: i32) -> Result<i32, Failure> {
    let parameters: [&(dyn ToSql + Sync); 1] = [&x];
    let query = statement.query(client, &parameters);
    let (begun, rows) = futures::join!(client.begin("begin"), query);
    begun?;
    let answer = rows?.first().unwrap().get(0);
    client.commit().await?;
    Ok(answer)
}

async fn kept(client: &Client) -> i64 {
    let count = "select count(*) from pg_prepared_statements";
    client.query_typed(count, &[]).await.unwrap()[0].get(0)
}

#[tokio::test]
async fn a_statement_that_comes_again_in_transactions_is_kept() {
    let server = PostgresServer::shared();
    let client = connected(&connector(server.url("postgres"))).await;
    for x in 0..10 {
        assert_eq!(kept(&client).await, i64::from(x > 2), "before the {x}th");
        let answer = ONE_MORE.query(&client, &[&x]).await.unwrap();
        assert_eq!(answer[0].get::<_, i32>(0), x + 1);
        assert_eq!(transaction(&client, &ONE_MORE, x).await, Ok(x + 1));
    }
}

#[tokio::test]
async fn a_connection_that_was_handed_to_somebody_else_is_noticed_and_nothing_kept_from_then_on() {
    let server = PostgresServer::shared();
    let connector = connector(server.url("postgres"));
    let client = connected(&connector).await;
    for x in 0..5 {
        transaction(&client, &ONE_MORE, x).await.unwrap();
    }
    // Another process's mark and statement, under the same name: as a proxy in transaction mode would lead to.
    let name = "select name from pg_prepared_statements";
    let name: String = client.query_typed(name, &[]).await.unwrap()[0].get(0);
    let others = format!(
        "deallocate all; prepare {name} (integer) as select $1 + 1000; select set_config('acquaint.mark', 'another', false)"
    );
    client.batch_execute(&others).await.unwrap();
    let noticed = transaction(&client, &ONE_MORE, 1).await;
    assert!(matches!(noticed, Err(Failure::Away(_))), "{noticed:?}");
    client.rollback().await.unwrap();
    assert_eq!(transaction(&client, &ONE_MORE, 1).await, Ok(2));
    let other = connected(&connector).await;
    for x in 0..5 {
        assert_eq!(transaction(&other, &ONE_MORE, x).await, Ok(x + 1));
    }
    assert_eq!(kept(&other).await, 0);
}

#[tokio::test]
async fn what_was_kept_and_is_of_no_more_use_costs_a_connection() {
    let server = PostgresServer::shared();
    let url = server.url(&server.database(None).await);
    let connector = connector(url);
    for spoil in ["alter table t add y integer", "deallocate all"] {
        let client = connected(&connector).await;
        let table = "create table if not exists t as select 7 as x";
        client.batch_execute(table).await.unwrap();
        for _ in 0..=UNTIL_KEPT {
            transaction(&client, &ALL_OF_T, 7).await.unwrap();
        }
        assert_eq!(kept(&client).await, 1);
        client.batch_execute(spoil).await.unwrap();
        let spoilt = transaction(&client, &ALL_OF_T, 7).await;
        assert!(
            matches!(spoilt, Err(Failure::Away(_))),
            "{spoil}: {spoilt:?}"
        );
        let client = connected(&connector).await;
        assert_eq!(transaction(&client, &ALL_OF_T, 7).await, Ok(7));
    }
}
