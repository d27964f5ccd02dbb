//! PostgreSQL servers that tests start for themselves, each on a host of loopback's network of its own, and databases on them.
//!
//! A server's files lie in memory and nothing is forced to the disk: what a machine's crash would take is not tested here. A watcher ends
//! the server and deletes its files when the test's process ends, however that comes about. PostgreSQL does not run as root, so it is
//! started as another user. Deliberately absent: any server that was there before.

use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
};

use rustix::process::{Pid, Signal, kill_process};
use service_kit::postgres::{Client, Connector, Failure, PostgresOptions, PostgresUrl};

use crate::{pair::folder, scrape::free_address, wait::eventually};

/// On its own host each can have the same port.
const PORT: u16 = 7_432;
/// Who is there.
const USER: &str = "acquaint";
/// Where Debian has the programs, each version in a folder of its own.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Whom the server runs as where the test is root's.
const SYSTEM_USER: &str = "postgres";

/// Waits until nobody holds the other end of its input; then ends the server, and deletes its files.
const WATCHER: &str = r#"cat >/dev/null; "$@" >/dev/null 2>&1; rm -rf "$FOLDER""#;

/// How a server is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Sessions are cut off, and what was begun is rolled back.
    Fast,
    /// At once, as by a crash.
    Immediate,
}

impl Ending {
    fn word(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Immediate => "immediate",
        }
    }
}

/// A server.
pub struct PostgresServer {
    address: SocketAddr,
    folder: PathBuf,
    databases: AtomicU32,
    /// Databases that nobody needs any more, and that are still there.
    left: Mutex<Vec<String>>,
    _watcher: Child,
}

impl PostgresServer {
    /// Starts a new server, and waits until it answers.
    pub fn start() -> Self {
        let folder = folder().keep();
        let address = SocketAddr::new(free_address().ip(), PORT);
        if is_root() {
            let (user, group) = ids_of(SYSTEM_USER);
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let data = folder.join("data");
        let mut initdb = program("initdb");
        initdb
            .args(["--no-sync", "--no-instructions", "--encoding=UTF8"])
            .args(["--locale=C", "--auth=trust", "--username", USER, "--pgdata"])
            .arg(&data);
        succeed(&mut initdb);
        let settings = format!(
            "listen_addresses = '{}'\nport = {PORT}\nunix_socket_directories = ''\nfsync = off\nfull_page_writes = off\n\
             max_connections = 200\nshared_buffers = 32MB\nautovacuum_naptime = 5s\nmax_wal_size = 256MB\ndeadlock_timeout = 100ms\n",
            address.ip()
        );
        fs::write(data.join("postgresql.auto.conf"), settings).unwrap();
        let stop = program_line("pg_ctl");
        let watcher = Command::new("sh")
            .args(["-c", WATCHER, "sh"])
            .args(stop)
            .args(["stop", "--mode=immediate", "--pgdata"])
            .arg(&data)
            .env("FOLDER", &folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self {
            address,
            folder,
            databases: AtomicU32::new(0),
            left: Mutex::default(),
            _watcher: watcher,
        };
        server.run();
        server
    }

    /// The server that all tests of this process share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<PostgresServer> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Starts it again, where it was, and waits until it answers.
    pub fn run(&self) {
        let log = self.folder.join("log");
        let mut start = program("pg_ctl");
        start
            .args(["start", "--wait", "--silent", "--log"])
            .arg(&log)
            .arg("--pgdata")
            .arg(self.data());
        succeed(&mut start);
    }

    /// Ends it.
    pub fn stop(&self, ending: Ending) {
        let mut stop = program("pg_ctl");
        stop.args([
            "stop",
            "--wait",
            "--silent",
            "--mode",
            ending.word(),
            "--pgdata",
        ])
        .arg(self.data());
        succeed(&mut stop);
    }

    /// Writes settings beside those it has, for the next start.
    pub fn set(&self, settings: &str) {
        let path = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&path).unwrap();
        fs::write(path, format!("{before}{settings}\n")).unwrap();
    }

    /// Lets the processes that serve do nothing any more; connections stay. Returns what lets them go on.
    pub fn freeze(&self) -> Frozen {
        let frozen = Frozen(self.processes());
        frozen.signal(Signal::STOP);
        frozen
    }

    /// The ids of its processes.
    pub fn processes(&self) -> Vec<i32> {
        let first = fs::read_to_string(self.data().join("postmaster.pid")).unwrap();
        let postmaster: i32 = first.lines().next().unwrap().parse().unwrap();
        let children = format!("/proc/{postmaster}/task/{postmaster}/children");
        let children = fs::read_to_string(children).unwrap();
        let children = children.split_whitespace().map(|pid| pid.parse().unwrap());
        std::iter::once(postmaster).chain(children).collect()
    }

    /// Where a database of it is.
    pub fn url(&self, database: &str) -> PostgresUrl {
        PostgresUrl::parse(&self.url_text(database)).unwrap()
    }

    /// [`url`](Self::url) as a text.
    pub fn url_text(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.address)
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

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The ids of a user and of its group.
fn ids_of(name: &str) -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let mut users = users
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>());
    let user = users.find(|fields| fields.first() == Some(&name));
    let user =
        user.unwrap_or_else(|| panic!("there is no user {name}; Debian's postgresql makes it"));
    (user[2].parse().unwrap(), user[3].parse().unwrap())
}

/// One of PostgreSQL's programs, with what it is to be run by.
fn program_line(name: &str) -> Vec<String> {
    let newest = fs::read_dir(DEBIAN).ok().and_then(|versions| {
        let found = versions.filter_map(|version| {
            let path = version.ok()?.path();
            let number: u32 = path.file_name()?.to_str()?.parse().ok()?;
            let program = path.join("bin").join(name);
            program.exists().then_some((number, program))
        });
        found.max()
    });
    let program = newest.map_or_else(|| name.to_owned(), |(_, path)| path.display().to_string());
    let mut line = Vec::new();
    if is_root() {
        let as_user = [
            "setpriv",
            "--reuid",
            SYSTEM_USER,
            "--regid",
            SYSTEM_USER,
            "--clear-groups",
        ];
        line.extend(as_user.map(str::to_owned));
    }
    line.push(program);
    line
}

fn program(name: &str) -> Command {
    let line = program_line(name);
    let mut command = Command::new(&line[0]);
    command
        .args(&line[1..])
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

fn succeed(command: &mut Command) {
    // Not piped: a server that was started holds the other end for as long as it runs.
    let status = command.stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| {
        panic!("{command:?}: {error}; scripts/tools.sh postgres installs what is missing")
    });
    assert!(status.success(), "{command:?}");
}
