//! The rig: both services as processes under load, killed and started again, and then held to everything that they have answered.
//!
//! Deliberately absent: a virtual clock and a virtual network. What is killed here are real processes on real files, or beside a real
//! server, so a run does not repeat exactly; its seed gives the same members the same wishes.

pub mod ask;
pub mod check;
pub mod journal;
pub mod load;
pub mod process;
pub mod watch;

use std::{sync::Arc, time::Duration};

use service_kit::postgres::PostgresUrl;
use tokio::{task::JoinHandle, time::Instant};

use crate::{
    engines::{Engine, Place},
    rows::{CONNECTION_NAMES, INVITATION_NAMES, Look},
    watcher::{ConnectionList, InvitationLists, Scope},
};
use check::{Caps, Stores};
use journal::Journal;
use load::{CANARY, Load};
use process::{Clients, Processes, Programs, Which};
use watch::{AllConnections, AllInvitations, Watching};

/// The limits in a run: low, so that they are met.
pub const CAPS: Caps = Caps {
    weekly: 25,
    pending: 9,
    connections: 7,
};

const SETTINGS: [(&str, &str); 7] = [
    ("ACQUAINT_LIMITS_WEEKLY_CAP", "25"),
    ("ACQUAINT_LIMITS_PENDING_SENT_MAX", "9"),
    ("ACQUAINT_LIMITS_PENDING_RECEIVED_SOFT_MAX", "6"),
    ("ACQUAINT_LIMITS_CONNECTIONS_MAX", "7"),
    ("ACQUAINT_LIMITS_PROBE_REFUSALS_MAX", "1000"),
    ("ACQUAINT_DECLINE_COOLDOWN_DAYS", "0"),
    // Often, so that a short run comes by one.
    ("ACQUAINT_SQLITE_CHECKPOINT_PAGES", "100"),
];

/// Within so long after the last call, with both services there, all work must be done.
const REST_MAX: Duration = Duration::from_secs(5);
/// How long between two looks at whether it is.
const LOOK: Duration = Duration::from_millis(20);
/// How many members are watched.
const WATCHED: usize = 4;

/// The pair as processes, with whoever calls and watches it.
pub struct Rig {
    /// Both services.
    pub processes: Processes,
    /// What was asked and answered.
    pub journal: Arc<Journal>,
    clients: Clients,
    seed: u64,
    load: Option<(Arc<Load>, JoinHandle<()>)>,
    watching: Option<Watchers>,
    /// Where the stores of invitation-service and connection-service are, if not in files.
    databases: Option<[PostgresUrl; 2]>,
    /// Keeps the places where they are.
    _places: Vec<Place>,
    /// What a log may not say.
    forbidden: Vec<&'static str>,
}

struct Watchers {
    invitations: Vec<Watching<InvitationLists>>,
    connections: Vec<Watching<ConnectionList>>,
    all_invitations: Watching<AllInvitations>,
    all_connections: Watching<AllConnections>,
}

fn parsed(urls: &[String; 2]) -> [PostgresUrl; 2] {
    urls.each_ref().map(|url| PostgresUrl::parse(url).unwrap())
}

impl Rig {
    /// Neither service has been started yet.
    pub fn new(programs: Programs, seed: u64) -> Self {
        let processes = Processes::new(programs, &SETTINGS);
        Self {
            clients: processes.clients(),
            processes,
            journal: Arc::default(),
            seed,
            load: None,
            watching: None,
            databases: None,
            _places: Vec::new(),
            forbidden: vec![CANARY, "panicked", "ERROR"],
        }
    }

    /// [`new`](Self::new), with stores of this engine.
    pub async fn on(engine: Engine, programs: Programs, seed: u64) -> Self {
        let mut rig = Self::new(programs, seed);
        if engine != Engine::Sqlite {
            let places = [engine.place().await, engine.place_of_connections().await];
            let urls = places.each_ref().map(|place| place.database().url_text());
            rig.keep_in(&urls, places[0].lanes());
            return Self {
                _places: places.into(),
                ..rig
            };
        }
        rig
    }

    /// Two processes of each service on databases of theirs, invitation-service's first: where they are for the services, and for whoever
    /// looks at what is in them.
    pub fn of_two(
        programs: Programs,
        seed: u64,
        of_services: &[String; 2],
        of_lookers: &[String; 2],
    ) -> Self {
        let mut rig = Self::new(programs, seed);
        rig.keep_in(of_services, 1);
        rig.databases = Some(parsed(of_lookers));
        rig.processes.double();
        rig.clients = rig.processes.clients();
        rig
    }

    fn keep_in(&mut self, urls: &[String; 2], lanes: u16) {
        self.processes.invitation.keep_in(&urls[0], lanes);
        self.processes.connection.keep_in(&urls[1], lanes);
        self.databases = Some(parsed(urls));
    }

    /// The services may log errors: they are made to meet some.
    pub fn errors_are_expected(&mut self) {
        self.forbidden.retain(|text| *text != "ERROR");
    }

