//! Random sequences, of which each engine must say the same as the model at every step. A failure names the seed of its sequence.

use fastrand::Rng;
use invitation_service::limiter::{LimiterRules, Reservation};
use service_kit::time::{Span, Time};

use crate::{
    engine::{Engine, at},
    model::Model,
};

/// How many sequences are run for each engine, unless `ACQUAINT_LIMITER_CASES` says otherwise.
const CASES: u64 = 150;

#[tokio::test]
async fn the_local_engine_does_as_the_model() {
    for window in [Span::seconds(1), Span::days(7), Span::days(31)] {
        run(&Engine::local_by(rules(window)), rules(window)).await;
    }
}

#[tokio::test]
async fn redis_does_as_the_model() {
    for window in [Span::days(1), Span::days(7), Span::days(31)] {
        run(&Engine::redis_by(rules(window)).await, rules(window)).await;
    }
}

fn rules(weekly_window: Span) -> LimiterRules {
    let part = |of: i64| Span::millis(weekly_window.as_millis() / of);
    LimiterRules {
        weekly_window,
        recheck_after: part(2),
    }
}

async fn run(engine: &Engine, rules: LimiterRules) {
    let cases = std::env::var("ACQUAINT_LIMITER_CASES").ok();
    let cases = cases.map_or(CASES, |cases| cases.parse().unwrap());
    let mut said = [0_u64; 4];
    for seed in 0..cases {
        let engine = engine.with_member(&format!("member-{seed}"));
        sequence(&engine, rules, seed, &mut said).await;
    }
    let [unknown, full, again, new] = said;
    println!("unknown {unknown}, full {full}, taken before {again}, taken {new}");
    assert!(said.iter().all(|times| *times > cases), "{said:?}");
}

async fn sequence(engine: &Engine, rules: LimiterRules, seed: u64, said: &mut [u64; 4]) {
    let mut rng = Rng::with_seed(seed);
    let mut model = Model::new(rules);
    let mut now = at(rng.i64(0..1_000));
    // What the store has charged.
    let mut charged = Vec::new();
    for step in 0..rng.u32(10..80) {
        now = now.plus(pause(&mut rng, rules.weekly_window));
        let request = rng.u64(1..12);
        match rng.u32(0..100) {
            0..50 => {
                let expected = model.reserve(request, now);
                let found = engine.reserve(request, now).await;
                assert_eq!(found, expected, "seed {seed} step {step}: {model:?}");
                said[match found {
                    Reservation::Away => panic!("seed {seed} step {step}: away"),
                    Reservation::Unknown => 0,
                    Reservation::Full => 1,
                    Reservation::Taken(place) => 2 + usize::from(place.added),
                }] += 1;
            }
            50..60 => {
                model.release(request);
                engine.release(request, true).await;
            }
            60..80 => charged.push(moment(&mut rng, now, &charged)),
            80..97 => {
                let known = rng.usize(0..=charged.len().min(6));
                let told = rng.choose_multiple(charged.iter().copied(), known);
                let cap = rng.u32(0..8);
                model.seed(&told, cap, now);
                engine.seed(&told, cap, now).await;
            }
            _ => {
                model.forget();
                engine.forget().await;
            }
        }
    }
}

/// How much later the next step is: mostly little, sometimes so much that something is over, and sometimes less than nothing.
fn pause(rng: &mut Rng, window: Span) -> Span {
    let window = window.as_millis();
    let pauses = [
        0,
        0,
        1,
        window / 50,
        window / 30,
        window / 7,
        window / 3,
        -window / 20,
    ];
    Span::millis(pauses[rng.usize(0..pauses.len())])
}

/// When something was charged: now or nearly, or at the very time of another charge.
fn moment(rng: &mut Rng, now: Time, charged: &[Time]) -> Time {
    match rng.choice(charged) {
        Some(same) if rng.u8(0..3) == 0 => *same,
        _ => now.plus(Span::millis(rng.i64(-5..=5))),
    }
}
