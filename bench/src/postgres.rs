//! A PostgreSQL of the bench's own: the server that holds filled stores, and the one that is measured.
//!
//! Deliberately absent: what is in it.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, ensure};
use local_postgres::{Ending, LocalServer};
use nix::{
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};
use service_kit::postgres::{Client, Connector, PostgresOptions, PostgresUrl};

use crate::process::free_port;

/// The server's folder beside the stores' files.
const FOLDER: &str = "postgres";
/// The database that every server has from the beginning.
const FIRST: &str = "postgres";
/// That of invitation-service.
pub(crate) const INVITATIONS: &str = "invitations";
/// That of connection-service.
pub(crate) const CONNECTIONS: &str = "connections";
/// Nothing is forced to the disk while a store is filled.
const FILLING: &str =
    "fsync = off\nfull_page_writes = off\nsynchronous_commit = off\nmax_wal_size = 8GB";
/// What is answered is on the disk. Said, though it is the default: the figures rest on it.
const MEASURED: &str = "fsync = on\nfull_page_writes = on\nsynchronous_commit = on";

/// A server. It ends, and its files go, when this is dropped.
pub(crate) struct Postgres(LocalServer);

impl Postgres {
    /// A new one in `folder`, to be filled.
    pub(crate) async fn to_fill(folder: &Path) -> anyhow::Result<Self> {
        let folder = folder.join(FOLDER);
        fs::create_dir_all(&folder)?;
        LocalServer::make(&folder)?;
        let server = Self::start(folder, FILLING)?;
        for database in [INVITATIONS, CONNECTIONS] {
            let create = format!("create database {database}");
            server.execute(FIRST, &[&create]).await?;
        }
        Ok(server)
    }

    /// The one whose files were copied to `folder`, to be measured.
    pub(crate) fn to_measure(folder: &Path) -> anyhow::Result<Self> {
        Self::start(folder.join(FOLDER), MEASURED)
    }

    fn start(folder: PathBuf, settings: &str) -> anyhow::Result<Self> {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        Ok(Self(LocalServer::start(folder, address, settings)?))
    }

    /// Where a database of it is.
    pub(crate) fn url(&self, database: &str) -> String {
        self.0.url(database)
    }

    /// [`url`](Self::url), read.
    pub(crate) fn parsed_url(&self, database: &str) -> anyhow::Result<PostgresUrl> {
        PostgresUrl::parse(&self.url(database)).map_err(anyhow::Error::msg)
    }

    async fn connect(&self, database: &str) -> anyhow::Result<Client> {
        let options = PostgresOptions::default();
        let connector = Connector::new(self.parsed_url(database)?, &options, "acquaint-bench")?;
        let (client, _) = connector.connect().await?;
        Ok(client)
    }

    async fn execute(&self, database: &str, statements: &[&str]) -> anyhow::Result<()> {
        let client = self.connect(database).await?;
        for sql in statements {
            client.batch_execute(sql).await?;
        }
        Ok(())
    }

    /// Leaves nothing for later that the server would do by itself after so many rows.
    pub(crate) async fn settle(&self) -> anyhow::Result<()> {
        for database in [INVITATIONS, CONNECTIONS] {
            let settle = ["vacuum (freeze, analyze)", "checkpoint"];
            self.execute(database, &settle).await?;
        }
        Ok(())
    }

    /// How large the tables of a database are, with their indexes, in bytes.
    pub(crate) async fn size(&self, database: &str) -> anyhow::Result<u64> {
        let client = self.connect(database).await?;
        let size = "select pg_database_size(current_database())";
        let bytes: i64 = client.query_one(size, &[]).await?.try_get(0)?;
        Ok(u64::try_from(bytes)?)
    }

    /// Ends it in order.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        Ok(self.0.stop(Ending::Fast)?)
    }

    /// The CPU time that all its processes have used so far, those that have ended included.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let processes = self.0.processes()?;
        let first = processes.first().context("PostgreSQL is gone")?;
        let mut used = of_ended_children(*first)?;
        for pid in processes {
            // One that has just ended counts among the ended from now on.
            let clock = clock_getcpuclockid(Pid::from_raw(pid));
            used += clock
                .and_then(ClockId::now)
                .map_or(Duration::ZERO, Duration::from);
        }
        Ok(used)
    }
}

/// What the children of a process that have ended had used, to 10 ms.
fn of_ended_children(pid: i32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("a malformed stat")?;
    // The 16th and 17th of all: `cutime` and `cstime`.
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks: Vec<u64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(Duration::from_millis(ticks.iter().sum::<u64>() * 10))
}

/// Copies the files of a server that has ended, and waits until the disk has them.
pub(crate) fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let (from, to) = (from.join(FOLDER), to.join(FOLDER));
    run(Command::new("cp").arg("-a").arg(&from).arg(&to))?;
    run(Command::new("sync").arg("--file-system").arg(&to))
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?} ended with {status}");
    Ok(())
}
