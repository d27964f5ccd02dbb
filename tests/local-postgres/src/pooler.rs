//! A pooler of one's own (`PgBouncer`) before a server: each transaction gets a connection of the server, and the next another.
//!
//! A watcher ends it when the process that started it ends, however that comes about. Like PostgreSQL it does not run as root. Deliberately
//! absent: pooling by sessions, which changes nothing for whoever connects.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::USER;
use super::program::{leave_to_system_user, system_line};

/// Runs the pooler until nobody holds the other end of its input.
const WATCHER: &str = r#""$@" & cat >/dev/null; kill -TERM $!; wait"#;
/// Where Debian has the program, which is in no user's path.
const DEBIAN: &str = "/usr/sbin/pgbouncer";

/// A pooler, which pools by transactions.
#[derive(Debug)]
pub struct LocalPooler {
    address: SocketAddr,
    folder: PathBuf,
    watcher: Option<Child>,
}

impl LocalPooler {
    /// Starts a pooler at an address that nobody uses, before the server at another, with its files in `folder` and `settings` as lines of its
    /// configuration. It answers soon after; its file `log` says why where it does not.
    pub fn start(
        folder: PathBuf,
        address: SocketAddr,
        server: SocketAddr,
        settings: &str,
    ) -> io::Result<Self> {
        leave_to_system_user(&folder)?;
        let path = folder.display();
        let configuration = format!(
            "[databases]\n* = host={} port={}\n[pgbouncer]\nlisten_addr = {}\nlisten_port = {}\nunix_socket_dir =\nauth_type = trust\n\
             auth_file = {path}/users\nlogfile = {path}/log\npool_mode = transaction\n{settings}\n",
            server.ip(),
            server.port(),
            address.ip(),
            address.port()
        );
        fs::write(folder.join("users"), format!("\"{USER}\" \"\"\n"))?;
        fs::write(folder.join("pgbouncer.ini"), configuration)?;
        let mut pooler = Self {
            address,
            folder,
            watcher: None,
        };
        pooler.run()?;
        Ok(pooler)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it keeps its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a database of the server is.
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{USER}@{}/{database}", self.address)
    }

    /// Starts it again, where it was.
    pub fn run(&mut self) -> io::Result<()> {
        let program = if fs::exists(DEBIAN)? {
            DEBIAN
        } else {
            "pgbouncer"
        };
        let watcher = Command::new("sh")
            .args(["-c", WATCHER, "sh"])
            .args(system_line(program))
            .arg("-q")
            .arg(self.folder.join("pgbouncer.ini"))
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.watcher = Some(watcher);
        Ok(())
    }

    /// Ends it at once, with all connections, and waits until it has ended.
    pub fn stop(&mut self) -> io::Result<()> {
        if let Some(mut watcher) = self.watcher.take() {
            drop(watcher.stdin.take());
            watcher.wait()?;
        }
        Ok(())
    }
}

impl Drop for LocalPooler {
    fn drop(&mut self) {
        // Nobody is left to be told.
        let _ = self.stop();
    }
}
