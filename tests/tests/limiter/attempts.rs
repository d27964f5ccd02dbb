//! Random attempts to send, by the use case on a real store, held against an exact account of them: nobody gets in over the cap, nobody is
//! refused under it, and the time that a refusal names is right to the second. Through Redis, which is emptied now and then, and through the
//! store alone. Time is the test's, also for Redis.
//!
//! Deliberately absent: attempts of one member at the same time (`service.rs`).

use std::{collections::VecDeque, sync::Arc};

use acquaint_tests::redis::RedisServer;
use async_trait::async_trait;
use fastrand::Rng;
use futures::future::join_all;
use invitation_service::{
    Policy,
    connections::{Away, Connections},
    domain::{
        accept::Ruling,
        note::{Note, Source},
        refusal::Refusal,
        standing::StandingPolicy,
    },
    limiter::{Limiter, LimiterRules, Place, RequestHash, Reservation},
    store::{
        command::{
            AwaitedVerdict,
            send::{SendInvitation, Told},
        },
        rows::FeedCursor,
        sqlite::SqliteStore,
    },
    usecase::{Context, Failure, UsecaseMetrics, send_invitation},
};
use moka::sync::Cache;
use service_kit::{
    clock::{Clock as _, ManualClock},
    deadline::Deadline,
    environment::Environment,
    epoch::EpochId,
    fields::BatchOptions,
    group_commit::GroupCommitOptions,
    id::{MemberId, PairKey},
    metrics::work::WorkMetrics,
    sqlite::{SqliteOptions, Synchronous},
    time::{Span, Time},
    trace::{TraceIds, Tracer},
    watch::{WatchOptions, Watches},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::engine::{at, over, patient};

/// How many attempts are made in each way, unless `ACQUAINT_LIMITER_ATTEMPTS` says otherwise.
const ATTEMPTS: u64 = 12_000;
/// How many members make them at the same time.
const MEMBERS: u64 = 48;
const WEEK: Span = Span::days(7);

#[tokio::test(flavor = "multi_thread")]
async fn through_redis() {
    let server = RedisServer::start().await;
    for cap in [3, 30] {
        let limiter = over(server.url(), &patient(), rules());
        limiter.connected().await;
        let service = Service::new(Arc::new(limiter), cap);
        service.attempts(Some(&server)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn through_the_store_alone() {
    for cap in [3, 30] {
        Service::new(Arc::new(Nowhere), cap).attempts(None).await;
    }
}

fn rules() -> LimiterRules {
    LimiterRules {
        weekly_window: WEEK,
        recheck_after: Span::hours(24),
    }
}

/// A limiter that is always away.
struct Nowhere;

#[async_trait]
impl Limiter for Nowhere {
    async fn reserve(&self, _: &MemberId, _: RequestHash, _: Time) -> Reservation {
        Reservation::Away
    }
    async fn release(&self, _: &MemberId, _: Place) {}
    async fn seed(&self, _: &MemberId, _: &[Time], _: u32, _: Time) {}
    async fn forget(&self, _: &MemberId) {}
}

/// connection-service, which never answers.
struct Silent;

#[async_trait]
impl Connections for Silent {
    async fn ask(&self, _: PairKey) -> Option<Told> {
        None
    }
    async fn ensure(&self, _: &AwaitedVerdict, _: Deadline) -> Result<(EpochId, Ruling), Away> {
        Err(Away)
    }
}

struct Service {
    context: Context,
    clock: ManualClock,
    cap: u32,
    _folder: TempDir,
}

/// A member, and what they were charged.
struct Member {
    id: MemberId,
    rng: Rng,
    charged: VecDeque<Time>,
    attempts: u128,
    /// The last one that was sent, with the time.
    last: Option<(u128, Time)>,
    sent: u64,
    refused: u64,
}

impl Service {
    fn new(limiter: Arc<dyn Limiter>, cap: u32) -> Self {
        let folder = acquaint_tests::pair::folder();
        let clock = ManualClock::new(at(0));
        let policy = Policy {
            weekly_cap: cap,
            weekly_window: WEEK,
            pending_sent_max: u32::MAX,
            // Nobody is judged: it is the cap of the plan that is looked at.
            standing: StandingPolicy {
                normal_weekly_cap: cap,
                pending_sent_max: u32::MAX,
                ..StandingPolicy::off()
            },
            ..Policy::default()
        };
        let mut options = SqliteOptions::new(folder.path().join("invitations.db"));
        options.synchronous = Synchronous::Normal;
        let environment = Environment::system(Arc::new(clock.clone()));
        let group_commit = GroupCommitOptions::default();
        let store = SqliteStore::open(options, group_commit, policy.clone(), environment).unwrap();
        let unfollowed = FeedCursor {
            epoch: None,
            position: 0,
        };
        let context = Context {
            store: Arc::new(store),
            connections: Arc::new(Silent),
            followed: tokio::sync::watch::Sender::new(unfollowed).subscribe(),
            limiter,
            clock: Arc::new(clock.clone()),
            watches: Watches::new(WatchOptions::default(), CancellationToken::new()),
            tracer: Tracer::without_export(TraceIds::new(1)),
            metrics: UsecaseMetrics::new(WorkMetrics::default()),
            without_place: Cache::new(10),
            policy,
            batches: BatchOptions::default(),
        };
        Self {
            context,
            clock,
            cap,
            _folder: folder,
        }
    }

    /// Makes attempts, all members at the same time, and lets time pass in between.
    async fn attempts(&self, redis: Option<&RedisServer>) {
        let wanted = std::env::var("ACQUAINT_LIMITER_ATTEMPTS").ok();
        let wanted = wanted.map_or(ATTEMPTS, |wanted| wanted.parse().unwrap()) / 2;
        let mut rng = Rng::with_seed(u64::from(self.cap));
        let mut members: Vec<_> = (0..MEMBERS).map(|n| Member::new(self.cap, n)).collect();
        let mut made = 0;
        while made < wanted {
            let chosen = rng.choice(&members).unwrap();
            let now = self.clock.now();
            self.clock.set(later(&mut rng, chosen, self.cap, now));
            if let Some(server) = redis
                && rng.u8(0..20) == 0
            {
                server.ask::<()>(&["FLUSHALL"]).await;
            }
            let all = members.iter_mut().map(|member| member.attempts(self));
            made += join_all(all).await.into_iter().sum::<u64>();
        }
        let (sent, refused) = members.iter().fold((0, 0), |(sent, refused), member| {
            (sent + member.sent, refused + member.refused)
        });
        println!("cap {}: sent {sent}, refused {refused}", self.cap);
        assert!(sent > made / 10 && refused > made / 10, "both are tried");
        self.context.store.close().await;
    }

    async fn send(&self, member: &Member, number: u128) -> Result<Time, Failure> {
        let command = SendInvitation {
            inviter: member.id.clone(),
            invitee: MemberId::parse(&format!("{}-{number}", member.id.as_str())).unwrap(),
            note: Note::default(),
            source: Source::default(),
            request_id: Some(Uuid::from_u128(number)),
            told: None,
        };
        let deadline = Deadline::after(std::time::Duration::from_mins(1));
        let sent = send_invitation::run(&self.context, command, 0, deadline).await?;
        Ok(sent.view.create_time)
    }
}

/// When the next attempts are made: mostly a little later, sometimes at the very border of a place that becomes free.
fn later(rng: &mut Rng, member: &Member, cap: u32, now: Time) -> Time {
    let share = WEEK.as_millis() / i64::from(cap);
    let step = Span::millis(match rng.u8(0..100) {
        0..=39 => 0,
        40..=79 => rng.i64(0..share / 2),
        80..=97 => rng.i64(0..share * 2),
        _ => rng.i64(0..WEEK.as_millis()),
    });
    match member.next_place(cap, now) {
        Some(free) if rng.bool() => {
            let early = free.minus(Span::millis(rng.choice([0, 1, 1_000]).unwrap()));
            early.max(now)
        }
        _ => now.plus(step),
    }
}

impl Member {
    fn new(cap: u32, number: u64) -> Self {
        Self {
            id: MemberId::parse(&format!("member-{cap}-{number}")).unwrap(),
            rng: Rng::with_seed(number),
            charged: VecDeque::new(),
            attempts: 0,
            last: None,
            sent: 0,
            refused: 0,
        }
    }

    /// When a place is free, if none is now.
    fn next_place(&self, cap: u32, now: Time) -> Option<Time> {
        let inside: Vec<_> = self
            .charged
            .iter()
            .filter(|time| now < time.plus(WEEK))
            .collect();
        let leaves = inside.len().checked_sub(cap as usize)?;
        let free = inside[leaves].plus(WEEK).millis();
        // Rounded up to the second.
        Some(Time::from_millis((free + 999) / 1_000 * 1_000))
    }

    /// Makes a few attempts one after the other, and holds each against the account.
    async fn attempts(&mut self, service: &Service) -> u64 {
        let now = service.clock.now();
        while self
            .charged
            .front()
            .is_some_and(|time| now >= time.plus(WEEK))
        {
            self.charged.pop_front();
        }
        let attempts = self.rng.u64(0..4);
        for _ in 0..attempts {
            if let Some((number, sent_at)) = self.last
                && self.rng.u8(0..8) == 0
                && now < sent_at.plus(Span::hours(24))
            {
                let again = service.send(self, number).await;
                assert_eq!(
                    again.ok(),
                    Some(sent_at),
                    "a repeat is answered as the first"
                );
                continue;
            }
            self.attempts += 1;
            let free_at = self.next_place(service.cap, now);
            let number = self.attempts;
            match (service.send(self, number).await, free_at) {
                (Ok(sent_at), None) => {
                    assert_eq!(sent_at, now);
                    self.charged.push_back(now);
                    self.last = Some((number, now));
                    self.sent += 1;
                }
                (Err(Failure::Refused(refused)), Some(free_at)) => {
                    let expected = Refusal::WeeklyCapReached {
                        weekly_cap: service.cap,
                        used: service.cap,
                        next_place_time: Some(free_at),
                    };
                    assert_eq!(refused, expected, "{:?} at {now:?}", self.id);
                    self.refused += 1;
                }
                (found, free_at) => panic!(
                    "{:?} at {now:?}: {found:?}, though the next place is free at {free_at:?} by {:?}",
                    self.id, self.charged
                ),
            }
        }
        attempts
    }
}
