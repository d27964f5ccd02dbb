//! How a race is run: many rounds, some at a time, each with members of its own and a start that is staggered another way.
//!
//! Deliberately absent: what may come of it.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use acquaint_tests::{
    device::Device,
    engines::Engine,
    pair::{Databases, Pair, Setup},
};
use futures::{StreamExt as _, stream};
use tokio::sync::Barrier;

/// How often a race is run.
pub(crate) const ROUNDS: u32 = 300;
/// How often one is run that takes longer.
pub(crate) const FEWER_ROUNDS: u32 = 200;
/// How many rounds are under way at a time.
const AT_A_TIME: usize = 6;
/// How many devices there are.
const DEVICES: usize = 12;

/// Both services, on the system's clock.
pub(crate) fn setup() -> Setup {
    Setup {
        system_clock: true,
        ..Setup::default()
    }
}

/// One round.
#[derive(Clone)]
pub(crate) struct Round {
    pub(crate) pair: Arc<Pair>,
    pub(crate) number: u32,
    devices: Arc<Vec<Device>>,
    outcomes: Arc<Mutex<BTreeMap<String, u32>>>,
}

impl Round {
    /// Two members of this round; which of them sorts first changes from round to round.
    pub(crate) fn two(&self) -> (String, String) {
        let [one, other, _] = self.three();
        (one, other)
    }

    /// Three members of this round.
    pub(crate) fn three(&self) -> [String; 3] {
        let name = |who: &str| format!("{who}-{}", self.number);
        if self.number.is_multiple_of(2) {
            ["ann", "bob", "cyd"].map(name)
        } else {
            ["zoe", "bob", "cyd"].map(name)
        }
    }

    /// One of four devices that the rounds under way at the same time do not share.
    pub(crate) fn device(&self, which: usize) -> Device {
        let number = usize::try_from(self.number).unwrap();
        self.devices[(number * 2 + which) % DEVICES].clone()
    }

    /// Has two calls meet; gives both answers.
    pub(crate) async fn meet<A, B>(
        &self,
        one: impl Future<Output = A> + Send + 'static,
        other: impl Future<Output = B> + Send + 'static,
    ) -> (A, B)
    where
        A: Send + 'static,
        B: Send + 'static,
    {
        let (one, other) = self.meet_timed(one, other).await;
        (one.answer, other.answer)
    }

    /// Has two calls meet; gives both answers with when they were begun and ended.
    pub(crate) async fn meet_timed<A, B>(
        &self,
        one: impl Future<Output = A> + Send + 'static,
        other: impl Future<Output = B> + Send + 'static,
    ) -> (Timed<A>, Timed<B>)
    where
        A: Send + 'static,
        B: Send + 'static,
    {
        let gate = Arc::new(Barrier::new(2));
        let ticks = Arc::new(AtomicU64::new(0));
        // Nobody, one or the other is late: by nothing, or by up to as long as a call takes.
        let late = 4_u32.pow(self.number / 3 % 7);
        let (one_late, other_late) = match self.number % 3 {
            0 => (0, 0),
            1 => (late, 0),
            _ => (0, late),
        };
        let one = tokio::spawn(timed(gate.clone(), ticks.clone(), one_late, one));
        let other = tokio::spawn(timed(gate, ticks, other_late, other));
        (one.await.unwrap(), other.await.unwrap())
    }

    /// Notes what came of the round, for the summary.
    pub(crate) fn note(&self, outcome: impl Into<String>) {
        let mut outcomes = self.outcomes.lock().unwrap();
        *outcomes.entry(outcome.into()).or_default() += 1;
    }
}

/// An answer with its place in the order of what began and ended.
pub(crate) struct Timed<T> {
    pub(crate) answer: T,
    pub(crate) begun: u64,
    pub(crate) ended: u64,
}

async fn timed<T>(
    gate: Arc<Barrier>,
    ticks: Arc<AtomicU64>,
    late: u32,
    call: impl Future<Output = T>,
) -> Timed<T> {
    gate.wait().await;
    for _ in 0..late {
        tokio::task::yield_now().await;
    }
    let begun = ticks.fetch_add(1, Ordering::SeqCst);
    let answer = call.await;
    Timed {
        answer,
        begun,
        ended: ticks.fetch_add(1, Ordering::SeqCst),
    }
}

/// Runs a race so many times, and prints what came of it how often.
pub(crate) async fn run<F, R>(name: &str, usual: u32, setup: Setup, round: F)
where
    F: Fn(Round) -> R,
    R: Future<Output = ()>,
{
    let pair = Arc::new(Pair::with(setup).await);
    run_on(&pair, name, usual, round).await;
    let pair = Arc::into_inner(pair).expect("no round is under way");
    pair.stop().await;
}

/// Runs a race on services that run already.
pub(crate) async fn run_on<F, R>(pair: &Arc<Pair>, name: &str, usual: u32, round: F)
where
    F: Fn(Round) -> R,
    R: Future<Output = ()>,
{
    let devices = (0..DEVICES).map(|_| Device::of(pair)).collect();
    run_with(pair, devices, name, usual, round).await;
}

/// Runs a race on two processes of each service that keep their stores in the same databases. The calls that meet, meet at both.
pub(crate) async fn run_on_replicas<F, R>(name: &str, usual: u32, mut setup: Setup, round: F)
where
    F: Fn(Round) -> R,
    R: Future<Output = ()>,
{
    let invitations = Engine::Postgres.place().await;
    let connections = Engine::Postgres.place_of_connections().await;
    setup.postgres = Some(Databases {
        invitations: invitations.database().url(),
        connections: connections.database().url(),
    });
    let mut pair = Pair::with(setup).await;
    let connection_replica = pair.another_connection_service().await;
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
    pair.wait_for_feed().await;
    let replica = pair.another_invitation_service().await;
    let pair = Arc::new(pair);
    let device = |number: usize| {
        // By turns the first of two that meet is at the one and at the other.
        if (number + number / 2).is_multiple_of(2) {
            Device::of(&pair)
        } else {
            Device::at(&replica.address(), &connection_replica.address())
        }
    };
    let devices = (0..DEVICES).map(device).collect();
    run_with(&pair, devices, name, usual, round).await;
    replica.stop().await;
    connection_replica.stop().await;
    let pair = Arc::into_inner(pair).expect("no round is under way");
    pair.stop().await;
}

async fn run_with<F, R>(pair: &Arc<Pair>, devices: Vec<Device>, name: &str, usual: u32, round: F)
where
    F: Fn(Round) -> R,
    R: Future<Output = ()>,
{
    let first = Round {
        pair: pair.clone(),
        number: 0,
        devices: Arc::new(devices),
        outcomes: Arc::default(),
    };
    let rounds = std::env::var("ACQUAINT_RACE_ROUNDS").ok();
    let rounds = rounds.map_or(usual, |rounds| rounds.parse().unwrap());
    let numbered = |number| Round {
        number,
        ..first.clone()
    };
    stream::iter((0..rounds).map(numbered))
        .for_each_concurrent(AT_A_TIME, round)
        .await;
    println!("{name}: {:?}", first.outcomes.lock().unwrap());
}
