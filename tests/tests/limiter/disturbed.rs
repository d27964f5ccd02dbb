//! The running service while Redis is killed, emptied, frozen, started from an old snapshot, or loses a node: members send all the time, each
//! exactly as many as the cap, and hardly a call fails.
//!
//! What each test prints (calls, those that were UNAVAILABLE, the 99th percentile of how long calls took) is for people to read, beside the
//! same figures without Redis; only what does not depend on the machine is asserted.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use acquaint_proto::invitation::v1::SendInvitationRequest;
use acquaint_tests::{
    pair::Pair,
    redis::{RedisCluster, RedisServer},
    refusal::Refusal,
    wait::{eventually, within},
};
use invitation_service::limiter::redis::{RedisOptions, RedisUrl};
use tokio::{task::JoinSet, time::Instant};
use tonic::Code;
use uuid::Uuid;

use crate::service::{CAP, is_degraded, pair_over};

/// How many members send at the same time.
const SENDERS: usize = 16;
/// How many calls are made before and after each disturbance.
const CALLS: u64 = 600;
/// How often each disturbance comes.
const ROUNDS: u32 = 3;
/// Within what time Redis is used again that is back.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// How often a call is made again that was UNAVAILABLE.
const TRIES_MAX: u32 = 50;

/// Members who send, one after the other, more than they may.
struct Load {
    pair: Arc<Pair>,
    calls: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
    senders: JoinSet<Account>,
}

/// What a sender has met.
#[derive(Default)]
struct Account {
    unavailable: u64,
    took: Vec<Duration>,
}

impl Load {
    fn begin(pair: Pair) -> Self {
        let pair = Arc::new(pair);
        let (calls, over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let mut senders = JoinSet::new();
        for sender in 0..SENDERS {
            let (pair, calls, over) = (pair.clone(), calls.clone(), over.clone());
            senders.spawn(async move {
                let mut account = Account::default();
                for member in 0_u64.. {
                    if over.load(Ordering::Relaxed) {
                        break;
                    }
                    let inviter = format!("ann-{sender}-{member}");
                    account.spend_the_week(&pair, &inviter, &calls).await;
                }
                account
            });
        }
        Self {
            pair,
            calls,
            over,
            senders,
        }
    }

    /// Waits until some more calls have been answered.
    async fn goes_on(&self) {
        let wanted = self.calls.load(Ordering::Relaxed) + CALLS;
        eventually("calls are answered", || async {
            (self.calls.load(Ordering::Relaxed) >= wanted).then_some(())
        })
        .await;
    }

    /// Lets everybody finish their week, and says what they met.
    async fn end(self, what: &str) {
        self.over.store(true, Ordering::Relaxed);
        let accounts = self.senders.join_all().await;
        let unavailable: u64 = accounts.iter().map(|account| account.unavailable).sum();
        let mut took: Vec<_> = accounts.into_iter().flat_map(|a| a.took).collect();
        took.sort();
        let p99 = took[took.len() * 99 / 100];
        println!(
            "{what}: {} calls, {unavailable} UNAVAILABLE, p99 {p99:?}",
            took.len()
        );
        let calls = u64::try_from(took.len()).unwrap();
        assert!(unavailable * 1_000 <= calls, "{unavailable} of {calls}");
        Arc::into_inner(self.pair).unwrap().stop().await;
    }
}

impl Account {
    /// Sends a few more than the cap allows: the cap is sent, the others refused.
    async fn spend_the_week(&mut self, pair: &Pair, inviter: &str, calls: &AtomicU64) {
        for number in 0..CAP + 3 {
            let request = SendInvitationRequest {
                inviter_id: inviter.to_owned(),
                invitee_id: format!("invitee-{number}"),
                request_id: Uuid::from_u128(0xacc0_0000 + u128::from(number)).to_string(),
                ..Default::default()
            };
            let answer = self.call(pair, request).await;
            calls.fetch_add(1, Ordering::Relaxed);
            match answer {
                Ok(()) => assert!(number < CAP, "{inviter} is over the cap"),
                Err(reason) => {
                    assert_eq!(reason, "WEEKLY_CAP_REACHED", "{inviter}, {number}");
                    assert!(number >= CAP, "{inviter} was refused under the cap");
                }
            }
        }
    }

