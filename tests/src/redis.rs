//! Redis servers that tests start for themselves, each on a host of loopback's network of its own, so that no two take one port.
//!
//! They keep nothing on disk, and die with the test. Deliberately absent: any server that was there before.

mod cluster;

pub use cluster::RedisCluster;

use std::{
    io,
    net::{IpAddr, SocketAddr},
    path::Path,
    process::Stdio,
};

use invitation_service::limiter::redis::RedisUrl;
use redis::{AsyncConnectionConfig, FromRedisValue, RedisResult};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{
    pair::folder,
    scrape::free_address,
    wait::{PATIENCE, eventually},
};

/// On its own host each can have the same port.
const PORT: u16 = 7_379;

/// A server, or a sentinel.
pub struct RedisServer {
    address: SocketAddr,
    folder: TempDir,
    arguments: Vec<String>,
    /// How a client of the test's own is to connect.
    client: String,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts a server with its defaults, and waits until it answers.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// Starts one with further arguments.
    pub async fn with(arguments: &[&str]) -> Self {
        let mut server = Self::stopped(arguments);
        server.run().await;
        server
    }

    /// Starts one that asks for a password.
    pub async fn with_password(password: &str) -> Self {
        let mut server = Self::stopped(&["--requirepass", password]);
        server.client = format!("redis://:{password}@{}", server.address);
        server.run().await;
        server
    }

    /// One that is not running yet.
    pub fn stopped(arguments: &[&str]) -> Self {
        let address = SocketAddr::new(free_address().ip(), PORT);
        Self {
            address,
            folder: folder(),
            arguments: arguments.iter().map(|text| (*text).to_owned()).collect(),
            client: format!("redis://{address}"),
            child: None,
        }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The host that it alone has.
    pub fn host(&self) -> IpAddr {
        self.address.ip()
    }

    /// A folder of its own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where it is, for a service.
    pub fn url(&self) -> RedisUrl {
        RedisUrl::parse(&format!("redis://{}", self.address)).unwrap()
    }

    /// Starts it, and waits until it answers.
    pub async fn run(&mut self) {
        self.spawn();
        let server = &*self;
        eventually("Redis answers", || async {
            server.try_ask::<String>(&["PING"]).await.ok()
        })
        .await;
    }

    /// Starts it.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "Redis runs already");
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let mut command = Command::new("redis-server");
        let (files, options): (Vec<_>, Vec<_>) = self
            .arguments
            .iter()
            .partition(|argument| Path::new(argument).extension() == Some("conf".as_ref()));
        // A sentinel's first argument is its file.
        command
            .args(files)
            .args(["--bind", &self.host().to_string()])
            // Other servers know it by where it connects from, which they do not take for this machine.
            .args(["--bind-source-addr", &self.host().to_string()])
            .args(["--protected-mode", "no"])
            .args(["--port", &PORT.to_string()])
            .args(["--dir", self.folder.path().to_str().unwrap()])
            .args(["--save", "", "--appendonly", "no"])
            .args(options)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true);
        let child = command.spawn().unwrap_or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                panic!("redis-server is not installed; scripts/tools.sh redis installs it")
            }
            _ => panic!("redis-server does not start: {error}"),
        });
        self.child = Some(child);
    }

    /// What it answers to a command.
    pub async fn ask<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let answer = self.try_ask(command).await;
        answer.unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// Waits until others follow it, and it nobody. Its clients may be cut off while it takes over.
    pub async fn takes_over(&self) {
        eventually("it has taken over", || async {
            let role: Vec<redis::Value> = self.try_ask(&["ROLE"]).await.ok()?;
            (role.first()? == &redis::Value::BulkString(b"master".to_vec())).then_some(())
        })
        .await;
    }

    async fn try_ask<T: FromRedisValue>(&self, command: &[&str]) -> RedisResult<T> {
        let client = redis::Client::open(self.client.as_str())?;
        // A machine that stands still for a moment is none of the test's business: whoever waits for something has a bound of its own.
        let patient = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let mut connection = client
            .get_multiplexed_async_connection_with_config(&patient)
            .await?;
        let mut asked = redis::cmd(command[0]);
        asked.arg(&command[1..]);
        asked.query_async(&mut connection).await
    }

    fn signal(&self, signal: Signal) {
        let id = self.child.as_ref().and_then(Child::id);
        let pid = Pid::from_raw(i32::try_from(id.expect("it runs")).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Lets it do nothing any more, as a machine does that swaps; connections stay.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Kills it, with all that it knows.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }
}
