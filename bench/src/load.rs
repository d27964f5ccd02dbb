//! A closed loop: so many calls in flight, each followed by the next as soon as it is answered.
//!
//! It runs on one thread, so that what it takes from the measured processes is bounded, and says what it used. Deliberately absent: an
//! open loop with a fixed rate; the latencies here are those of callers who wait.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context as _, ensure};
use hdrhistogram::Histogram;
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    call::{Call, Clients},
    commits::Commits,
    kind::Kind,
    world::{Used, World},
};

/// The longest latency that is told apart, in nanoseconds: a minute.
const LONGEST_NANOS: u64 = 60_000_000_000;
/// How often it is looked whether it is time to end.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The measured time goes on until so many calls are answered.
const ANSWERS_MIN: u64 = 20;
/// But not so much longer.
const OVERTIME_MAX: Duration = Duration::from_secs(30);

/// What is measured of a kind at a number in flight.
#[derive(Debug)]
pub(crate) struct Measured {
    /// How many calls were answered in the measured time.
    pub(crate) calls: u64,
    /// The measured time.
    pub(crate) span: Duration,
    /// From the call to its answer, in nanoseconds.
    pub(crate) latencies: Histogram<u64>,
    /// What everything used in that time.
    pub(crate) used: Used,
    /// What invitation-service committed, while warming up too.
    pub(crate) commits: Commits,
}

/// How long calls are made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spans {
    /// Before measuring.
    pub(crate) warm_up: Duration,
    /// While measuring.
    pub(crate) measured: Duration,
}

struct Shared {
    kind: Kind,
    /// When the measured time begins.
    from: Instant,
    state: Mutex<State>,
}

struct State {
    calls: VecDeque<Call>,
    latencies: Histogram<u64>,
    answered: u64,
    error: Option<tonic::Status>,
    /// Calls ran out.
    ran_out: bool,
    /// The measured time is over.
    over: bool,
}

impl Shared {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next call; `None` when it is time to end.
    fn next(&self) -> Option<Call> {
        let mut state = self.state();
        if state.error.is_some() || state.over {
            return None;
        }
        let call = state.calls.pop_front();
        match &call {
            None => state.ran_out = true,
            Some(call) if !self.kind.writes() => state.calls.push_back(call.clone()),
            Some(_) => {}
        }
        call
    }

    fn answered(&self, began: Instant, answer: Result<(), tonic::Status>) {
        let ended = Instant::now();
        let mut state = self.state();
        if let Err(status) = answer {
            state.error.get_or_insert(status);
        } else if began >= self.from && !state.over {
            let nanos = u64::try_from((ended - began).as_nanos()).unwrap_or(LONGEST_NANOS);
            state.latencies.saturating_record(nanos);
            state.answered += 1;
        }
    }
}

/// Keeps `in_flight` calls under way, over these clients in turn; what is left of `calls` afterwards is in there.
///
/// Ends early, with the measured time so far, when calls run out. Fails when one of them does.
pub(crate) async fn run(
    world: &World,
    clients: &[Clients],
    kind: Kind,
    in_flight: usize,
    spans: Spans,
    calls: &mut VecDeque<Call>,
) -> anyhow::Result<Measured> {
    let committed = world.commits()?;
    let from = Instant::now() + spans.warm_up;
    let shared = Arc::new(Shared {
        kind,
        from,
        state: Mutex::new(State {
            calls: std::mem::take(calls),
            latencies: Histogram::new_with_bounds(1_000, LONGEST_NANOS, 3)?,
            answered: 0,
            error: None,
            ran_out: false,
            over: false,
        }),
    });
    let looping: Vec<_> = clients
        .iter()
        .cycle()
        .take(in_flight)
        .map(|clients| tokio::spawn(callers_loop(shared.clone(), clients.clone())))
        .collect();
    sleep_until(shared.from).await;
    let before = world.used()?;
    let ended = loop {
        sleep(LOOK_EVERY).await;
        let mut state = shared.state();
        let now = Instant::now();
        let long_enough = now >= from + spans.measured && state.answered >= ANSWERS_MIN;
        let failed = state.error.is_some() || state.ran_out;
        if long_enough || failed || now >= from + spans.measured + OVERTIME_MAX {
            state.over = true;
            break now;
        }
    };
    let used = world.used()?.since(&before);
    for looped in looping {
        looped.await.context("a caller failed")?;
    }
    let mut state = shared.state();
    *calls = std::mem::take(&mut state.calls);
    if let Some(status) = &state.error {
        anyhow::bail!("{kind:?} at {in_flight} in flight: {status}");
    }
    ensure!(
        state.answered >= ANSWERS_MIN,
        "{kind:?} at {in_flight} in flight: only {} were answered in the measured time",
        state.answered
    );
    Ok(Measured {
        calls: state.answered,
        span: ended.saturating_duration_since(from),
        latencies: state.latencies.clone(),
        used,
        commits: world.commits()?.since(&committed),
    })
}

async fn callers_loop(shared: Arc<Shared>, mut clients: Clients) {
    while let Some(call) = shared.next() {
        let began = Instant::now();
        let answer = call.make(&mut clients).await;
        shared.answered(began, answer);
    }
}
