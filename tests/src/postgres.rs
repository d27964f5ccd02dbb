//! PostgreSQL servers that tests start for themselves, each on a host of loopback's network of its own, and databases on them.
//!
//! A server's files lie in memory and nothing is forced to the disk: what a machine's crash would take is not tested here. Deliberately
//! absent: how a server is started (`local-postgres`), and any server that was there before.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

pub use local_postgres::Ending;
use local_postgres::{LocalPooler, LocalServer};
use rustix::process::{Pid, Signal, kill_process};
use service_kit::postgres::{Client, Connector, Failure, PostgresOptions, PostgresUrl};
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{pair::folder, scrape::free_address, wait::eventually};

/// On its own host each can have the same port.
const PORT: u16 = 7_432;
/// Quick, and small: many of them may run at once.
const SETTINGS: &str = "fsync = off
full_page_writes = off
max_connections = 200
shared_buffers = 32MB
autovacuum_naptime = 5s
max_wal_size = 256MB
deadlock_timeout = 100ms";

/// A server.
pub struct PostgresServer {
    server: LocalServer,
    databases: AtomicU32,
    /// Databases that nobody needs any more, and that are still there.
    left: Mutex<Vec<String>>,
}

impl PostgresServer {
    /// Starts a new server, and waits until it answers.
    pub fn start() -> Self {
        let folder = folder().keep();
        LocalServer::make(&folder).unwrap();
        let address = SocketAddr::new(free_address().ip(), PORT);
        Self {
            server: LocalServer::start(folder, address, SETTINGS).unwrap(),
            databases: AtomicU32::new(0),
            left: Mutex::default(),
        }
    }

    /// Starts a standby of this server, and waits until commits here wait for it.
    pub async fn standby(&self) -> Self {
        let address = SocketAddr::new(free_address().ip(), PORT);
        let folder = folder().keep();
        let server = LocalServer::start_standby(folder, address, &self.server, SETTINGS).unwrap();
        self.server.wait_for_standby().unwrap();
        let client = connect(self.url("postgres")).await;
        eventually("the standby is waited for", || async {
            let sql = "select 1 from pg_stat_replication where sync_state = 'sync'";
            client.query_opt(sql, &[]).await.unwrap().map(drop)
        })
        .await;
        Self {
            server,
            databases: AtomicU32::new(0),
            left: Mutex::default(),
        }
    }

    /// Has a standby take over from its primary, which must have ended, and waits until it may be written.
    pub fn takes_over(&self) {
        self.server.promote().unwrap();
    }

    /// Where a database is that is on this server, or on `other` if that may be written.
    pub fn url_text_with(&self, other: &Self, database: &str) -> String {
        let (own, other) = (self.server.address(), other.server.address());
        let url = self.url_text(database);
        url.replace(&own.to_string(), &format!("{own},{other}"))
    }

    /// Starts a pooler before this server, with `settings` as lines of its configuration, and waits until it answers.
    pub async fn pooler(&self, settings: &str) -> Pooler {
        let (folder, server) = (folder(), self.server.address());
        let address = SocketAddr::new(free_address().ip(), PORT);
        let started = LocalPooler::start(folder.path().to_owned(), address, server, settings);
        let pooler = Pooler {
            pooler: started.unwrap(),
            _folder: folder,
        };
        pooler.answers().await;
        pooler
    }

