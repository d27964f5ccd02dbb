//! What an attack costs those who mean well: `make attack`.
//!
//! Runs connection-service, and beside it a client who means well and one other, which is held to half a core: harmless, or an attacker.
//! Prints how long the calls of the first take beside either, turn by turn, and how much memory the service takes. Deliberately
//! absent: whether an attack is ended, which `tests/server.rs` asserts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a measurement that cannot be made has no other use"
)]

use std::{net::SocketAddr, process::Stdio, time::Duration};

use acquaint_proto::connection::v1::{BlockMemberRequest, ListConnectionsRequest};
use acquaint_tests::{
    Blocks, Connections,
    attack::{Attack, besiege, occupy},
    pair::folder,
    wait::until_serving,
};
use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    process::{Child, Command},
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tonic::transport::{Channel, Endpoint};

/// How much of a core the other client may use.
const SHARE: f64 = 0.5;
/// How often the client who means well calls.
const CALL_EVERY: Duration = Duration::from_millis(4);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match *arguments.as_slice() {
            ["other", who, address, seconds] => {
                let until = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
                other(who, address.parse().unwrap(), until).await;
            }
            [service, seconds, turns, ref kinds @ ..] => {
                let (seconds, turns) = (seconds.parse().unwrap(), turns.parse().unwrap());
                measure(service, seconds, turns, kinds).await;
            }
            _ => panic!("attack CONNECTION-SERVICE SECONDS TURNS [KIND…]"),
        }
    });
}

/// Goes on as `who` does, until `until`.
async fn other(who: &str, address: SocketAddr, until: Instant) {
    let begun = Instant::now();
    let rest = || async || rest(begun).await;
    match who {
        "nobody" => tokio::time::sleep_until(until).await,
        "harmless" => {
            let channel = channel(address);
            let callers: FuturesUnordered<_> = (0..16)
                .map(|_| {
                    let channel = channel.clone();
                    async move {
                        while Instant::now() < until {
                            list(&channel).await;
                            rest()().await;
                        }
                    }
                })
                .collect();
            callers.collect::<Vec<()>>().await;
        }
        "everything" => {
            let _silent = occupy(address, 1_100).await;
            besiege(address, 2, until, rest).await;
        }
        name => {
            let named = |attack: &Attack| format!("{attack:?}") == name;
            let attack = Attack::ALL.into_iter().find(named).expect("an attack");
            let lines: FuturesUnordered<_> = (0..8)
                .map(|_| async move {
                    while Instant::now() < until {
                        attack.run(address, until, rest()).await;
                        rest()().await;
                    }
                })
                .collect();
            lines.collect::<Vec<()>>().await;
        }
    }
}

/// Waits for as long as this process, which has one thread, has used more than its share since `begun`.
async fn rest(begun: Instant) {
    let stat = std::fs::read_to_string("/proc/self/schedstat").unwrap();
    let used: u64 = stat.split_whitespace().next().unwrap().parse().unwrap();
    let due = Duration::from_nanos(used).div_f64(SHARE);
    // Always lets others of this process have their turn.
    tokio::task::yield_now().await;
    let early = due.saturating_sub(begun.elapsed());
    if !early.is_zero() {
        sleep(early).await;
    }
}

fn channel(address: SocketAddr) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
    endpoint.tcp_nodelay(true).connect_lazy()
}

async fn list(channel: &Channel) -> bool {
    let request = ListConnectionsRequest {
        member_id: "ann".to_owned(),
        ..Default::default()
    };
    let mut client = Connections::new(channel.clone());
    client.list_connections(request).await.is_ok()
}

async fn block(channel: &Channel, nth: usize) -> bool {
    let request = BlockMemberRequest {
        member_id: "ann".to_owned(),
        other_id: format!("bob-{}", nth % 100),
    };
    Blocks::new(channel.clone())
        .block_member(request)
        .await
        .is_ok()
}

