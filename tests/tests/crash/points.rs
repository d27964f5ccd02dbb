//! Both services die at every named point.

use std::{collections::BTreeMap, time::Duration};

use acquaint_tests::{
    engines::Engine,
    rig::{
        Rig,
        process::{Which, was_crash},
    },
};
use fastrand::Rng;
use futures::{StreamExt as _, stream};
use tokio::time::Instant;

use crate::{AT_A_TIME, PROGRAMS, count};

/// How long a run may take to come by its points; on a quiet machine that is less than ten seconds.
const REACHED_MAX: Duration = Duration::from_secs(90);
/// How long a process is away, at most, before it is started again.
const AWAY_MAX_MILLIS: u64 = 150;
/// How long an orderly end is put off, so that there is something to end.
const BEFORE_END: Duration = Duration::from_millis(400);
/// How often the other service goes away where a point is waited for that needs it, the first time at once: members come to the end of
/// what they may send within seconds, and then nobody accepts any more.
const OUTAGE_EVERY: Duration = Duration::from_millis(1_500);
/// How long it stays away at least, so that somebody accepts meanwhile.
const OUTAGE_MIN: Duration = Duration::from_millis(200);
/// What needs another service that has gone away in the middle, and comes by often enough then.
const NEEDS_OUTAGE: [&str; 2] = ["worker.claimed", "end.awaits"];
/// What only a store in a file comes by.
const IN_FILES: [&str; 11] = [
    "start.migrating",
    "start.migrated",
    "start.epoch_written",
    "start.epoch_begun",
    "commit.begun",
    "commit.ready",
    "commit.done",
    "checkpoint.begun",
    "checkpoint.done",
    "stop.checkpoint",
    "stop.closed",
];
/// A point that only a restored store comes by is run by the tests of backups.
const RESTORED: &str = "restored.";

/// The points of one service, those of service-kit included.
pub(crate) fn points_of(which: Which) -> Vec<&'static str> {
    let own = match which {
        Which::Invitation => invitation_service::crash::POINTS,
        Which::Connection => connection_service::crash::POINTS,
    };
    let all = service_kit::crash::POINTS.iter().chain(own).copied();
    all.filter(|point| !point.starts_with(RESTORED)).collect()
}

/// Whether a service whose store is of this engine comes by a point.
fn comes_by(engine: Engine, point: &str) -> bool {
    engine == Engine::Sqlite || !IN_FILES.contains(&point)
}

/// Where a service dies: the point, and on which passing.
#[derive(Debug, Clone)]
struct Death {
    point: &'static str,
    passing: u32,
}

impl Death {
    /// Of the first passings of a point, any one. What happens seldom is not waited for twice.
    fn at(point: &'static str, rng: &mut Rng) -> Self {
        let room = point.split('.').next().unwrap_or_default();
        let often = [
            "commit", "watch", "send", "verdict", "fold", "facts", "ensure",
        ];
        let first = ["start", "stop", "checkpoint", "erase", "erasure"].contains(&room);
        let passing = match room {
            _ if first || NEEDS_OUTAGE.contains(&point) || point == "fold.erased" => 1,
            _ if often.contains(&room) => rng.u32(1..=12),
            _ => rng.u32(1..=2),
        };
        Self { point, passing }
    }

    fn armed(&self) -> String {
        format!("{}:{}", self.point, self.passing)
    }

