//! The measured processes: started, asked what they have used, ended.
//!
//! Deliberately absent: what they serve. Linux alone has all that is asked here.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, anyhow, bail};
use nix::{
    sys::signal::{Signal, kill},
    time::{ClockId, clock_getcpuclockid},
    unistd::Pid,
};
use tokio::time::{Instant, sleep};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

/// How long a process may take to serve: a large store is looked through before.
const START_MAX: Duration = Duration::from_mins(1);
/// How long a process may take to end: it empties its log.
const END_MAX: Duration = Duration::from_mins(1);
/// How often it is asked for that.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Resident memory, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Memory {
    /// Now.
    pub(crate) resident: u64,
    /// The most there has been.
    pub(crate) peak: u64,
}

impl Memory {
    /// Of two processes together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            resident: self.resident + other.resident,
            peak: self.peak + other.peak,
        }
    }
}

/// A process that serves on a port of loopback. Killed when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: &'static str,
    child: Child,
    clock: ClockId,
    address: SocketAddr,
    log: PathBuf,
}

impl Process {
    /// Starts a program, whose log goes into `folder`. It must listen on `port`.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        port: u16,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}-{port}.log"));
        let file = File::create(&log).with_context(|| log.display().to_string())?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| {
                format!("cannot start {name} ({})", command.get_program().display())
            })?;
        let pid = i32::try_from(child.id()).context("a process id")?;
        Ok(Self {
            name,
            clock: clock_getcpuclockid(Pid::from_raw(pid))?,
            child,
            address: (Ipv4Addr::LOCALHOST, port).into(),
            log,
        })
    }

    /// Waits until the process says that it serves.
    pub(crate) async fn serves(&mut self) -> anyhow::Result<()> {
        let endpoint = tonic::transport::Endpoint::from_shared(self.url("http"))?;
        let health = HealthClient::new(endpoint.connect_lazy());
        self.until(async || {
            let answer = health.clone().check(HealthCheckRequest::default()).await;
            answer.is_ok_and(|answer| answer.get_ref().status() == ServingStatus::Serving)
        })
        .await
    }

    /// Waits until it takes connections, whatever it then speaks.
    pub(crate) async fn listens(&mut self) -> anyhow::Result<()> {
        let address = self.address;
        self.until(async || tokio::net::TcpStream::connect(address).await.is_ok())
            .await
    }

    /// Waits until it is ready; fails when it ends instead.
    async fn until(&mut self, ready: impl AsyncFn() -> bool) -> anyhow::Result<()> {
        let deadline = Instant::now() + START_MAX;
        while !ready().await {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.said());
            }
            if Instant::now() > deadline {
                bail!("{} is not ready: {}", self.name, self.said());
            }
            sleep(ASK_EVERY).await;
        }
        Ok(())
    }

    /// Tells the process to end and waits until it has.
    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        kill(self.pid()?, Signal::SIGTERM)?;
        let deadline = Instant::now() + END_MAX;
        loop {
            if let Some(status) = self.child.try_wait()? {
                if status.success() {
                    return Ok(());
                }
                bail!("{} ended with {status}: {}", self.name, self.said());
            }
            if Instant::now() > deadline {
                bail!("{} does not end: {}", self.name, self.said());
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Where it listens, for clients that speak `scheme`.
    pub(crate) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// The CPU time it has used so far, all threads, user and system.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let time = self
            .clock
            .now()
            .with_context(|| format!("{} is gone", self.name))?;
        Ok(time.into())
    }

    /// Its memory.
    pub(crate) fn memory(&self) -> anyhow::Result<Memory> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kibibytes =
                line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
            kibibytes
                .map(|kibibytes| kibibytes * 1_024)
                .ok_or_else(|| anyhow!("{} says no {name}", self.name))
        };
        Ok(Memory {
            resident: field("VmRSS:")?,
            peak: field("VmHWM:")?,
        })
    }

    fn pid(&self) -> anyhow::Result<Pid> {
        Ok(Pid::from_raw(i32::try_from(self.child.id())?))
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, or its end does not matter any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The CPU time this process has used so far.
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    Ok(ClockId::CLOCK_PROCESS_CPUTIME_ID.now()?.into())
}

/// The CPU time that everything on the machine has used since it was started, to 10 ms.
pub(crate) fn machine_cpu() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().context("/proc/stat is empty")?;
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    // user nice system idle iowait irq softirq steal; what follows is counted within the first two.
    let busy = |(nth, _): &(usize, &u64)| ![3, 4].contains(nth);
    let busy: u64 = ticks
        .iter()
        .take(8)
        .enumerate()
        .filter(busy)
        .map(|(_, ticks)| ticks)
        .sum();
    Ok(Duration::from_millis(busy * 10))
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
