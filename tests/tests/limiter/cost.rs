//! What a member costs Redis: memory, which is held to its bound, and time, which is printed for people to read.

use futures::future::join_all;
use invitation_service::limiter::{Limiter as _, Reservation};
use service_kit::{id::MemberId, time::Span};

use crate::engine::{Engine, RULES, at, over, patient, taken};
use acquaint_tests::redis::RedisServer;

/// How many bytes a member may take on average, with the key and what Redis keeps about it.
const BYTES_MAX: usize = 300;
const MEMBERS: usize = 2_000;
const CAP: u32 = 100;
/// How often each script is run to be timed.
const RUNS: u64 = 3_000;

/// Four of five members have sent 1 to 5 in the week, most others 6 to 40, and 2 of 100 all that they may.
fn sent(number: usize) -> i64 {
    let sent = match number % 100 {
        0..80 => 1 + number % 5,
        80..98 => 6 + number % 35,
        _ => 100,
    };
    i64::try_from(sent).unwrap()
}

#[tokio::test]
async fn a_member_takes_little_memory() {
    let server = RedisServer::start().await;
    let limiter = over(server.url(), &patient(), RULES);
    limiter.connected().await;
    for number in 0..MEMBERS {
        let member = MemberId::parse(&format!("019a9f6e-7c1d-7000-8000-{number:012}")).unwrap();
        let charges: Vec<_> = (0..sent(number)).map(at).collect();
        limiter.seed(&member, &charges, CAP, at(1_000)).await;
    }
    let sum = "local sum = 0
        for _, key in ipairs(redis.call('KEYS', 'acq:{0*')) do sum = sum + redis.call('MEMORY', 'USAGE', key, 'SAMPLES', '0') end
        return sum";
    let bytes: usize = server.ask(&["EVAL", sum, "0"]).await;
    println!("{} bytes a member", bytes / MEMBERS);
    assert!(bytes / MEMBERS > 100, "they were counted");
    assert!(bytes / MEMBERS <= BYTES_MAX, "{} bytes", bytes / MEMBERS);
}

#[tokio::test]
async fn a_script_takes_little_time_with_a_hundred_places_taken() {
    for under_way in [1, 32] {
        let ann = Engine::redis_by(RULES).await;
        let charges: Vec<_> = (0..i64::from(CAP)).map(|n| at(n * 60_000)).collect();
        let now = at(0).plus(Span::days(1));
        ann.seed(&charges, CAP, now).await;
        reset(&ann).await;
        for requests in requests().chunks(under_way) {
            let reserved = requests.iter().map(|request| ann.reserve(*request, now));
            let full = |said| assert_eq!(said, Reservation::Full);
            join_all(reserved).await.into_iter().for_each(full);
        }
        println!("{under_way} under way, full: {}", micros_each(&ann).await);
        ann.seed(&charges, CAP + 32, now).await;
        reset(&ann).await;
        for requests in requests().chunks(under_way) {
            let reserved = requests.iter().map(|request| async {
                let said = ann.reserve(*request, now).await;
                assert_eq!(said, taken(*request, true));
            });
            join_all(reserved).await;
            let released = requests.iter().map(|request| ann.release(*request, true));
            join_all(released).await;
        }
        let each = micros_each(&ann).await;
        println!("{under_way} under way, taken and released by turns: {each}");
    }
}

/// As random as what services make of a request's id.
fn requests() -> Vec<u64> {
    let mut rng = fastrand::Rng::with_seed(1);
    (0..RUNS).map(|_| rng.u64(1..)).collect()
}

async fn reset(ann: &Engine) {
    ann.server().ask::<()>(&["CONFIG", "RESETSTAT"]).await;
}

/// How long a script took, by Redis's own account.
async fn micros_each(ann: &Engine) -> String {
    let info: String = ann.server().ask(&["INFO", "commandstats"]).await;
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("cmdstat_evalsha:"));
    let each = line.and_then(|line| {
        line.split(',')
            .find_map(|part| part.strip_prefix("usec_per_call="))
    });
    format!("{} µs a script", each.expect("scripts were run"))
}