    fn is_at(&self, room: &str) -> bool {
        self.point.starts_with(room)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_at_any_point() {
    at_any_point(Engine::Sqlite, count("ACQUAINT_CRASH_RUNS", 2)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_on_postgresql_at_any_point() {
    at_any_point(Engine::Postgres, count("ACQUAINT_CRASH_RUNS", 1)).await;
}

async fn at_any_point(engine: Engine, runs: u64) {
    let begin = count("ACQUAINT_CRASH_SEED", 1);
    let began = Instant::now();
    let outcomes = stream::iter(plan(engine, runs, begin))
        .map(|(seed, deaths)| async move {
            let run = tokio::spawn(run(engine, seed, deaths.clone()));
            let wrong = run.await.unwrap_or_else(|panic| vec![panic.to_string()]);
            (seed, deaths, wrong)
        })
        .buffer_unordered(AT_A_TIME);
    let outcomes: Vec<_> = outcomes.collect().await;
    let mut deaths = BTreeMap::<_, u64>::new();
    let mut failed = Vec::new();
    for (seed, pair, wrong) in outcomes {
        for (which, death) in pair.iter().map(|(which, death)| (which.name(), death)) {
            *deaths.entry((which, death.point)).or_default() += 1;
        }
        if !wrong.is_empty() {
            let armed: Vec<_> = pair.iter().map(|(_, death)| death.armed()).collect();
            failed.push(format!(
                "seed {seed}, at {}:\n  {}",
                armed.join(" and "),
                wrong.join("\n  ")
            ));
        }
    }
    println!(
        "crash points: {{\"engine\": \"{engine:?}\", \"points\": {}, \"deaths\": {}, \"failed runs\": {}, \"seconds\": {}}}",
        deaths.len(),
        deaths.values().sum::<u64>(),
        failed.len(),
        began.elapsed().as_secs()
    );
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

/// Which runs there are: in each, both services die, each at a point of its own.
fn plan(engine: Engine, runs: u64, begin: u64) -> Vec<(u64, Vec<(Which, Death)>)> {
    let only = std::env::var("ACQUAINT_CRASH_AT").ok();
    let mut plan = Vec::new();
    for run in 0..runs {
        let [mut invitation, mut connection] = Which::BOTH.map(|which| {
            let mut points = points_of(which);
            points.retain(|point| comes_by(engine, point));
            points.retain(|point| only.as_ref().is_none_or(|only| only == point));
            Rng::with_seed(begin + run).shuffle(&mut points);
            points
        });
        while !(invitation.is_empty() && connection.is_empty()) {
            let seed = begin + u64::try_from(plan.len()).unwrap();
            let mut rng = Rng::with_seed(seed);
            let pair = [
                (Which::Invitation, invitation.pop()),
                (Which::Connection, connection.pop()),
            ];
            let deaths = pair.into_iter().filter_map(|(which, point)| {
                let death = Death::at(point?, &mut rng);
                Some((which, death))
            });
            plan.push((seed, deaths.collect()));
        }
    }
    plan
}

/// One run; what was wrong with it.
async fn run(engine: Engine, seed: u64, deaths: Vec<(Which, Death)>) -> Vec<String> {
    let mut rng = Rng::with_seed(seed);
    let mut rig = Rig::on(engine, PROGRAMS, seed).await;
    let mut left = deaths.clone();
    // At the very first start, on an empty folder. invitation-service comes by its last one only when the other serves.
    let at_start = left.extract_if(.., |(_, death)| death.is_at("start."));
    let at_start: Vec<_> = at_start.collect();
    if !at_start
        .iter()
        .any(|(which, _)| *which == Which::Connection)
    {
        rig.processes.connection.start(None);
    }
    for (which, death) in at_start.into_iter().rev() {
        let service = rig.processes.service(which);
        service.start(Some(&death.armed()));
        let ended = service.ends_within(REACHED_MAX).await;
        if !ended.is_some_and(was_crash) {
            return vec![format!("{which:?} did not die at its start: {ended:?}")];
        }
        service.start(None);
    }
    rig.processes.start().await;
    rig.begin().await;
    // The others under load.
    for (which, death) in &left {
        pause(&mut rng, AWAY_MAX_MILLIS).await;
        let service = rig.processes.service(*which);
        service.kill().await;
        service.start(Some(&death.armed()));
    }
    let wrong = die(&mut rig, left, &mut rng).await;
    if !wrong.is_empty() {
        return wrong;
    }
    let mut wrong = rig.settle().await;
    for (which, death) in &deaths {
        let died = rig.processes.service(*which).crashes_at(death.point);
        if died != 1 {
            wrong.push(format!("{which:?} died {died} times at its point"));
        }
    }
    wrong
}

/// Waits until each has died at its point under load, and starts it again.
async fn die(rig: &mut Rig, mut left: Vec<(Which, Death)>, rng: &mut Rng) -> Vec<String> {
    let began = Instant::now();
    let mut told = false;
    let mut last_outage: Option<Instant> = None;
    while !left.is_empty() {
        if began.elapsed() > REACHED_MAX {
            return vec![format!("never reached: {left:?}")];
        }
        let mut next = Vec::new();
        let tell = !told && began.elapsed() > BEFORE_END;
        told |= tell;
        for (which, death) in left {
            let service = rig.processes.service(which);
            if death.is_at("stop.") && tell {
                // One that does not serve yet does not listen for its end either.
                service.serves().await;
                service.tell_to_end();
            }
            match service.ends_within(Duration::from_millis(5)).await {
                None => next.push((which, death)),
                Some(ended) if was_crash(ended) => {
                    pause(rng, AWAY_MAX_MILLIS).await;
                    rig.processes.service(which).start(None);
                }
                Some(ended) => {
                    return vec![format!(
                        "{which:?} ended with {ended:?} instead of {death:?}"
                    )];
                }
            }
        }
        left = next;
        let waits = |(_, death): &(Which, Death)| NEEDS_OUTAGE.contains(&death.point);
        let is_time = last_outage.is_none_or(|last| last.elapsed() > OUTAGE_EVERY);
        if left.iter().any(waits) && is_time {
            // Acceptances that nobody sees through come about while connection-service is away.
            rig.processes.connection.kill().await;
            // It may have died at its point before.
            left.retain(|(which, death)| {
                let service = rig.processes.service(*which);
                *which == Which::Invitation || service.crashes_at(death.point) == 0
            });
            tokio::time::sleep(OUTAGE_MIN).await;
            pause(rng, AWAY_MAX_MILLIS).await;
            let armed = left.iter().find(|(which, _)| *which == Which::Connection);
            let armed = armed.map(|(_, death)| death.armed());
            rig.processes.connection.start(armed.as_deref());
            last_outage = Some(Instant::now());
        }
    }
    Vec::new()
}

pub(crate) async fn pause(rng: &mut Rng, max_millis: u64) {
    tokio::time::sleep(Duration::from_millis(rng.u64(0..=max_millis))).await;
}

#[test]
fn every_point_in_the_sources_is_listed_once() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap();
    for (crate_name, listed) in [
        ("service-kit", service_kit::crash::POINTS),
        ("invitation-service", invitation_service::crash::POINTS),
        ("connection-service", connection_service::crash::POINTS),
    ] {
        let mut found = Vec::new();
        sources(&folder.join(crate_name).join("src"), &mut found);
        found.sort_unstable();
        let mut listed: Vec<_> = listed.iter().map(|point| (*point).to_owned()).collect();
        listed.sort_unstable();
        assert_eq!(found, listed, "{crate_name}");
    }
}

/// The names in `crash::point(…)` of every file in a folder.
fn sources(folder: &std::path::Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for call in text.split("crash::point(").skip(1) {
                // A match names several.
                let (call, _) = call.split_once(");").unwrap();
                let names = call.split('"').skip(1).step_by(2);
                found.extend(names.map(str::to_owned));
            }
        }
    }
}
