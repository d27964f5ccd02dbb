//! A run: for each size, each kind and each number in flight, one after the other.
//!
//! Kinds that only read share one copy of the filled stores. One that writes gets a new copy when what was there before may have used up a tenth, so
//! that each is measured at the size it is said to be. Deliberately absent: how a call is made and how a store is filled.

use std::{collections::VecDeque, path::PathBuf, time::Duration};

use anyhow::Context as _;

use crate::{
    call::Clients,
    data::{Engine, Filled, Scratch},
    kind::{Kind, Supply},
    load::{self, Spans},
    network::Network,
    process::Memory,
    report::{Machine, Report, Row, Size, Store, name},
    world::{Places, World},
};

/// What to run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Which kinds.
    pub(crate) kinds: Vec<Kind>,
    /// How many calls are under way.
    pub(crate) in_flight: Vec<usize>,
    /// At how many stored invitations.
    pub(crate) stored: Vec<u64>,
    /// How long each is measured.
    pub(crate) spans: Spans,
    /// How many connections there are to each process, at most; never more than calls.
    pub(crate) connections: usize,
    /// Environment variables of both services.
    pub(crate) settings: Vec<(String, String)>,
    /// Whether invitation-service has a Redis.
    pub(crate) redis: bool,
    /// Where the stores lie.
    pub(crate) engine: Engine,
    /// How many processes of each service there are.
    pub(crate) replicas: usize,
    /// The folder of the services' binaries.
    pub(crate) binaries: PathBuf,
    /// Where filled stores are kept and worked on.
    pub(crate) data: PathBuf,
}

impl Plan {
    fn places(&self, scratch: &Scratch) -> Places {
        Places {
            binaries: self.binaries.clone(),
            folder: scratch.0.join("stores"),
            settings: self.settings.clone(),
            redis: self.redis,
            engine: self.engine,
            replicas: self.replicas,
        }
    }

    /// How many calls to prepare.
    pub(crate) fn wanted(&self, in_flight: usize) -> anyhow::Result<usize> {
        let spans = self.spans;
        let per_second = PER_SECOND_MAX.min(PER_SECOND_EACH_MAX * u64::try_from(in_flight)?);
        let seconds = (spans.warm_up + spans.measured + Duration::from_secs(1)).as_secs();
        Ok(usize::try_from(per_second * seconds)?)
    }
}

/// No service answers more calls in a second here.
const PER_SECOND_MAX: u64 = 15_000;
/// One call in flight cannot do more.
const PER_SECOND_EACH_MAX: u64 = 1_500;

/// Runs everything.
pub(crate) async fn run(plan: &Plan) -> anyhow::Result<Report> {
    let mut sizes = Vec::new();
    for &stored in &plan.stored {
        sizes.push(size(plan, stored).await?);
    }
    Ok(Report {
        machine: Machine::here()?,
        sizes,
    })
}

/// A copy of the filled stores with everything running on it.
pub(crate) struct Running {
    pub(crate) world: World,
    pub(crate) supply: Supply,
}

/// Everything running on a copy of its own, with the folder of it, which must be kept.
pub(crate) async fn fresh(plan: &Plan, stored: u64) -> anyhow::Result<(Running, Scratch)> {
    let network = Network::new(stored)?;
    let filled = Filled::get(&plan.data, stored, plan.engine, &network).await?;
    let scratch = Scratch::new(&plan.data)?;
    let places = plan.places(&scratch);
    Ok((start(&filled, &places, network).await?, scratch))
}

async fn size(plan: &Plan, stored: u64) -> anyhow::Result<Size> {
    let network = Network::new(stored)?;
    let filled = Filled::get(&plan.data, stored, plan.engine, &network).await?;
    let scratch = Scratch::new(&plan.data)?;
    let places = plan.places(&scratch);
    let mut running = start(&filled, &places, network).await?;
    let idle = running.world.rest().await?;
    let [invitations, connections] = running.world.sizes(&places).await?;
    let mut size = Size {
        stored,
        idle_millis: idle.as_secs_f64() * 2_000.0,
        rows: Vec::new(),
        stores: vec![
            Store::new("invitation-service", Memory::default(), invitations),
            Store::new("connection-service", Memory::default(), connections),
        ],
    };
    for &kind in &plan.kinds {
        if kind.writes() && running.supply.handed_out() > stored / 10 {
            remember_memory(&mut size, &running.world)?;
            running.world.stop().await?;
            running = start(&filled, &places, network).await?;
        }
        let mut calls = VecDeque::new();
        for &in_flight in &plan.in_flight {
            let row = measure(plan, &mut running, kind, in_flight, &mut calls).await?;
            size.rows.push(row);
        }
    }
    remember_memory(&mut size, &running.world)?;
    running.world.stop().await?;
    Ok(size)
}

async fn start(filled: &Filled, places: &Places, network: Network) -> anyhow::Result<Running> {
    filled.copy_to(&places.folder)?;
    let world = World::start(places).await?;
    let supply = Supply::new(network, world.clients(0)?);
    Ok(Running { world, supply })
}

async fn measure(
    plan: &Plan,
    running: &mut Running,
    kind: Kind,
    in_flight: usize,
    calls: &mut VecDeque<crate::call::Call>,
) -> anyhow::Result<Row> {
    let Running { world, supply } = running;
    let wanted = plan.wanted(in_flight)?;
    if kind.writes() || calls.is_empty() {
        let missing = wanted.saturating_sub(calls.len());
        calls.extend(supply.calls(kind, missing).await?);
    }
    let connections = plan.connections.max(plan.replicas).min(in_flight).max(1);
    let clients: Vec<Clients> = (0..connections)
        .map(|nth| world.clients(nth))
        .collect::<Result<_, _>>()?;
    world.rest().await?;
    let measured = load::run(world, &clients, kind, in_flight, plan.spans, calls)
        .await
        .with_context(|| name(kind))?;
    let row = Row::new(kind, in_flight, &measured);
    eprintln!("{}", row.line());
    Ok(row)
}

fn remember_memory(size: &mut Size, world: &World) -> anyhow::Result<()> {
    for (store, memory) in size.stores.iter_mut().zip(world.memory()?) {
        store.resident = memory.resident;
        store.resident_peak = store.resident_peak.max(memory.peak);
    }
    Ok(())
}