/// Measures beside each of `asked`, or beside each kind that there is.
async fn measure(service: &str, seconds: u64, turns: usize, asked: &[&str]) {
    let attacks = Attack::ALL.iter().map(|attack| format!("{attack:?}"));
    let all = ["nobody".to_owned()].into_iter().chain(attacks);
    let all: Vec<String> = all.chain(["everything".to_owned()]).collect();
    for kind in asked {
        assert!(
            all.iter().any(|known| known == kind),
            "{kind} is none of {all:?}"
        );
    }
    let kinds = all
        .into_iter()
        .filter(|kind| asked.is_empty() || asked.contains(&kind.as_str()));
    println!(
        "milliseconds of a read and of a write, each the median of {turns} turns of {seconds} s"
    );
    println!(
        "| beside | read p50 | read p99 | write p50 | write p99 | p99 against harmless | refused | memory grows by |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for kind in kinds {
        let (mut harmless, mut hostile) = (Vec::new(), Vec::new());
        for _ in 0..turns {
            harmless.push(turn(service, "harmless", seconds).await);
            hostile.push(turn(service, &kind, seconds).await);
        }
        let (beside, before) = (Turn::median(&hostile), Turn::median(&harmless));
        println!(
            "| {kind} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} read, {:.2} write | {} | {} MiB |",
            beside.read.0,
            beside.read.1,
            beside.write.0,
            beside.write.1,
            beside.read.1 / before.read.1,
            beside.write.1 / before.write.1,
            beside.refused,
            beside.grown / 1_024,
        );
    }
}

/// What a turn has shown.
#[derive(Clone, Copy)]
struct Turn {
    /// Milliseconds: the median and the 99th percentile.
    read: (f64, f64),
    write: (f64, f64),
    refused: usize,
    /// KiB.
    grown: u64,
}

impl Turn {
    fn median(turns: &[Self]) -> Self {
        let middle = |of: &dyn Fn(&Self) -> f64| percentile(turns.iter().map(of).collect(), 0.5);
        Self {
            read: (middle(&|turn| turn.read.0), middle(&|turn| turn.read.1)),
            write: (middle(&|turn| turn.write.0), middle(&|turn| turn.write.1)),
            refused: turns.iter().map(|turn| turn.refused).sum(),
            grown: turns.iter().map(|turn| turn.grown).max().unwrap_or(0),
        }
    }
}

fn percentile(mut values: Vec<f64>, part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "a place among a few thousand"
    )]
    let at = (last as f64 * part).ceil() as usize;
    values.get(at).copied().unwrap_or(f64::NAN)
}

/// One turn, with a service of its own.
async fn turn(service: &str, who: &str, seconds: u64) -> Turn {
    let folder = folder();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = port.local_addr().unwrap();
    drop(port);
    let mut serving = Command::new(service)
        .env_clear()
        .env("ACQUAINT_LISTEN", address.to_string())
        .env(
            "ACQUAINT_DATABASE_URL",
            format!("sqlite:{}/c.db", folder.path().display()),
        )
        .env("ACQUAINT_LOG_FILTER", "off")
        // There is no invitation-service to wait for.
        .env("ACQUAINT_ACKNOWLEDGEMENT_WAIT_MILLIS", "1")
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let channel = channel(address);
    until_serving(channel.clone()).await;
    // What every service needs once.
    for nth in 0..200 {
        assert!(list(&channel).await && block(&channel, nth).await);
    }
    let before = memory(&serving, "VmRSS");
    let mut beside = Command::new(std::env::current_exe().unwrap())
        .args([
            "other",
            who,
            &address.to_string(),
            &(seconds + 1).to_string(),
        ])
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut reads, mut writes, mut refused) = (Vec::new(), Vec::new(), 0);
    let mut beats = interval(CALL_EVERY);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let until = Instant::now() + Duration::from_secs(seconds);
    for nth in 0.. {
        beats.tick().await;
        let begun = Instant::now();
        if begun > until {
            break;
        }
        let (answered, times) = if nth % 2 == 0 {
            (list(&channel).await, &mut reads)
        } else {
            (block(&channel, nth).await, &mut writes)
        };
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        refused += usize::from(!answered);
    }
    let grown = memory(&serving, "VmHWM").saturating_sub(before);
    assert!(beside.wait().await.unwrap().success());
    serving.kill().await.unwrap();
    let both = |times: Vec<f64>| (percentile(times.clone(), 0.5), percentile(times, 0.99));
    Turn {
        read: both(reads),
        write: both(writes),
        refused,
        grown,
    }
}

/// A line of a process's memory, in KiB.
fn memory(child: &Child, line: &str) -> u64 {
    let status = format!("/proc/{}/status", child.id().expect("it runs"));
    let status = std::fs::read_to_string(status).unwrap();
    let found = status.lines().find_map(|found| found.strip_prefix(line));
    let number = found.and_then(|rest| rest.split_whitespace().nth(1));
    number.unwrap().parse().unwrap()
}
