//! The limiter over Redis: what a member was charged in the week, shared by all processes that serve the member.
//!
//! Each member has one key, `acq:{MEMBER}:cap`, with one string (its form stands in `value.lua`), which a script reads and writes whole.
//! It lapses by itself when the last charge has left the window. A key that is absent, or of another incarnation of the store, means *ask
//! the store*; so does a Redis that is away. Deliberately absent: deciding (the store does), repeating calls, and anything of a member but
//! the id.

mod connect;
mod gateway;
mod metrics;
mod options;
mod scripts;
mod url;

pub use connect::RedisSetupError;
pub use metrics::RedisMetrics;
pub use options::RedisOptions;
pub use url::{REDIS_URL, RedisUrl};

use std::sync::Arc;

use async_trait::async_trait;
use redis::cmd;
use service_kit::{
    epoch::EpochId,
    id::MemberId,
    time::{Span, Time},
};

use super::{Limiter, LimiterRules, Place, RequestHash, Reservation};
use connect::Connector;
use gateway::Gateway;
use metrics::Operation;
use scripts::{LimiterScript, RELEASE, RESERVE, SEED};

/// How many bytes of the incarnation's name a value has: enough that no two stores of one Redis have the same.
const INCARNATION_BYTES: usize = 8;
/// How many bytes a time has that the store tells.
const TIME_BYTES: usize = 6;

/// Whose clock says what time it is now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// Redis's, which all processes share.
    Redis,
    /// The caller's, which a test can move.
    Caller,
}

/// Says what the store's present incarnation is. It changes while a process runs where several use one store.
pub type Incarnation = Arc<dyn Fn() -> EpochId + Send + Sync>;

/// Keeps charges in Redis.
pub struct RedisLimiter {
    gateway: Gateway,
    incarnation: Incarnation,
    rules: LimiterRules,
    time: TimeSource,
}

impl RedisLimiter {
    /// The limiter over the Redis at `url`, for the store whose present `incarnation` is asked for at each call. Begins to connect and returns at once; fails
    /// when a file that is configured cannot be used. To be called within a runtime.
    pub fn start(
        url: RedisUrl,
        options: &RedisOptions,
        incarnation: Incarnation,
        rules: LimiterRules,
        time: TimeSource,
        metrics: RedisMetrics,
    ) -> Result<Self, RedisSetupError> {
        let connector = Connector::new(url, options.clone())?;
        Ok(Self {
            gateway: Gateway::open(connector, options.clone(), metrics),
            incarnation,
            rules,
            time,
        })
    }

    /// Waits until Redis is there.
    pub async fn connected(&self) {
        self.gateway.opened().await;
    }

    /// What a script answers for a member; `None` while Redis is away. `arguments` follow those that all scripts have.
    async fn run(
        &self,
        operation: Operation,
        script: &LimiterScript,
        member: &MemberId,
        arguments: impl IntoIterator<Item = Vec<u8>>,
    ) -> Option<u8> {
        let key = key(member);
        let incarnation = (self.incarnation)();
        let incarnation = incarnation.as_bytes().iter().take(INCARNATION_BYTES);
        let mut all = vec![
            incarnation.copied().collect(),
            millis(self.rules.weekly_window),
        ];
        all.extend(arguments);
        let call = |link| script.run(link, &key, &all);
        self.gateway.call(operation, call).await
    }

    /// The time as scripts are told it: nothing where Redis has a clock of its own.
    fn told(&self, now: Time) -> Vec<u8> {
        match self.time {
            TimeSource::Redis => Vec::new(),
            TimeSource::Caller => number(now.millis()),
        }
    }
}

#[async_trait]
impl Limiter for RedisLimiter {
    async fn reserve(&self, member: &MemberId, request: RequestHash, now: Time) -> Reservation {
        let arguments = [
            self.told(now),
            millis(self.rules.recheck_after),
            hash(request),
        ];
        let answer = self.run(Operation::Reserve, &RESERVE, member, arguments);
        let taken = |added| Reservation::Taken(Place { request, added });
        match answer.await {
            Some(1) => Reservation::Full,
            Some(2) => taken(false),
            Some(3) => taken(true),
            Some(_) => Reservation::Unknown,
            None => Reservation::Away,
        }
    }

    async fn release(&self, member: &MemberId, place: Place) {
        if place.added {
            let arguments = [hash(place.request)];
            self.run(Operation::Release, &RELEASE, member, arguments)
                .await;
        }
    }

    async fn seed(&self, member: &MemberId, charges: &[Time], weekly_cap: u32, now: Time) {
        let mut charges = charges.to_vec();
        charges.sort_unstable();
        let times = charges.iter().flat_map(|time| {
            let bytes = time.millis().max(0).to_be_bytes();
            bytes.into_iter().skip(bytes.len() - TIME_BYTES)
        });
        let arguments = [self.told(now), number(weekly_cap.into()), times.collect()];
        self.run(Operation::Seed, &SEED, member, arguments).await;
    }

    async fn forget(&self, member: &MemberId) {
        let key = key(member);
        let call = |mut link: connect::Link| {
            let mut command = cmd("DEL");
            command.arg(&key);
            async move { link.query::<u8>(&command).await }
        };
        self.gateway.call(Operation::Forget, call).await;
    }
}

/// The braces keep all that is of a member on one node of a cluster.
fn key(member: &MemberId) -> String {
    format!("acq:{{{}}}:cap", member.as_str())
}

/// The hash as a value has it. Zeros stand for a charge whose request is not known.
fn hash(request: RequestHash) -> Vec<u8> {
    request.0.max(1).to_be_bytes().to_vec()
}

fn millis(span: Span) -> Vec<u8> {
    number(span.as_millis())
}

fn number(number: i64) -> Vec<u8> {
    number.to_string().into_bytes()
}
