//! The server dies or vanishes, and its synchronous standby takes over.

use std::time::Duration;

use acquaint_tests::{
    postgres::{Ending, PostgresServer, connect},
    rig::Rig,
    wait::eventually,
};
use tokio::task::block_in_place;
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{
    count, databases, go_on,
    meanwhile::{all_say, is_away, is_back},
    server, stop, turn, under_load,
};

/// How long it takes until somebody promotes the standby.
const NOTICED_AFTER: Duration = Duration::from_millis(500);

/// A server with a standby, the names of the databases, and who uses them under load.
async fn followed(seed: u64) -> (PostgresServer, PostgresServer, Rig) {
    let primary = server().await;
    let standby = primary.standby().await;
    let names = databases(&primary).await;
    let urls = names.map(|name| primary.url_text_with(&standby, &name));
    let rig = under_load(seed, &urls, &urls).await;
    (primary, standby, rig)
}

/// The standby takes over, and everything goes on.
async fn taken_over(standby: &PostgresServer, mut rig: Rig) -> Duration {
    block_in_place(|| standby.takes_over());
    let back = is_back(&rig).await;
    go_on(&rig).await;
    assert_eq!(rig.settle().await, Vec::<String>::new());
    back
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_a_server_that_died_in_the_middle_of_commits() {
    let _turn = turn().await;
    for seed in 0..count("ACQUAINT_FAILOVERS", 1) {
        let (primary, standby, rig) = followed(seed).await;
        // The last commits reach the standby's machine, and are not heard of any more.
        let silent = standby.freeze();
        commits_wait(&primary).await;
        stop(&primary, Ending::Immediate);
        // Where the standby answers, it may only be read.
        drop(silent);
        let answer = is_away(&rig, NOTICED_AFTER).await;
        let back = taken_over(&standby, rig).await;
        println!(
            "a standby took over: {{\"seed\": {seed}, \"longest answer millis\": {}, \"back after millis\": {}}}",
            answer.as_millis(),
            back.as_millis()
        );
    }
}

/// Waits until commits of both services wait for the standby.
async fn commits_wait(primary: &PostgresServer) {
    let client = connect(primary.url("postgres")).await;
    let sql = "select count(distinct datname) from pg_stat_activity where wait_event = 'SyncRep'";
    eventually("both services commit", || async {
        let waiting: i64 = client.query_one(sql, &[]).await.unwrap().get(0);
        (waiting == 2).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_a_server_that_answers_no_more() {
    let _turn = turn().await;
    let (primary, standby, rig) = followed(11).await;
    let silent = primary.freeze();
    eventually("all say that they do not serve", || {
        all_say(&rig, ServingStatus::NotServing)
    })
    .await;
    let back = taken_over(&standby, rig).await;
    println!(
        "a standby took over from a silent server: {{\"back after millis\": {}}}",
        back.as_millis()
    );
    drop(silent);
}
