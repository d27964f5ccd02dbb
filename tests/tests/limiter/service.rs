//! The weekly cap of the running service over Redis: exactly as many as the cap, whatever becomes of Redis.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    slice,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use acquaint_proto::invitation::v1::{InvitationBox, SendInvitationRequest};
use acquaint_tests::{
    Invitations,
    pair::{Databases, Pair, Setup},
    redis::RedisServer,
    refusal::Refusal,
    scrape::{free_address, scrape, value},
    wait::{eventually, until_serving},
};
use futures::future::join_all;
use invitation_service::limiter::redis::RedisOptions;
use service_kit::observability::ObservabilityOptions;
use uuid::Uuid;

/// The weekly cap.
pub(crate) const CAP: u32 = 20;
const TASKS: usize = 64;
const REPEATS: usize = 3;
/// Longer than any call takes of a Redis that does not hang.
const PATIENT: Duration = Duration::from_secs(10);

/// How many rounds of a storm there are, unless `ACQUAINT_LIMITER_ROUNDS` says otherwise.
const ROUNDS: u32 = 3;

pub(crate) fn rounds() -> u32 {
    let rounds = std::env::var("ACQUAINT_LIMITER_ROUNDS").ok();
    rounds.map_or(ROUNDS, |rounds| rounds.parse().unwrap())
}

/// Whether Redis counts as away, as the service shows it.
pub(crate) async fn is_degraded(shown_at: SocketAddr) -> bool {
    let series = "acquaint_limiter_redis_degraded{component=\"invitation-service\"}";
    value(&scrape(shown_at).await, series) > 0.5
}

/// The pair over this Redis, used, and where invitation-service shows its figures.
pub(crate) async fn pair_over(redis: RedisOptions) -> (Pair, SocketAddr) {
    pair_on(None, redis).await
}

/// [`pair_over`], with stores in databases where some are given.
pub(crate) async fn pair_on(
    postgres: Option<Databases>,
    redis: RedisOptions,
) -> (Pair, SocketAddr) {
    let shown_at = free_address();
    let mut setup = Setup {
        system_clock: true,
        redis,
        postgres,
        invitation_shows: ObservabilityOptions {
            metrics_listen: Some(shown_at),
            ..ObservabilityOptions::default()
        },
        ..Setup::default()
    };
    setup.invitation_policy.weekly_cap = CAP;
    let pair = Pair::with(setup).await;
    eventually("Redis is used", || async {
        (!is_degraded(shown_at).await).then_some(())
    })
    .await;
    (pair, shown_at)
}

/// The Redis of this server, which is waited for so long.
pub(crate) fn of(server: &RedisServer, timeout: Duration) -> RedisOptions {
    RedisOptions {
        url: Some(server.url()),
        timeout,
        ..RedisOptions::default()
    }
}

/// Everybody sends something of their own in one member's name, each three times, by turns to each of the processes that `clients` reach. Who
/// was sent to.
pub(crate) async fn storm(clients: &[Invitations], inviter: &str) -> BTreeSet<String> {
    let senders = (0..TASKS).map(|number| {
        let (clients, inviter) = (clients.to_vec(), inviter.to_owned());
        tokio::spawn(async move {
            let request = SendInvitationRequest {
                inviter_id: inviter,
                invitee_id: format!("invitee-{number}"),
                request_id: Uuid::from_u128(0xacc0_0000 + number as u128).to_string(),
                ..Default::default()
            };
            let mut ids = BTreeSet::new();
            for repeat in 0..REPEATS {
                let mut client = clients[(number + repeat) % clients.len()].clone();
                match client.send_invitation(request.clone()).await {
                    Ok(sent) => {
                        ids.insert(sent.into_inner().invitation.unwrap().invitation_id);
                    }
                    Err(refused) => {
                        assert_eq!(Refusal::of(&refused).reason, "WEEKLY_CAP_REACHED");
                        assert!(ids.is_empty(), "what was sent stays sent");
                    }
                }
            }
            assert!(ids.len() <= 1, "a repeat is answered as the first: {ids:?}");
            (!ids.is_empty()).then_some(request.invitee_id)
        })
    });
    let sent = join_all(senders).await;
    sent.into_iter().filter_map(Result::unwrap).collect()
}

