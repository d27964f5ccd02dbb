//! A limiter of either engine, on a clock that is each call's argument.

use std::{sync::Arc, time::Duration};

use acquaint_tests::{redis::RedisServer, wait::eventually};
use invitation_service::limiter::{
    Limiter, LimiterRules, LocalLimiter, Place, RequestHash, Reservation,
    redis::{Incarnation, RedisLimiter, RedisMetrics, RedisOptions, RedisUrl, TimeSource},
};
use service_kit::{
    epoch::EpochId,
    id::MemberId,
    time::{Span, Time},
};

pub(crate) const RULES: LimiterRules = LimiterRules {
    weekly_window: Span::days(7),
    recheck_after: Span::days(30),
};

/// When tests begin: 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000;

/// So many milliseconds after the beginning.
pub(crate) fn at(millis: i64) -> Time {
    Time::from_millis(START + millis)
}

/// A store whose history has this name, and keeps it.
pub(crate) fn incarnation(number: u8) -> Incarnation {
    Arc::new(move || EpochId::from_bytes([number; 16]))
}

/// Nothing fails for want of patience, where that is not what the test is about.
pub(crate) fn patient() -> RedisOptions {
    RedisOptions {
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(10),
        retry: Duration::from_millis(10),
        ..RedisOptions::default()
    }
}

/// A limiter over the Redis at `url`, connected or not.
pub(crate) fn over(url: RedisUrl, options: &RedisOptions, rules: LimiterRules) -> RedisLimiter {
    let metrics = RedisMetrics::default();
    RedisLimiter::start(
        url,
        options,
        incarnation(1),
        rules,
        TimeSource::Caller,
        metrics,
    )
    .unwrap()
}

/// A limiter with one member.
pub(crate) struct Engine {
    pub(crate) limiter: Arc<dyn Limiter>,
    pub(crate) member: MemberId,
    server: Option<RedisServer>,
}

impl Engine {
    pub(crate) fn local_by(rules: LimiterRules) -> Self {
        Self::of(LocalLimiter::new(rules, 100))
    }

    pub(crate) async fn redis_by(rules: LimiterRules) -> Self {
        let server = RedisServer::start().await;
        let limiter = over(server.url(), &patient(), rules);
        limiter.connected().await;
        Self {
            server: Some(server),
            ..Self::of(limiter)
        }
    }

    pub(crate) fn of(limiter: impl Limiter) -> Self {
        Self {
            limiter: Arc::new(limiter),
            member: MemberId::parse("ann").unwrap(),
            server: None,
        }
    }

    /// The same limiter, with another member.
    pub(crate) fn with_member(&self, id: &str) -> Self {
        Self {
            limiter: self.limiter.clone(),
            member: MemberId::parse(id).unwrap(),
            server: None,
        }
    }

    /// The server behind it.
    pub(crate) fn server(&self) -> &RedisServer {
        self.server.as_ref().expect("it is over Redis")
    }

    pub(crate) async fn reserve(&self, request: u64, now: Time) -> Reservation {
        let request = RequestHash(request);
        self.limiter.reserve(&self.member, request, now).await
    }

    pub(crate) async fn release(&self, request: u64, added: bool) {
        self.limiter
            .release(&self.member, place(request, added))
            .await;
    }

    pub(crate) async fn seed(&self, charges: &[Time], cap: u32, now: Time) {
        self.limiter.seed(&self.member, charges, cap, now).await;
    }

    pub(crate) async fn forget(&self) {
        self.limiter.forget(&self.member).await;
    }

    /// Tells it what the store knows until it knows it, as sends do that were answered *ask the store*.
    pub(crate) async fn seeded(&self, cap: u32) {
        eventually("the limiter knows the member", || async {
            self.seed(&[], cap, at(0)).await;
            let said = self.reserve(u64::MAX, at(0)).await;
            let known = matches!(said, Reservation::Taken(_));
            self.release(u64::MAX, true).await;
            known.then_some(())
        })
        .await;
    }
}

pub(crate) fn place(request: u64, added: bool) -> Place {
    Place {
        request: RequestHash(request),
        added,
    }
}

pub(crate) fn taken(request: u64, added: bool) -> Reservation {
    Reservation::Taken(place(request, added))
}
