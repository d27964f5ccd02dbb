//! One run: both services, the members' devices and what goes wrong, step by step in simulated time; then rest, and the checks.
//!
//! Deliberately absent: what is checked.

use std::{collections::BTreeMap, rc::Rc, sync::Arc, time::Duration};

use service_kit::{clock::ManualClock, time::Span};
use tempfile::TempDir;
use turmoil::Sim;

use super::{
    check,
    device::Device,
    history::History,
    plan::{Fault, Plan, TROUBLE_MILLIS, add, host},
    service::Service,
    variant::Variant,
};
use crate::pair::START;

/// How finely simulated time runs. All hosts run for so long at a time, so messages take no less.
const TICK: Duration = Duration::from_millis(5);
/// By when everything must be at rest after the last fault, in simulated milliseconds.
const REST_MAX: u64 = 15_000;
/// How long members may then take to look at their lists, in simulated milliseconds.
const LOOK_MAX: u64 = 10_000;

/// Runs a seed, printing a line for each event. What was not as it must be.
pub fn run(seed: u64, variant: Option<Variant>) -> Vec<String> {
    let plan = Arc::new(Plan::of(seed));
    let history = Rc::new(History::default());
    let folder = folder();
    let service = |name: &str| {
        let file = folder.path().join(format!("{name}s.db"));
        Service::new(&plan, name, file, ManualClock::new(START), variant)
    };
    let services = BTreeMap::from(host::SERVICES.map(|name| (name, service(name))));
    let mut sim = turmoil::Builder::new()
        .rng_seed(seed)
        .epoch(std::time::UNIX_EPOCH)
        .tick_duration(TICK)
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(15))
        .tcp_capacity(1_024)
        .simulation_duration(Duration::from_mins(10))
        .enable_random_order()
        .build();
    let invitations = services[host::INVITATION].clone();
    sim.host(host::INVITATION, move || {
        invitations.clone().serve_invitations()
    });
    let connections = services[host::CONNECTION].clone();
    sim.host(host::CONNECTION, move || {
        connections.clone().serve_connections()
    });
    for name in host::DEVICES {
        sim.client(name, Device::new(&plan, name, history.clone()).run());
    }
    let mut run = Run {
        sim,
        plan: plan.clone(),
        history: history.clone(),
        services,
        offsets: BTreeMap::from(host::SERVICES.map(|name| (name, Span::ZERO))),
    };
    match run.play() {
        Ok(()) => {
            drop(run.sim);
            check::all(&plan, &history, &run.services);
        }
        Err(what) => history.violation(what),
    }
    history.violations()
}

/// In memory where the system has a place for it: nothing that is simulated depends on a disk.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a folder")
}

struct Run {
    sim: Sim<'static>,
    plan: Arc<Plan>,
    history: Rc<History>,
    services: BTreeMap<&'static str, Service>,
    offsets: BTreeMap<&'static str, Span>,
}

impl Run {
    fn play(&mut self) -> Result<(), String> {
        let plan = self.plan.clone();
        let mut events: Vec<(u64, bool, &Fault)> = Vec::new();
        for trouble in &plan.troubles {
            events.push((trouble.from, true, &trouble.fault));
            if trouble.until > trouble.from {
                events.push((trouble.until, false, &trouble.fault));
            }
        }
        events.sort_by_key(|(at, ..)| *at);
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() || self.history.now() < TROUBLE_MILLIS {
            while let Some((_, begins, fault)) =
                events.next_if(|(at, ..)| *at <= self.history.now())
            {
                self.turn(begins, fault);
            }
            self.step()?;
        }
        self.heal();
        self.come_to_rest()?;
        self.history.set_quiet();
        self.history.say("quiet");
        let until = self.history.now() + LOOK_MAX;
        while !self.step()? {
            if self.history.now() > until {
                return Err("the members' watches and lists do not come to agree".to_owned());
            }
        }
        Ok(())
    }

    /// One step of time; whether all devices are done.
    fn step(&mut self) -> Result<bool, String> {
        let done = self
            .sim
            .step()
            .map_err(|error| format!("a process ended by itself: {error}"))?;
        let elapsed = self.sim.elapsed();
        let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.history.set_now(millis);
        self.set_clocks();
        Ok(done)
    }

    fn set_clocks(&self) {
        let elapsed = Span::millis(i64::try_from(self.history.now()).unwrap_or(i64::MAX));
        for (name, service) in &self.services {
            service
                .clock
                .set(START.plus(elapsed).plus(self.offsets[name]));
        }
    }

    /// Begins or ends a fault.
    fn turn(&mut self, begins: bool, fault: &Fault) {
        self.history.say(&format!(
            "{} {fault:?}",
            if begins { "fault" } else { "over " }
        ));
        let sim = &mut self.sim;
        match (fault, begins) {
            (Fault::Partition(a, b), true) => sim.partition(*a, *b),
            (Fault::Partition(a, b), false) => sim.repair(*a, *b),
            (Fault::PartitionOneWay(a, b), true) => sim.partition_oneway(*a, *b),
            (Fault::PartitionOneWay(a, b), false) => sim.repair_oneway(*a, *b),
            (Fault::Hold(a, b), true) => sim.hold(*a, *b),
            (Fault::Hold(a, b), false) => sim.release(*a, *b),
            (Fault::Slow(a, b, millis), true) => {
                sim.set_link_latency(*a, *b, Duration::from_millis(*millis));
            }
            (Fault::Slow(a, b, _), false) => {
                sim.set_link_latency(*a, *b, Duration::from_millis(5));
            }
            (Fault::Crash(host), true) => sim.crash(*host),
            (Fault::Crash(host), false) => {
                if !sim.is_host_running(*host) {
                    sim.bounce(*host);
                }
            }
            (Fault::Clock(host, span), _) => {
                let offset = add(self.offsets[host], *span);
                self.offsets.insert(host, offset);
                self.set_clocks();
            }
        }
    }

    /// Everything goes well from here on: the network is whole, both services run, and their clocks agree on a time that neither has
    /// passed yet.
    fn heal(&mut self) {
        self.history.say("healed");
        for (n, a) in host::SERVICES.iter().enumerate() {
            for b in host::SERVICES.iter().skip(n + 1).chain(&host::DEVICES) {
                self.sim.release(*a, *b);
                self.sim.repair(*a, *b);
            }
        }
        for name in host::SERVICES {
            if !self.sim.is_host_running(name) {
                self.sim.bounce(name);
            }
        }
        let latest = self.plan.latest_offset();
        self.offsets = BTreeMap::from(host::SERVICES.map(|name| (name, latest)));
        self.set_clocks();
    }

    fn come_to_rest(&mut self) -> Result<(), String> {
        let until = self.history.now() + REST_MAX;
        loop {
            for _ in 0..20 {
                self.step()?;
            }
            let moving = check::moving(&self.services);
            let Some(moving) = moving.or_else(|| self.history.busy()) else {
                return Ok(());
            };
            if self.history.now() > until {
                return Err(format!("not at rest: {moving}"));
            }
        }
    }
}
