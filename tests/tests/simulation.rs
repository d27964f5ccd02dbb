//! The pair in simulated time: seeds that must hold, runs that must repeat themselves, and broken services that must be found out.
//!
//! `ACQUAINT_SIM_SEEDS` seeds are run, 200 unless it says otherwise; each in a process of its own, as many at a time as there are cores.
//! A seed that fails is named with the command that shows it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

use std::{
    collections::BTreeMap,
    process::Command,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use acquaint_tests::simulation::Variant;

/// How many seeds are run unless the environment says otherwise.
const SEEDS_DEFAULT: u64 = 200;
/// Within how many seeds each broken variant must be caught.
const CAUGHT_WITHIN: u64 = 1_000;

fn seeds() -> u64 {
    std::env::var("ACQUAINT_SIM_SEEDS").map_or(SEEDS_DEFAULT, |seeds| {
        seeds.parse().expect("ACQUAINT_SIM_SEEDS is a number")
    })
}

/// What a run printed, and whether everything held.
fn simulate(seed: u64, variant: Option<&str>) -> (String, bool) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_simulate"));
    command.arg(seed.to_string()).args(variant);
    let output = command.output().expect("the simulation starts");
    let mut printed = String::from_utf8(output.stdout).expect("text");
    printed.push_str(&String::from_utf8_lossy(&output.stderr));
    (printed, output.status.success())
}

/// Calls `each` with the seeds 0, 1, 2, … below `end` on all cores until it says `false`.
fn over_seeds(end: u64, each: impl Fn(u64) -> bool + Sync) {
    let (next, stopped) = (AtomicU64::new(0), AtomicBool::new(false));
    let cores = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while !stopped.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || !each(seed) {
                        stopped.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
}

/// The lines that say what did not hold.
fn violations(printed: &str) -> Vec<&str> {
    let said = |line: &&str| line.contains("VIOLATION") || line.contains("panicked");
    printed.lines().filter(said).collect()
}

#[test]
fn everything_holds_in_every_seed() {
    let failed = Mutex::new(BTreeMap::new());
    over_seeds(seeds(), |seed| {
        let (printed, held) = simulate(seed, None);
        if !held {
            let what = violations(&printed).join("\n");
            failed.lock().unwrap().insert(seed, what);
        }
        failed.lock().unwrap().len() < 5
    });
    let failed = failed.into_inner().unwrap();
    for (seed, what) in &failed {
        println!("`cargo run -p acquaint-tests --bin simulate {seed}`:\n{what}");
    }
    assert!(failed.is_empty(), "seeds {:?}", failed.keys());
    println!("{} seeds simulated, and everything held", seeds());
}

#[test]
fn a_seed_run_twice_is_the_same_line_by_line() {
    let differing = Mutex::new(Vec::new());
    over_seeds(seeds() / 10, |seed| {
        // Other seeds than those that are run anyway.
        let seed = seed + 1_000_000;
        let (first, second) = (simulate(seed, None).0, simulate(seed, None).0);
        assert!(
            first.lines().count() > 20,
            "a run of hardly anything: {first}"
        );
        if first != second {
            let mut lines = first.lines().zip(second.lines());
            let line = lines.find(|(one, other)| one != other);
            differing.lock().unwrap().push(format!("{seed}: {line:?}"));
        }
        true
    });
    let differing = differing.into_inner().unwrap();
    assert!(differing.is_empty(), "{differing:#?}");
}

#[test]
fn different_seeds_differ() {
    assert_ne!(simulate(1, None).0, simulate(2, None).0);
}

#[test]
fn every_broken_variant_is_caught() {
    for (name, _) in Variant::ALL {
        let caught = Mutex::new(None::<(u64, String)>);
        over_seeds(CAUGHT_WITHIN, |seed| {
            let (printed, held) = simulate(seed, Some(name));
            if held {
                return caught.lock().unwrap().is_none();
            }
            let what = violations(&printed)
                .first()
                .unwrap_or(&"nothing said")
                .to_string();
            let mut caught = caught.lock().unwrap();
            // Seeds may end out of order; the first is what is told.
            if caught.as_ref().is_none_or(|(known, _)| seed < *known) {
                *caught = Some((seed, what));
            }
            false
        });
        let caught = caught.into_inner().unwrap();
        let (seed, what) = caught.unwrap_or_else(|| panic!("{name} is not caught"));
        println!("{name}: caught by seed {seed}: {what}");
    }
}