    /// The server that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.server.folder()
    }

    /// Starts it again, where it was, and waits until it answers.
    pub fn run(&self) {
        self.server.run().unwrap();
    }

    /// Ends it.
    pub fn stop(&self, ending: Ending) {
        self.server.stop(ending).unwrap();
    }

    /// Writes settings beside those it has, for the next start.
    pub fn set(&self, settings: &str) {
        self.server.set(settings).unwrap();
    }

    /// Lets the processes that serve do nothing any more; connections stay. Returns what lets them go on.
    pub fn freeze(&self) -> Frozen {
        let frozen = Frozen(self.processes());
        frozen.signal(Signal::STOP);
        frozen
    }

    /// The ids of its processes.
    pub fn processes(&self) -> Vec<i32> {
        self.server.processes().unwrap()
    }

    /// Where a database of it is.
    pub fn url(&self, database: &str) -> PostgresUrl {
        PostgresUrl::parse(&self.url_text(database)).unwrap()
    }

    /// [`url`](Self::url) as a text.
    pub fn url_text(&self, database: &str) -> String {
        self.server.url(database)
    }

    /// A new database, empty or as `template` is, which nobody may be connected to; its name. It stays as long as the server.
    pub async fn database(&self, template: Option<&str>) -> String {
        let client = connect(self.url("postgres")).await;
        self.make_database(&client, template).await
    }

    /// A new database as `template` is, which nobody may be connected to. Those that were lent before and are done with go first.
    pub async fn lend(&'static self, template: &str) -> Database {
        let client = connect(self.url("postgres")).await;
        let left = std::mem::take(&mut *self.left.lock().unwrap_or_else(PoisonError::into_inner));
        for name in left {
            let drop = format!("drop database {name} with (force)");
            client.batch_execute(&drop).await.unwrap();
        }
        let name = self.make_database(&client, Some(template)).await;
        Database { server: self, name }
    }

    async fn make_database(&self, client: &Client, template: Option<&str>) -> String {
        let number = self.databases.fetch_add(1, Ordering::Relaxed);
        let name = format!("test_{number}");
        let copied = template.map_or_else(String::new, |template| {
            format!(" template {template} strategy file_copy")
        });
        let sql = format!("create database {name}{copied}");
        // A session that has ended is still there for a moment.
        eventually("a database is made", || async {
            client.batch_execute(&sql).await.ok()
        })
        .await;
        name
    }
}

/// A pooler before a server: each transaction gets another connection of it.
pub struct Pooler {
    pooler: LocalPooler,
    _folder: TempDir,
}

impl Pooler {
    /// Where a database of the server is.
    pub fn url_text(&self, database: &str) -> String {
        self.pooler.url(database)
    }

    /// Ends it, with all connections, starts it again where it was, and waits until it answers.
    pub async fn restart(&mut self) {
        self.pooler.stop().unwrap();
        self.pooler.run().unwrap();
        self.answers().await;
    }

    async fn answers(&self) {
        let log = self.pooler.folder().join("log");
        let what = format!("PgBouncer answers (its log is {})", log.display());
        eventually(&what, || async {
            TcpStream::connect(self.pooler.address())
                .await
                .ok()
                .map(drop)
        })
        .await;
    }
}

/// A database for one test. It goes when this has been dropped and another is made.
pub struct Database {
    server: &'static PostgresServer,
    name: String,
}

impl Database {
    /// The server that it is on.
    pub fn server(&self) -> &'static PostgresServer {
        self.server
    }

    /// Its name there.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is.
    pub fn url(&self) -> PostgresUrl {
        self.server.url(&self.name)
    }

    /// [`url`](Self::url) as a text.
    pub fn url_text(&self) -> String {
        self.server.url_text(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        let mut left = self
            .server
            .left
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        left.push(name);
    }
}

/// Processes of a server that do nothing. They go on when this is dropped.
pub struct Frozen(Vec<i32>);

impl Frozen {
    fn signal(&self, signal: Signal) {
        for pid in &self.0 {
            // Some may have ended by themselves.
            let _ = kill_process(Pid::from_raw(*pid).unwrap(), signal);
        }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
    }
}

/// A connection to the database at `url`, with the defaults.
pub async fn connect(url: PostgresUrl) -> Client {
    try_connect(url).await.unwrap()
}

/// [`connect`], or why not.
pub async fn try_connect(url: PostgresUrl) -> Result<Client, Failure> {
    let connector = Connector::new(url, &PostgresOptions::default(), "test").unwrap();
    Ok(connector.connect().await?.0)
}
