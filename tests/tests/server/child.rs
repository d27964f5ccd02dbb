//! connection-service as a process of its own.

use std::{net::SocketAddr, path::PathBuf, process::Stdio, time::Duration};

use acquaint_tests::{Blocks, Connections, pair::folder, wait::eventually};
use tempfile::TempDir;
use tokio::{
    net::TcpSocket,
    process::{Child, Command},
};
use tonic::transport::{Channel, Endpoint};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// A process, its port and its folder.
pub(crate) struct Service {
    folder: TempDir,
    /// Keeps the port while the process is gone.
    _port: TcpSocket,
    pub(crate) address: SocketAddr,
    child: Option<Child>,
}

impl Service {
    /// Has not been started.
    pub(crate) fn new() -> Self {
        let port = TcpSocket::new_v4().unwrap();
        port.set_reuseaddr(true).unwrap();
        port.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self {
            folder: folder(),
            address: port.local_addr().unwrap(),
            _port: port,
            child: None,
        }
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.folder.path().join("connections.db")
    }

    pub(crate) fn start(&mut self) {
        let program = env!("CARGO_BIN_EXE_connection-service-under-test");
        let child = Command::new(program)
            .env_clear()
            .env("ACQUAINT_LISTEN", self.address.to_string())
            .env(
                "ACQUAINT_DATABASE_URL",
                format!("sqlite:{}", self.store().display()),
            )
            .env("ACQUAINT_LOG_FILTER", "off")
            // There is no invitation-service to wait for.
            .env("ACQUAINT_ACKNOWLEDGEMENT_WAIT_MILLIS", "1")
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn();
        self.child = Some(child.unwrap());
    }

    /// Starts it, and waits until it serves.
    pub(crate) async fn started() -> Self {
        let mut service = Self::new();
        service.start();
        service.says(ServingStatus::Serving).await;
        service
    }

    /// Waits until it says this of its health.
    pub(crate) async fn says(&self, status: ServingStatus) {
        eventually("health", || async {
            let found = self.health().await;
            (found == Some(status)).then_some(())
        })
        .await;
    }

    async fn health(&self) -> Option<ServingStatus> {
        let mut client = HealthClient::new(self.channel());
        let answer = client.check(HealthCheckRequest::default()).await.ok()?;
        Some(answer.into_inner().status())
    }

    /// A connection of its own, made when it is used.
    pub(crate) fn channel(&self) -> Channel {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.address)).unwrap();
        endpoint.tcp_nodelay(true).connect_lazy()
    }

    pub(crate) fn connections(&self) -> Connections {
        Connections::new(self.channel())
    }

    pub(crate) fn blocks(&self) -> Blocks {
        Blocks::new(self.channel())
    }

    fn pid(&self) -> u32 {
        self.child.as_ref().and_then(Child::id).expect("it runs")
    }

    /// A line of the process's memory, in KiB: `VmRSS` now, `VmHWM` at most.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let found = status.lines().find_map(|found| found.strip_prefix(line));
        let number = found.and_then(|rest| rest.split_whitespace().nth(1));
        number.unwrap().parse().unwrap()
    }

    /// Tells it to end by SIGTERM.
    pub(crate) fn tell_to_end(&self) {
        let pid = self.pid().to_string();
        let told = std::process::Command::new("kill")
            .args(["-TERM", &pid])
            .status();
        assert!(told.unwrap().success());
    }

    /// Waits until it has ended well.
    pub(crate) async fn ends_within(&mut self, limit: Duration) {
        let mut child = self.child.take().expect("it runs");
        let ended = tokio::time::timeout(limit, child.wait()).await;
        let ended = ended.unwrap_or_else(|_| panic!("does not end within {limit:?}"));
        assert!(ended.unwrap().success());
    }
}
