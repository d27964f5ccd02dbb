//! The one server is stopped, or restarted.

use std::time::Duration;

use acquaint_tests::postgres::Ending;

use crate::{
    count, databases, go_on,
    meanwhile::{is_away, is_back},
    outage, run, server, stop, turn, under_load,
};

#[tokio::test(flavor = "multi_thread")]
async fn while_a_server_is_stopped_calls_are_refused_and_afterwards_all_goes_on() {
    let _turn = turn().await;
    let server = server().await;
    let urls = databases(&server).await.map(|name| server.url_text(&name));
    let mut rig = under_load(1, &urls, &urls).await;
    for ending in [Ending::Fast, Ending::Immediate] {
        stop(&server, ending);
        let answer = is_away(&rig, outage()).await;
        run(&server);
        let back = is_back(&rig).await;
        println!(
            "a server stopped ({ending:?}): {{\"seconds\": {}, \"longest answer millis\": {}, \"back after millis\": {}}}",
            outage().as_secs(),
            answer.as_millis(),
            back.as_millis()
        );
        go_on(&rig).await;
    }
    assert_eq!(rig.settle().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_restarted_under_load_loses_nothing() {
    let _turn = turn().await;
    let server = server().await;
    let urls = databases(&server).await.map(|name| server.url_text(&name));
    let mut rig = under_load(2, &urls, &urls).await;
    let restarts = count("ACQUAINT_RESTARTS", 3);
    let mut longest = Duration::ZERO;
    for number in 0..restarts {
        let ending = [Ending::Immediate, Ending::Fast][usize::from(number % 2 == 1)];
        stop(&server, ending);
        run(&server);
        longest = longest.max(is_back(&rig).await);
        go_on(&rig).await;
    }
    println!(
        "a server restarted: {{\"times\": {restarts}, \"back after millis at most\": {}}}",
        longest.as_millis()
    );
    assert_eq!(rig.settle().await, Vec::<String>::new());
}