    async fn call(&mut self, pair: &Pair, request: SendInvitationRequest) -> Result<(), String> {
        for _ in 0..TRIES_MAX {
            let began = Instant::now();
            let answer = pair.send_with(request.clone()).await;
            self.took.push(began.elapsed());
            match answer {
                Ok(_) => return Ok(()),
                Err(status) if status.code() == Code::Unavailable => self.unavailable += 1,
                Err(status) => return Err(Refusal::of(&status).reason),
            }
        }
        panic!("UNAVAILABLE all the time");
    }
}

/// The pair over this Redis with its defaults, and where it shows its figures.
async fn over(url: Option<RedisUrl>) -> (Load, SocketAddr) {
    let options = RedisOptions {
        url,
        ..RedisOptions::default()
    };
    let (pair, shown_at) = pair_over(options).await;
    (Load::begin(pair), shown_at)
}

async fn until_away(shown_at: SocketAddr) {
    eventually("Redis counts as away", || async {
        is_degraded(shown_at).await.then_some(())
    })
    .await;
}

async fn until_back(shown_at: SocketAddr) {
    within(BACK_WITHIN, "Redis is used again", || async {
        (!is_degraded(shown_at).await).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis() {
    let (load, _) = over(None).await;
    for _ in 0..ROUNDS * 2 {
        load.goes_on().await;
    }
    load.end("without Redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_redis_left_in_peace() {
    let server = RedisServer::start().await;
    let (load, _) = over(Some(server.url())).await;
    for _ in 0..ROUNDS * 2 {
        load.goes_on().await;
    }
    load.end("with Redis").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_killed() {
    let mut server = RedisServer::start().await;
    let (load, shown_at) = over(Some(server.url())).await;
    for _ in 0..ROUNDS {
        load.goes_on().await;
        server.kill().await;
        until_away(shown_at).await;
        load.goes_on().await;
        server.run().await;
        until_back(shown_at).await;
    }
    load.goes_on().await;
    load.end("killed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_emptied() {
    let server = RedisServer::start().await;
    let (load, _) = over(Some(server.url())).await;
    for _ in 0..ROUNDS * 2 {
        load.goes_on().await;
        server.ask::<()>(&["FLUSHALL"]).await;
        server.ask::<()>(&["SCRIPT", "FLUSH"]).await;
    }
    load.goes_on().await;
    load.end("emptied").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_frozen() {
    let server = RedisServer::start().await;
    let (load, shown_at) = over(Some(server.url())).await;
    for _ in 0..ROUNDS {
        load.goes_on().await;
        server.freeze();
        until_away(shown_at).await;
        load.goes_on().await;
        server.thaw();
        until_back(shown_at).await;
    }
    load.goes_on().await;
    load.end("frozen").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_started_from_an_old_snapshot() {
    let mut server = RedisServer::start().await;
    let (load, shown_at) = over(Some(server.url())).await;
    load.goes_on().await;
    server.ask::<()>(&["SAVE"]).await;
    for _ in 0..ROUNDS {
        load.goes_on().await;
        server.kill().await;
        until_away(shown_at).await;
        server.run().await;
        let kept: u64 = server.ask(&["DBSIZE"]).await;
        assert!(kept > 0, "the snapshot was read");
        until_back(shown_at).await;
    }
    load.goes_on().await;
    load.end("from an old snapshot").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_of_a_cluster_move_and_a_primary_is_killed() {
    let mut cluster = RedisCluster::start().await;
    cluster.add_replica_of(0).await;
    let url = RedisUrl::parse(&cluster.url()).unwrap();
    let (load, _) = over(Some(url)).await;
    load.goes_on().await;
    cluster.move_slots(0, 1, 300).await;
    cluster.nodes[0].kill().await;
    load.goes_on().await;
    let replica = cluster.nodes.last().unwrap();
    replica.takes_over().await;
    cluster.move_slots(1, 2, 300).await;
    load.goes_on().await;
    let kept: u64 = replica.ask(&["DBSIZE"]).await;
    load.end("slots moved, a primary killed").await;
    assert!(kept > 0);
}
