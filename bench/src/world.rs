//! Everything that runs during a measurement: both services on stores of their own, and the empty methods.
//!
//! Deliberately absent: calls.

use std::{
    fs,
    iter::Sum,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::{
    call::{Clients, Urls},
    commits::{Commits, figures_of},
    data::Engine,
    fill::{CONNECTIONS, INVITATIONS},
    postgres::{self, Postgres},
    process::{Memory, Process, free_port, machine_cpu, own_cpu},
};

/// How long it may take until the services have nothing left to do.
const REST_MAX: Duration = Duration::from_mins(5);
/// For so long they must have had nothing to do.
const REST: Duration = Duration::from_millis(500);
/// So much of a core still counts as nothing, in percent.
const REST_PERCENT: u128 = 4;
/// The same with PostgreSQL, which is asked all the time whether there is anything new or due, also by a development build.
const REST_PERCENT_ON_POSTGRES: u128 = 25;

/// The databases of invitation-service and connection-service.
const DATABASES: [&str; 2] = [postgres::INVITATIONS, postgres::CONNECTIONS];

/// Where the programs are and where a world may put its files.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// The folder of the services' binaries.
    pub(crate) binaries: PathBuf,
    /// The folder with both stores, and for logs.
    pub(crate) folder: PathBuf,
    /// Environment variables of the processes.
    pub(crate) settings: Vec<(String, String)>,
    /// Whether invitation-service has a Redis.
    pub(crate) redis: bool,
    /// Where the stores lie.
    pub(crate) engine: Engine,
    /// How many processes of each service share them.
    pub(crate) replicas: usize,
}

impl Places {
    /// The URL of the store in a file.
    fn file(&self, name: &str) -> String {
        format!("sqlite:{}", self.folder.join(name).display())
    }
}

/// The CPU time that has been used: by both services, Redis, PostgreSQL and the empty methods, by the load, and by everything.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Used {
    /// invitation-service.
    pub(crate) invitation: Duration,
    /// connection-service.
    pub(crate) connection: Duration,
    /// Redis, where there is one.
    pub(crate) redis: Duration,
    /// PostgreSQL, where there is one.
    pub(crate) postgres: Duration,
    /// Both empty methods.
    pub(crate) empty: Duration,
    /// This process, which makes the calls.
    pub(crate) load: Duration,
    /// The whole machine.
    pub(crate) machine: Duration,
}

impl Used {
    /// What has been used since.
    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            invitation: self.invitation.saturating_sub(before.invitation),
            connection: self.connection.saturating_sub(before.connection),
            redis: self.redis.saturating_sub(before.redis),
            postgres: self.postgres.saturating_sub(before.postgres),
            empty: self.empty.saturating_sub(before.empty),
            load: self.load.saturating_sub(before.load),
            machine: self.machine.saturating_sub(before.machine),
        }
    }

    /// What served the calls.
    pub(crate) fn served(&self) -> Duration {
        self.invitation + self.connection + self.redis + self.postgres + self.empty
    }

    /// What had nothing to do with the measurement.
    pub(crate) fn others(&self) -> Duration {
        self.machine.saturating_sub(self.served() + self.load)
    }
}

/// A process of each service, of which the one uses the other.
struct Replica {
    invitation: Process,
    /// Where invitation-service shows its figures.
    figures: SocketAddr,
    connection: Process,
}

impl Replica {
    fn start(
        places: &Places,
        stores: &[String; 2],
        redis: Option<&Process>,
    ) -> anyhow::Result<Self> {
        let folder = &places.folder;
        let [invitations, connections] = stores;
        let port = free_port()?;
        let command = service(places, "connection-service", port, connections);
        let connection = Process::start("connection-service", command, port, folder)?;
        let port = free_port()?;
        let mut command = service(places, "invitation-service", port, invitations);
        let figures = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        if let Some(redis) = redis {
            command.env("ACQUAINT_REDIS_URL", redis.url("redis"));
        }
        command
            .env("ACQUAINT_CONNECTION_URL", connection.url("http"))
            .env("ACQUAINT_METRICS_LISTEN", figures.to_string());
        Ok(Self {
            invitation: Process::start("invitation-service", command, port, folder)?,
            figures,
            connection,
        })
    }
}

/// The running processes.
pub(crate) struct World {
    /// One at least.
    replicas: Vec<Replica>,
    redis: Option<Process>,
    postgres: Option<Postgres>,
    empty: Process,
    empty_kit: Process,
}

impl World {
    /// Starts everything on the stores in the folder and waits until it serves and is at rest.
    pub(crate) async fn start(places: &Places) -> anyhow::Result<Self> {
        let postgres = match places.engine {
            Engine::Embedded => None,
            Engine::Postgres => Some(Postgres::to_measure(&places.folder)?),
        };
        let stores = match &postgres {
            None => [INVITATIONS, CONNECTIONS].map(|name| places.file(name)),
            Some(postgres) => DATABASES.map(|name| postgres.url(name)),
        };
        let mut redis = places.redis.then(|| redis(places)).transpose()?;
        if let Some(redis) = &mut redis {
            redis.listens().await?;
        }
        let replicas = (0..places.replicas)
            .map(|_| Replica::start(places, &stores, redis.as_ref()))
            .collect::<Result<_, _>>()?;
        let mut world = Self {
            replicas,
            redis,
            postgres,
            empty: empty(places, "empty", "tonic")?,
            empty_kit: empty(places, "empty-kit", "kit")?,
        };
        for replica in &mut world.replicas {
            replica.connection.serves().await?;
            replica.invitation.serves().await?;
        }
        for process in [&mut world.empty, &mut world.empty_kit] {
            process.serves().await?;
        }
        world.rest().await?;
        Ok(world)
    }