    /// Clients of both services.
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// Begins to watch, and then to call. Both services must serve.
    pub async fn begin(&mut self) {
        let mut watchers = Watchers {
            invitations: Vec::new(),
            connections: Vec::new(),
            all_invitations: self.watch(Scope::AllMembers, 1).await,
            all_connections: self.watch(Scope::AllMembers, 2).await,
        };
        for number in 0..WATCHED {
            let scope = || Scope::Member(load::member(number));
            watchers.invitations.push(self.watch(scope(), 3).await);
            watchers.connections.push(self.watch(scope(), 4).await);
        }
        self.watching = Some(watchers);
        self.call();
    }

    /// Begins to call.
    pub fn call(&mut self) {
        let load = Load::new(self.clients.clone(), self.journal.clone());
        let running = tokio::spawn(load.clone().run(self.seed));
        self.load = Some((load, running));
    }

    /// Waits until so many more calls were begun; whether they were within `limit`.
    pub async fn calls_begin(&self, more: usize, limit: Duration) -> bool {
        let enough = self.journal.len() + more;
        let begun = async {
            while self.journal.len() < enough {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::time::timeout(limit, begun).await.is_ok()
    }

    async fn watch<F: watch::Fold>(&self, scope: Scope, number: u64) -> Watching<F> {
        let seed = self.seed.wrapping_add(number);
        Watching::begin(self.clients.clone(), scope, self.journal.clone(), seed).await
    }

    /// Ends the load, starts what is not running, waits until nothing moves, and gives back everything that is wrong.
    pub async fn settle(&mut self) -> Vec<String> {
        self.processes.start().await;
        if let Some((load, running)) = self.load.take() {
            load.stop();
            running.await.unwrap();
        }
        let mut wrong = self.journal.violations();
        let stores = self.stores().await;
        stores.know(&self.journal.calls(), CAPS);
        let asked = Instant::now();
        loop {
            // A look may itself take long: what counts is when it begins.
            let late = asked.elapsed() > REST_MAX;
            stores.renew().await;
            let found = stores.violations();
            // What is not done yet may be wrong for now.
            if found.is_empty() {
                break;
            }
            if late {
                wrong.extend(found);
                break;
            }
            tokio::time::sleep(LOOK).await;
        }
        wrong.extend(self.watchers_are_wrong(&stores).await);
        wrong.extend(self.log_is_wrong());
        if !wrong.is_empty() {
            wrong.push(format!(
                "the files are in {}",
                self.processes.keep().display()
            ));
        }
        wrong
    }

    /// Both stores.
    pub async fn stores(&self) -> Stores {
        Stores::open(self.looks().await).await
    }

    /// Copies of both stores.
    pub async fn copied_stores(&self) -> Stores {
        Stores::copied(self.looks().await).await
    }

    async fn looks(&self) -> [Look; 2] {
        match &self.databases {
            Some([invitations, connections]) => [
                Look::at_database(invitations, INVITATION_NAMES).await,
                Look::at_database(connections, CONNECTION_NAMES).await,
            ],
            None => [
                Look::at_file(self.processes.invitation.store()),
                Look::at_file(self.processes.connection.store()),
            ],
        }
    }

    async fn watchers_are_wrong(&self, stores: &Stores) -> Vec<String> {
        let Some(watchers) = &self.watching else {
            return Vec::new();
        };
        let mut wrong = Vec::new();
        for watching in &watchers.invitations {
            wrong.extend(watching.agrees(&self.clients, REST_MAX).await.err());
        }
        for watching in &watchers.connections {
            wrong.extend(watching.agrees(&self.clients, REST_MAX).await.err());
        }
        let told = |what: &str, told: Vec<String>, stored: Vec<String>| {
            (told != stored).then(|| format!("a service was told {what} {told:?}\nof {stored:?}"))
        };
        let look = async || {
            stores.renew().await;
            let invitations = watchers.all_invitations.folded().told_of(stores);
            let connections = watchers.all_connections.folded().told_of(stores);
            let invitations = told("steps", invitations.0, invitations.1);
            let connections = told("connections", connections.0, connections.1);
            invitations.into_iter().chain(connections).collect()
        };
        let asked = Instant::now();
        let mut all: Vec<String> = look().await;
        while !all.is_empty() && asked.elapsed() < REST_MAX {
            tokio::time::sleep(LOOK).await;
            all = look().await;
        }
        wrong.extend(all);
        wrong
    }

    /// A log may have no note in it, no panic and no error, and no file of a crash may lie about.
    fn log_is_wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for service in self.processes.all() {
            let log = service.log();
            let bad = |line: &&str| {
                // A call that the other service, which was killed, did not answer is an error, and expected.
                let call = line.contains(" ERROR acquaint::request: ");
                let bad = |text: &&str| line.contains(text) && !(call && *text == "ERROR");
                self.forbidden.iter().any(bad)
            };
            wrong.extend(log.lines().filter(bad).map(|line| format!("log: {line}")));
        }
        let files = std::fs::read_dir(self.processes.folder()).unwrap();
        for file in files {
            let name = file.unwrap().file_name().into_string().unwrap();
            let known = Which::BOTH
                .iter()
                .any(|which| name.starts_with(which.name()));
            if !known {
                wrong.push(format!("a file was left behind: {name}"));
            }
        }
        wrong
    }
}
