//! Redis that was emptied, hangs, dies, is full, or is not there at all: calls say so, or *ask the store*, within their time, and it comes
//! back by itself.

use std::time::Duration;

use acquaint_tests::{
    redis::RedisServer,
    wait::{eventually, within},
};
use invitation_service::limiter::{
    Reservation,
    redis::{RedisLimiter, RedisMetrics, RedisOptions, TimeSource},
};
use tokio::time::Instant;

use crate::engine::{Engine, RULES, at, incarnation, over, patient, taken};

/// Within what time Redis is used again that is back.
const BACK_WITHIN: Duration = Duration::from_secs(2);
/// What no handful of calls takes that keep their time, on a machine with other things to do.
const MOMENT: Duration = Duration::from_secs(2);

async fn connected(server: &RedisServer) -> Engine {
    let engine = Engine::of(over(server.url(), &RedisOptions::default(), RULES));
    engine.seeded(3).await;
    engine
}

/// Reserves until the limiter is asked no more, since Redis is away.
async fn until_away(engine: &Engine) {
    eventually("Redis counts as away", || async {
        let began = Instant::now();
        // Calls that are made take their whole time, or meet a broken connection; none of these is.
        for request in 0..200 {
            let said = engine.reserve(1_000 + request, at(0)).await;
            assert_eq!(said, Reservation::Away);
        }
        (began.elapsed() < RedisOptions::default().timeout * 4).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_flushed_is_asked_of_the_store_again() {
    let ann = Engine::redis_by(RULES).await;
    ann.seed(&[], 1, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, taken(1, true));
    ann.server().ask::<()>(&["FLUSHALL"]).await;
    assert_eq!(ann.reserve(1, at(1)).await, Reservation::Unknown);
    ann.seed(&[at(0)], 1, at(1)).await;
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
}

#[tokio::test]
async fn scripts_that_the_server_has_forgotten_are_told_again() {
    let ann = Engine::redis_by(RULES).await;
    ann.seed(&[], 2, at(0)).await;
    for request in [1, 2] {
        ann.server().ask::<()>(&["SCRIPT", "FLUSH"]).await;
        assert_eq!(ann.reserve(request, at(0)).await, taken(request, true));
    }
    ann.server().ask::<()>(&["SCRIPT", "FLUSH"]).await;
    ann.release(2, true).await;
    assert_eq!(ann.reserve(3, at(0)).await, taken(3, true));
}

#[tokio::test]
async fn what_belongs_to_another_incarnation_counts_as_absent() {
    let ann = Engine::redis_by(RULES).await;
    ann.seed(&[at(0)], 1, at(0)).await;
    let restored = RedisLimiter::start(
        ann.server().url(),
        &patient(),
        incarnation(2),
        RULES,
        TimeSource::Caller,
        RedisMetrics::default(),
    );
    let restored = restored.unwrap();
    restored.connected().await;
    let restored = Engine::of(restored);
    assert_eq!(restored.reserve(1, at(1)).await, Reservation::Unknown);
    // What it does not know it does not change either.
    restored.release(1, true).await;
    assert_eq!(ann.reserve(1, at(1)).await, Reservation::Full);
    restored.seed(&[], 1, at(1)).await;
    assert_eq!(restored.reserve(1, at(1)).await, taken(1, true));
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Unknown);
}

#[tokio::test]
async fn a_value_that_is_none_counts_as_absent() {
    let ann = Engine::redis_by(RULES).await;
    let server = ann.server();
    for broken in ["", "x", &"x".repeat(25), &"\u{1}".repeat(37)] {
        server.ask::<()>(&["SET", "acq:{ann}:cap", broken]).await;
        assert_eq!(ann.reserve(1, at(0)).await, Reservation::Unknown);
    }
    ann.seed(&[at(0)], 1, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, Reservation::Full);
}

#[tokio::test]
async fn what_is_kept_names_the_member_and_lapses() {
    let ann = Engine::redis_by(RULES).await;
    ann.seed(&[at(0)], 3, at(0)).await;
    ann.reserve(1, at(0)).await;
    let server = ann.server();
    let mut keys: Vec<String> = server.ask(&["KEYS", "*"]).await;
    keys.sort();
    assert!(
        keys.iter()
            .all(|key| key == "acq:{ann}:cap" || key == "acq:{probe}")
    );
    let length: usize = server.ask(&["STRLEN", "acq:{ann}:cap"]).await;
    assert_eq!(length, 25 + 2 * 12);
    let left: i64 = server.ask(&["PTTL", "acq:{ann}:cap"]).await;
    let window = RULES.weekly_window.as_millis();
    assert!((window - 60_000..=window).contains(&left), "{left}");
    ann.forget().await;
    let there: bool = server.ask(&["EXISTS", "acq:{ann}:cap"]).await;
    assert!(!there);
}

#[tokio::test]
async fn redis_itself_can_say_what_time_it_is() {
    let server = RedisServer::start().await;
    let limiter = RedisLimiter::start(
        server.url(),
        &patient(),
        incarnation(1),
        RULES,
        TimeSource::Redis,
        RedisMetrics::default(),
    );
    let limiter = limiter.unwrap();
    limiter.connected().await;
    let ann = Engine::of(limiter);
    // What the caller thinks is nothing to it: these charges are long over.
    ann.seed(&[at(0), at(1)], 1, at(1)).await;
    assert_eq!(ann.reserve(1, at(1)).await, taken(1, true));
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
}

#[tokio::test]
async fn a_server_that_hangs_holds_up_a_handful_of_calls_and_is_used_again() {
    let server = RedisServer::start().await;
    let ann = connected(&server).await;
    assert_eq!(ann.reserve(1, at(0)).await, taken(1, true));
    server.freeze();
    let began = Instant::now();
    for request in 2..2 + u64::from(RedisOptions::default().failures_max) {
        assert_eq!(ann.reserve(request, at(0)).await, Reservation::Away);
    }
    assert!(began.elapsed() < MOMENT, "{:?}", began.elapsed());
    until_away(&ann).await;
    server.thaw();
    within(BACK_WITHIN, "Redis is used again", || async {
        (ann.reserve(1, at(0)).await == taken(1, false)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_dies_is_used_again_when_it_is_back() {
    let mut server = RedisServer::start().await;
    let ann = connected(&server).await;
    assert_eq!(ann.reserve(1, at(0)).await, taken(1, true));
    server.kill().await;
    until_away(&ann).await;
    server.run().await;
    within(BACK_WITHIN, "Redis is used again", || async {
        ann.seed(&[], 1, at(1)).await;
        (ann.reserve(1, at(1)).await == taken(1, true)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_comes_later_is_used_then() {
    let mut server = RedisServer::stopped(&[]);
    let ann = Engine::of(over(server.url(), &RedisOptions::default(), RULES));
    until_away(&ann).await;
    server.run().await;
    within(BACK_WITHIN, "Redis is used", || async {
        ann.seed(&[], 1, at(0)).await;
        (ann.reserve(1, at(0)).await == taken(1, true)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_server_that_takes_nothing_any_more_counts_as_away() {
    let server = RedisServer::start().await;
    let ann = connected(&server).await;
    let limit = async |bytes| {
        let command = ["CONFIG", "SET", "maxmemory", bytes];
        server.ask::<()>(&command).await;
    };
    limit("1").await;
    until_away(&ann).await;
    limit("0").await;
    within(BACK_WITHIN, "Redis is used again", || async {
        (ann.reserve(1, at(0)).await == taken(1, true)).then_some(())
    })
    .await;
}