    /// Waits until the services have nothing to do that is left from before. What they used meanwhile for each second.
    pub(crate) async fn rest(&self) -> anyhow::Result<Duration> {
        let deadline = Instant::now() + REST_MAX;
        let percent = match self.postgres {
            None => REST_PERCENT,
            Some(_) => REST_PERCENT_ON_POSTGRES * self.replicas.len() as u128,
        };
        loop {
            let before = self.used()?;
            sleep(REST).await;
            let used = self.used()?.since(&before).served();
            if used.as_micros() * 100 < REST.as_micros() * percent {
                return Ok(used);
            }
            if Instant::now() > deadline {
                bail!("the services do not come to rest");
            }
        }
    }

    /// A set of clients with connections of their own, the `nth`, which decides to which replica.
    pub(crate) fn clients(&self, nth: usize) -> anyhow::Result<Clients> {
        let replica = self.replicas.get(nth % self.replicas.len().max(1));
        let replica = replica.context("no process of the services")?;
        Clients::new(&Urls {
            invitation: replica.invitation.url("http"),
            connection: replica.connection.url("http"),
            empty: self.empty.url("http"),
            empty_kit: self.empty_kit.url("http"),
        })
    }

    fn of_each<T: Sum>(&self, of: impl Fn(&Replica) -> anyhow::Result<T>) -> anyhow::Result<T> {
        self.replicas.iter().map(of).sum()
    }

    /// The CPU time used so far.
    pub(crate) fn used(&self) -> anyhow::Result<Used> {
        Ok(Used {
            invitation: self.of_each(|replica| replica.invitation.cpu())?,
            connection: self.of_each(|replica| replica.connection.cpu())?,
            redis: self
                .redis
                .as_ref()
                .map_or(Ok(Duration::ZERO), Process::cpu)?,
            postgres: self
                .postgres
                .as_ref()
                .map_or(Ok(Duration::ZERO), Postgres::cpu)?,
            empty: self.empty.cpu()? + self.empty_kit.cpu()?,
            load: own_cpu()?,
            machine: machine_cpu()?,
        })
    }

    /// How large the stores of invitation-service and connection-service are, in bytes.
    pub(crate) async fn sizes(&self, places: &Places) -> anyhow::Result<[u64; 2]> {
        let Some(postgres) = &self.postgres else {
            let file = |name| fs::metadata(places.folder.join(name));
            return Ok([file(INVITATIONS)?.len(), file(CONNECTIONS)?.len()]);
        };
        let [invitations, connections] = DATABASES.map(|name| postgres.size(name));
        Ok([invitations.await?, connections.await?])
    }

    /// What invitation-service has committed so far.
    pub(crate) fn commits(&self) -> anyhow::Result<Commits> {
        let shown = |replica: &Replica| Commits::shown_at(replica.figures);
        let (first, others) = self.replicas.split_first().context("no process")?;
        let what = "the figures of invitation-service";
        others
            .iter()
            .try_fold(shown(first).context(what)?, |commits, replica| {
                Ok(commits.and(&shown(replica).context(what)?))
            })
    }

    /// Up to which position of connection-service's feed invitation-service, of which there is one process, has folded.
    pub(crate) fn followed(&self) -> anyhow::Result<u64> {
        let first = self.replicas.first().context("no process")?;
        let page = figures_of(first.figures)?;
        let line = page.lines().find_map(|line| {
            let rest = line.strip_prefix("acquaint_feed_followed_position{")?;
            rest.rsplit(' ').next()
        });
        let position: f64 = line.context("no position is shown")?.parse()?;
        // Positions count facts: far fewer than 2⁵³.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as said"
        )]
        let position = position as u64;
        Ok(position)
    }

    /// The memory of invitation-service and connection-service.
    pub(crate) fn memory(&self) -> anyhow::Result<[Memory; 2]> {
        let mut both = [Memory::default(); 2];
        for replica in &self.replicas {
            let [invitation, connection] = both;
            both = [
                invitation.and(replica.invitation.memory()?),
                connection.and(replica.connection.memory()?),
            ];
        }
        Ok(both)
    }

    /// Ends everything; fails when something does not end in order.
    pub(crate) async fn stop(self) -> anyhow::Result<()> {
        for replica in self.replicas {
            replica.invitation.stop().await?;
            replica.connection.stop().await?;
        }
        if let Some(redis) = self.redis {
            redis.stop().await?;
        }
        if let Some(postgres) = self.postgres {
            postgres.stop()?;
        }
        self.empty.stop().await?;
        self.empty_kit.stop().await
    }
}

/// A service with its defaults but for the settings, on a port and a store; nothing of our environment reaches it.
fn service(places: &Places, name: &str, port: u16, store: &str) -> Command {
    let mut command = Command::new(places.binaries.join(name));
    command
        .env_clear()
        .env("ACQUAINT_LISTEN", format!("127.0.0.1:{port}"))
        .env("ACQUAINT_DATABASE_URL", store)
        .envs(places.settings.iter().cloned());
    command
}

/// A Redis that keeps nothing on disk, on a port of its own.
fn redis(places: &Places) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no"])
        .current_dir(&places.folder);
    Process::start("redis", command, port, &places.folder)
}

/// An empty method: this program, told to serve it.
fn empty(places: &Places, name: &'static str, server: &str) -> anyhow::Result<Process> {
    let port = free_port()?;
    let mut command = Command::new(std::env::current_exe()?);
    command
        .env_clear()
        .args(["--serve-empty", server, "--port", &port.to_string()])
        .envs(places.settings.iter().cloned());
    Process::start(name, command, port, &places.folder)
}
