//! A pooler stands before the server and gives each transaction another of few connections; either is restarted or cut off.

use std::time::Duration;

use acquaint_tests::postgres::{Ending, PostgresServer, connect};

use crate::{
    count, databases, go_on,
    meanwhile::{is_away, is_back},
    outage, run, server, stop, turn, under_load,
};

/// How many connections of the server all of a database's clients share.
const SHARED: i64 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn a_pooler_by_transactions_changes_nothing() {
    let _turn = turn().await;
    let server = server().await;
    let settings =
        format!("default_pool_size = {SHARED}\nserver_login_retry = 1\nquery_wait_timeout = 1");
    let mut pooler = server.pooler(&settings).await;
    let names = databases(&server).await;
    let of_services = names.each_ref().map(|name| pooler.url_text(name));
    let of_lookers = names.each_ref().map(|name| server.url_text(name));
    let mut rig = under_load(4, &of_services, &of_lookers).await;
    are_shared(&server, &names).await;
    let restarts = count("ACQUAINT_RESTARTS", 2);
    let mut longest = Duration::ZERO;
    for _ in 0..restarts {
        pooler.restart().await;
        longest = longest.max(is_back(&rig).await);
        go_on(&rig).await;
    }
    println!(
        "a pooler restarted: {{\"times\": {restarts}, \"back after millis at most\": {}}}",
        longest.as_millis()
    );
    stop(&server, Ending::Immediate);
    let answer = is_away(&rig, outage()).await;
    run(&server);
    let back = is_back(&rig).await;
    println!(
        "a server behind a pooler stopped: {{\"seconds\": {}, \"longest answer millis\": {}, \"back after millis\": {}}}",
        outage().as_secs(),
        answer.as_millis(),
        back.as_millis()
    );
    go_on(&rig).await;
    assert_eq!(rig.settle().await, Vec::<String>::new());
}

/// The two processes of a service, each of which has one connection that writes and several that read, make do with few of the server.
async fn are_shared(server: &PostgresServer, names: &[String; 2]) {
    let client = connect(server.url("postgres")).await;
    for name in names {
        let sql = "select count(*) from pg_stat_activity where datname = $1";
        let sessions: i64 = client.query_one(sql, &[name]).await.unwrap().get(0);
        assert!((1..=SHARED).contains(&sessions), "{sessions}");
    }
}
