//! PostgreSQL servers of one's own, on loopback, for tests and measurements; a standby of one, and a pooler before one.
//!
//! A watcher ends a server and deletes its files when the process that started it ends, however that comes about. PostgreSQL does not run as
//! root, so it is started as another user. Deliberately absent: databases, connections, and any server that was there before.

mod pooler;
mod program;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub use pooler::LocalPooler;

use program::{leave_to_system_user, program, program_line, succeed};

/// Who is there, without a password.
pub const USER: &str = "acquaint";
/// Whom the server runs as where whoever starts it is root.
const SYSTEM_USER: &str = "postgres";
/// By which name a primary knows its standby.
const STANDBY: &str = "standby";

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
#[derive(Debug)]
pub struct LocalServer {
    address: SocketAddr,
    folder: PathBuf,
    watcher: Child,
}

impl LocalServer {
    /// Makes the files of a new server in `folder`, which must be there, and be of no other use: it goes with the server.
    pub fn make(folder: &Path) -> io::Result<()> {
        leave_to_system_user(folder)?;
        let mut initdb = program("initdb");
        initdb
            .args(["--no-sync", "--no-instructions", "--encoding=UTF8"])
            .args(["--locale=C", "--auth=trust", "--username", USER, "--pgdata"])
            .arg(folder.join("data"));
        succeed(&mut initdb)
    }

    /// Starts a server whose files were made in `folder`, at an address that nobody uses, with `settings` as lines of its configuration, and
    /// waits until it answers.
    pub fn start(folder: PathBuf, address: SocketAddr, settings: &str) -> io::Result<Self> {
        let data = folder.join("data");
        let (host, port) = (address.ip(), address.port());
        let settings = format!(
            "listen_addresses = '{host}'\nport = {port}\nunix_socket_directories = ''\n{settings}\n"
        );
        fs::write(data.join("postgresql.auto.conf"), settings)?;
        let watcher = Command::new("sh")
            .args(["-c", WATCHER, "sh"])
            .args(program_line("pg_ctl"))
            .args(["stop", "--mode=immediate", "--pgdata"])
            .arg(&data)
            .env("FOLDER", &folder)
            .current_dir("/")
            .stdin(Stdio::piped())
            .spawn()?;
        let server = Self {
            address,
            folder,
            watcher,
        };
        server.run()?;
        Ok(server)
    }

    /// Starts a standby of `primary`, which follows it until it is [promoted](Self::promote): in `folder`, as for [`make`](Self::make), and
    /// otherwise as [`start`](Self::start) does.
    pub fn start_standby(
        folder: PathBuf,
        address: SocketAddr,
        primary: &Self,
        settings: &str,
    ) -> io::Result<Self> {
        leave_to_system_user(&folder)?;
        let (host, port) = (primary.address.ip(), primary.address.port());
        let mut copy = program("pg_basebackup");
        copy.args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"])
            .args(["--host", &host.to_string(), "--port", &port.to_string()])
            .args(["--username", USER, "--no-password", "--pgdata"])
            .arg(folder.join("data"));
        succeed(&mut copy)?;
        let settings = format!(
            "{settings}\nprimary_conninfo = 'host={host} port={port} user={USER} application_name={STANDBY}'"
        );
        Self::start(folder, address, &settings)
    }

    /// Has commits wait from now on until the standby has them, too, on its disk.
    pub fn wait_for_standby(&self) -> io::Result<()> {
        self.set(&format!("synchronous_standby_names = '{STANDBY}'"))?;
        self.control(&["reload", "--silent"])
    }

    /// Makes a standby a server of its own, which may be written, and waits until it is.
    pub fn promote(&self) -> io::Result<()> {
        self.control(&["promote", "--wait", "--silent"])
    }

    fn control(&self, words: &[&str]) -> io::Result<()> {
        let mut control = program("pg_ctl");
        control.args(words).arg("--pgdata").arg(self.data());
        succeed(&mut control)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where one of its databases is.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.address)
    }

    /// Starts it again, where it was, and waits until it answers.
    pub fn run(&self) -> io::Result<()> {
        let mut start = program("pg_ctl");
        start
            .args(["start", "--wait", "--silent", "--log"])
            .arg(self.folder.join("log"))
            .arg("--pgdata")
            .arg(self.data());
        succeed(&mut start)
    }

    /// Ends it, and waits until it has ended.
    pub fn stop(&self, ending: Ending) -> io::Result<()> {
        self.control(&["stop", "--wait", "--silent", "--mode", ending.word()])
    }

    /// Writes settings beside those it has, for the next start.
    pub fn set(&self, settings: &str) -> io::Result<()> {
        let path = self.data().join("postgresql.auto.conf");
        let before = fs::read_to_string(&path)?;
        fs::write(path, format!("{before}{settings}\n"))
    }

    /// The ids of its processes, the first of which has started the others.
    pub fn processes(&self) -> io::Result<Vec<i32>> {
        let malformed = |_| io::Error::other("a process without a number");
        let lines = fs::read_to_string(self.data().join("postmaster.pid"))?;
        let first = lines.lines().next().unwrap_or_default();
        let first: i32 = first.parse().map_err(malformed)?;
        let children = fs::read_to_string(format!("/proc/{first}/task/{first}/children"))?;
        let children = children
            .split_whitespace()
            .map(|pid| pid.parse().map_err(malformed));
        std::iter::once(Ok(first)).chain(children).collect()
    }
}

impl Drop for LocalServer {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        // It has ended the server, or could not: nobody is left to be told.
        let _ = self.watcher.wait();
    }
}