/// That as many were sent as the cap allows, and the store says so.
pub(crate) async fn exactly_the_cap(pair: &Pair, inviter: &str, sent: &BTreeSet<String>) {
    assert_eq!(sent.len(), CAP as usize, "{sent:?}");
    let quota = pair.quota(inviter).await;
    let cap = i32::try_from(CAP).unwrap();
    assert_eq!((quota.used, quota.remaining), (cap, 0));
    let listed = pair.list(inviter, InvitationBox::Sent).await;
    let listed: BTreeSet<_> = listed.into_iter().map(|i| i.invitee_id).collect();
    assert_eq!(&listed, sent);
}

/// What comes of `storm` while Redis is emptied again and again.
pub(crate) async fn while_emptied<T>(
    server: &Arc<RedisServer>,
    storm: impl Future<Output = T>,
) -> T {
    let over = Arc::new(AtomicBool::new(false));
    let emptying = tokio::spawn({
        let (server, over) = (server.clone(), over.clone());
        async move {
            while !over.load(Ordering::Relaxed) {
                server.ask::<()>(&["FLUSHALL"]).await;
            }
        }
    });
    let came = storm.await;
    over.store(true, Ordering::Relaxed);
    emptying.await.unwrap();
    came
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_sent_up_to_the_cap_and_no_further() {
    let server = RedisServer::start().await;
    let (pair, _) = pair_over(of(&server, PATIENT)).await;
    let pair = Arc::new(pair);
    for round in 0..rounds() {
        let inviter = format!("ann-{round}");
        let sent = storm(slice::from_ref(&pair.invitations), &inviter).await;
        exactly_the_cap(&pair, &inviter, &sent).await;
        let kept: bool = server
            .ask(&["EXISTS", &format!("acq:{{{inviter}}}:cap")])
            .await;
        assert!(kept, "Redis was used");
    }
    Arc::into_inner(pair).unwrap().stop().await;
}

/// Many at once may all be decided before Redis knows of any of them; one after the other it is known what Redis says to each.
#[tokio::test(flavor = "multi_thread")]
async fn redis_knows_of_a_member_from_the_first_send_on() {
    let server = RedisServer::start().await;
    let (pair, shown_at) = pair_over(of(&server, PATIENT)).await;
    for number in 0..CAP {
        pair.sent("ann", &format!("invitee-{number}")).await;
    }
    let refused = pair.send("ann", "one-more").await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason, "WEEKLY_CAP_REACHED");
    let page = scrape(shown_at).await;
    let said = ["unknown", "taken", "full", "away"].map(|outcome| {
        let series = "acquaint_limiter_reservations_total{component=\"invitation-service\"";
        let times = value(&page, &format!("{series},outcome=\"{outcome}\"}}"));
        format!("{outcome} {times}")
    });
    assert_eq!(said, ["unknown 1", "taken 19", "full 1", "away 0"]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_are_sent_up_to_the_cap_though_redis_is_emptied_meanwhile() {
    let server = Arc::new(RedisServer::start().await);
    let (pair, _) = pair_over(of(&server, PATIENT)).await;
    let pair = Arc::new(pair);
    for round in 0..rounds() {
        let inviter = format!("ann-{round}");
        let sent =
            while_emptied(&server, storm(slice::from_ref(&pair.invitations), &inviter)).await;
        exactly_the_cap(&pair, &inviter, &sent).await;
    }
    Arc::into_inner(pair).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_redis_hangs_the_store_alone_holds_the_cap_and_the_service_serves() {
    let server = RedisServer::start().await;
    let (pair, shown_at) = pair_over(of(&server, RedisOptions::default().timeout)).await;
    server.freeze();
    let pair = Arc::new(pair);
    let sent = storm(slice::from_ref(&pair.invitations), "ann").await;
    exactly_the_cap(&pair, "ann", &sent).await;
    eventually("Redis counts as away", || async {
        pair.send("ann", "dan").await.unwrap_err();
        is_degraded(shown_at).await.then_some(())
    })
    .await;
    until_serving(pair.channel()).await;
    server.thaw();
    eventually("Redis is used again", || async {
        (!is_degraded(shown_at).await).then_some(())
    })
    .await;
    Arc::into_inner(pair).unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_forgets_whoever_is_erased() {
    let server = RedisServer::start().await;
    let (pair, _) = pair_over(of(&server, PATIENT)).await;
    let there = async || server.ask::<bool>(&["EXISTS", "acq:{ann}:cap"]).await;
    pair.sent("ann", "bob").await;
    assert!(there().await);
    eventually("the erasure is complete", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    assert!(!there().await);
    pair.stop().await;
}
