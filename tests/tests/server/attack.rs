//! Attacks: each is ended, and whoever means well is served all the while.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    time::Duration,
};

use acquaint_proto::connection::v1::{BlockMemberRequest, ListConnectionsRequest};
use acquaint_tests::{
    attack::{Attack, besiege, occupy},
    frames::{END_HEADERS, END_STREAM, Raw, call, frame, kind, message},
    pair::{Pair, Setup},
    wait::eventually,
};
use service_kit::server::ServerOptions;
use tokio::time::{Instant, sleep};

use crate::child::Service;

/// How long an attack may go on before it must have been ended.
const ENDED_WITHIN: Duration = Duration::from_secs(30);
/// How long all attacks go on together.
const SIEGE: Duration = Duration::from_secs(8);
/// How much the process may grow, in KiB.
const GROWTH_MAX: u64 = 64 * 1_024;

/// A caller who means well: fails when any of its calls does.
async fn use_well(service: &Service, until: &AtomicBool) -> u32 {
    let (mut connections, mut blocks) = (service.connections(), service.blocks());
    let mut calls = 0;
    while !until.load(Relaxed) {
        let list = ListConnectionsRequest {
            member_id: "ann".to_owned(),
            ..Default::default()
        };
        let listed = connections.list_connections(list).await;
        listed.unwrap_or_else(|refused| panic!("after {calls} calls: {refused:?}"));
        let block = BlockMemberRequest {
            member_id: "ann".to_owned(),
            other_id: format!("bob-{}", calls % 10),
        };
        let blocked = blocks.block_member(block).await;
        blocked.unwrap_or_else(|refused| panic!("after {calls} calls: {refused:?}"));
        calls += 2;
        // As somebody would who has something else to do.
        sleep(Duration::from_millis(2)).await;
    }
    calls
}

#[tokio::test(flavor = "multi_thread")]
async fn every_attack_is_ended() {
    let service = Service::started().await;
    let until = Instant::now() + ENDED_WITHIN;
    let address = service.address;
    let ends = Attack::ALL.map(|attack| async move {
        let ended = attack.run(address, until, async || ()).await;
        (attack, ended)
    });
    for (attack, ended) in futures::future::join_all(ends).await {
        assert!(ended, "{attack:?} goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn under_every_attack_at_once_others_are_served_and_memory_is_bounded() {
    let service = Service::started().await;
    let done = AtomicBool::new(false);
    let before = service.memory("VmRSS");
    let siege = async {
        // A place of its own for each silent connection, and more than there are.
        let silent = occupy(service.address, 1_100).await;
        // A flood, but one that leaves this process time for its other half.
        let rest = || async || sleep(Duration::from_millis(2)).await;
        besiege(service.address, 4, Instant::now() + SIEGE, rest).await;
        done.store(true, Relaxed);
        silent.len()
    };
    let (silent, calls) = tokio::join!(siege, use_well(&service, &done));
    let most = service.memory("VmHWM");
    println!(
        "{silent} silent connections, {calls} good calls, {before} KiB before, {most} KiB at most"
    );
    assert!(calls > 0);
    assert!(most < before + GROWTH_MAX, "{before} KiB became {most} KiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_take_answers_is_cut() {
    let pair = Pair::with(Setup {
        server: ServerOptions {
            stall_max: Duration::from_millis(300),
            ..ServerOptions::default()
        },
        ..Setup::default()
    })
    .await;
    pair.connect("ann", "bob").await;
    let address = pair.connection_address().parse().unwrap();
    // INITIAL_WINDOW_SIZE is 0: no answer may be sent.
    let mut raw = Raw::connect(address, &[0, 4, 0, 0, 0, 0]).await.unwrap();
    let list = "/acquaint.connection.v1.ConnectionService/ListConnections";
    let ann = message(5, &[0x0a, 3, b'a', b'n', b'n']);
    for stream in [1, 3, 5] {
        let begun = frame(kind::HEADERS, END_HEADERS, stream, &call(list));
        let asked = frame(kind::DATA, END_STREAM, stream, &ann);
        assert!(raw.send(&[begun, asked].concat()).await);
    }
    assert!(raw.is_ended_within(Duration::from_secs(20)).await);
    eventually("others are served", || async {
        (pair.connected("ann").await == ["bob"]).then_some(())
    })
    .await;
    pair.stop().await;
}
