//! Both services as processes of their own, which can be killed and started again on their files.
//!
//! Deliberately absent: what they are asked, and when they die.

use std::{
    net::SocketAddr,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use tempfile::TempDir;
use tokio::{
    net::TcpSocket,
    process::{Child, Command},
};
use tonic::transport::Channel;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    Blocks, Connections, Invitations, Members,
    pair::{channel, channel_over, folder, socket},
    wait::PATIENCE,
};

/// How long a process may take to end when it is told to; longer than it drains.
const END_MAX: Duration = Duration::from_secs(15);
/// How long between two looks at something that is about to change.
const PAUSE: Duration = Duration::from_millis(5);

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// invitation-service.
    Invitation,
    /// connection-service.
    Connection,
}

impl Which {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Invitation, Self::Connection];

    /// The name of its store and its log.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invitation => "invitations",
            Self::Connection => "connections",
        }
    }
}

/// The programs to run.
#[derive(Debug, Clone, Copy)]
pub struct Programs {
    /// invitation-service.
    pub invitation: &'static str,
    /// connection-service.
    pub connection: &'static str,
}

/// The clients of both services. They come back by themselves.
#[derive(Clone)]
pub struct Clients {
    /// Client of `InvitationService`.
    pub invitations: Invitations,
    /// Client of `ConnectionService`.
    pub connections: Connections,
    /// Client of `BlockService`.
    pub blocks: Blocks,
    /// Client of `MemberService`.
    pub members: Members,
}

/// A process of a service.
pub struct Service {
    which: Which,
    /// The name of its log, and of its store.
    name: String,
    program: PathBuf,
    address: SocketAddr,
    /// Keeps the port while the process is gone.
    _port: TcpSocket,
    folder: PathBuf,
    settings: Vec<(String, String)>,
    child: Option<Child>,
    /// How often it was started.
    pub starts: usize,
}

/// Both services in a folder of their own.
pub struct Processes {
    folder: TempDir,
    /// invitation-service.
    pub invitation: Service,
    /// connection-service.
    pub connection: Service,
    /// Second processes of both, if any.
    seconds: Vec<Service>,
}

impl Processes {
    /// Neither has been started yet. `settings`: keys of the environment, for both.
    pub fn new(programs: Programs, settings: &[(&str, &str)]) -> Self {
        let folder = folder();
        let connection = Service::new(
            Which::Connection,
            programs.connection,
            folder.path(),
            settings,
        );
        let mut invitation = Service::new(
            Which::Invitation,
            programs.invitation,
            folder.path(),
            settings,
        );
        let url = format!("http://{}", connection.address);
        invitation.set("ACQUAINT_CONNECTION_URL", &url);
        // Everybody is judged, and nobody refused anything for it.
        invitation.set("ACQUAINT_STANDING_MODE", "shadow");
        Self {
            folder,
            invitation,
            connection,
            seconds: Vec::new(),
        }
    }

    /// Adds a second process of each, like the first and on the same database. To be called once, before any is started.
    pub fn double(&mut self) {
        let connection = self.connection.second();
        let url = format!("http://{},{}", self.connection.address, connection.address);
        self.invitation.set("ACQUAINT_CONNECTION_URL", &url);
        self.seconds = vec![self.invitation.second(), connection];
    }

    /// Every process there is.
    pub fn all(&self) -> impl Iterator<Item = &Service> {
        [&self.invitation, &self.connection]
            .into_iter()
            .chain(&self.seconds)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Service> {
        [&mut self.invitation, &mut self.connection]
            .into_iter()
            .chain(&mut self.seconds)
    }

    /// Where both have their files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Leaves the files where they are when all this ends; where that is.
    pub fn keep(&mut self) -> &Path {
        self.folder.disable_cleanup(true);
        self.folder.path()
    }

    /// One of the two.
    pub fn service(&mut self, which: Which) -> &mut Service {
        match which {
            Which::Invitation => &mut self.invitation,
            Which::Connection => &mut self.connection,
        }
    }

    /// Starts whichever is not running, and waits until all serve.
    pub async fn start(&mut self) {
        for service in self.all_mut() {
            if !service.is_running() {
                service.start(None);
            }
        }
        for service in self.all_mut() {
            service.serves().await;
        }
    }

    /// Clients on connections of their own, which use all processes of a service.
    pub fn clients(&self) -> Clients {
        let of = |which| {
            let all = self.all().filter(|service| service.which == which);
            let addresses: Vec<_> = all.map(|service| service.address).collect();
            match *addresses {
                [address] => channel(address),
                _ => channel_over(&addresses),
            }
        };
        let connections = of(Which::Connection);
        Clients {
            invitations: Invitations::new(of(Which::Invitation)),
            connections: Connections::new(connections.clone()),
            blocks: Blocks::new(connections.clone()),
            members: Members::new(connections),
        }
    }
}

impl Service {
    fn new(which: Which, program: &str, folder: &Path, settings: &[(&str, &str)]) -> Self {
        let port = socket("127.0.0.1:0".parse().unwrap());
        let address = port.local_addr().unwrap();
        let settings = settings.iter();
        let settings = settings.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let mut service = Self {
            which,
            name: which.name().to_owned(),
            program: program.into(),
            address,
            _port: port,
            folder: folder.to_owned(),
            settings: settings.collect(),
            child: None,
            starts: 0,
        };
        service.set("ACQUAINT_LISTEN", &address.to_string());
        let database = format!("sqlite:{}", service.store().display());
        service.set("ACQUAINT_DATABASE_URL", &database);
        service
    }

    /// Another process like it, which has not been started yet.
    fn second(&self) -> Self {
        let port = socket("127.0.0.1:0".parse().unwrap());
        let address = port.local_addr().unwrap();
        let mut second = Self {
            which: self.which,
            name: format!("{}-2", self.name),
            program: self.program.clone(),
            address,
            _port: port,
            folder: self.folder.clone(),
            settings: self.settings.clone(),
            child: None,
            starts: 0,
        };
        second.set("ACQUAINT_LISTEN", &address.to_string());
        second
    }

    /// Sets a key of its environment, from the next start on.
    pub fn set(&mut self, key: &str, value: &str) {
        self.settings.retain(|(known, _)| known != key);
        self.settings.push((key.to_owned(), value.to_owned()));
    }

    /// Keeps its store in a database, over so many lanes, from the next start on.
    pub fn keep_in(&mut self, url: &str, lanes: u16) {
        self.set("ACQUAINT_DATABASE_URL", url);
        self.set("ACQUAINT_POSTGRES_LANES", &lanes.to_string());
        // Streams hear soon of what an earlier process has written.
        self.set("ACQUAINT_POSTGRES_POLL_MILLIS", "5");
    }

    /// Which it is.
    pub fn which(&self) -> Which {
        self.which
    }

    /// The name of its log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A way to this very process.
    pub fn channel(&self) -> Channel {
        channel(self.address)
    }

    /// Where the program lies.
    pub fn program(&self) -> &str {
        self.program.to_str().unwrap()
    }

    /// The store's file, where it is kept in one.
    pub fn store(&self) -> PathBuf {
        self.folder.join(&self.name).with_extension("db")
    }

    /// Everything that it has logged since its first start.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(&self.name).with_extension("log")
    }

    /// The program with its environment, for whatever else it can be asked to do.
    pub fn command(&self) -> Command {
        self.command_of(&self.program)
    }

    /// Its environment, for a program that in the end runs it.
    pub fn command_of(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(self.settings.iter().cloned())
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts it, with a crash point where it is to die (`NAME:N`).
    pub fn start(&mut self, crash_at: Option<&str>) {
        let mut command = self.command();
        command.envs(crash_at.map(|point| ("ACQUAINT_CRASH_AT", point)));
        self.start_as(command);
    }

    /// Starts it by a command that runs it.
    pub fn start_as(&mut self, mut command: Command) {
        assert!(!self.is_running(), "{:?} runs already", self.which);
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(command.spawn().unwrap());
        self.starts += 1;
    }

    /// Whether the process is there.
    pub fn is_running(&mut self) -> bool {
        let ended = self.child.as_mut().map(|child| child.try_wait().unwrap());
        ended.is_some_and(|status| status.is_none())
    }

    fn pid(&self) -> Pid {
        let id = self.child.as_ref().and_then(Child::id);
        Pid::from_raw(i32::try_from(id.expect("it runs")).unwrap()).unwrap()
    }

    /// What it says of its own health; `None` when it says nothing.
    pub async fn health(&self) -> Option<ServingStatus> {
        let asked = HealthClient::new(channel(self.address))
            .check(HealthCheckRequest::default())
            .await;
        Some(asked.ok()?.into_inner().status())
    }

    /// Waits until it serves; fails when it does not.
    pub async fn serves(&mut self) {
        let serving = async {
            let mut pause = tokio::time::interval(PAUSE);
            while self.health().await != Some(ServingStatus::Serving) {
                assert!(self.is_running(), "{:?} ended: {}", self.which, self.log());
                pause.tick().await;
            }
        };
        let served = tokio::time::timeout(PATIENCE, serving).await;
        assert!(
            served.is_ok(),
            "{:?} does not serve: {}",
            self.which,
            self.log()
        );
    }

    /// Waits until it has ended by itself, if it does within so long.
    pub async fn ends_within(&mut self, limit: Duration) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        let ended = tokio::time::timeout(limit, child.wait()).await.ok()?;
        self.child = None;
        Some(ended.unwrap())
    }

    /// Kills it, as a machine that has no memory left does.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Tells it to end.
    pub fn tell_to_end(&self) {
        kill_process(self.pid(), Signal::TERM).unwrap();
    }

    /// Tells it to end, and waits until it has.
    pub async fn stop(&mut self) {
        self.tell_to_end();
        let ended = self.ends_within(END_MAX).await;
        let log = || self.log();
        assert!(
            ended.is_some_and(|status| status.success()),
            "{:?}: {ended:?}\n{}",
            self.which,
            log()
        );
    }

    /// Lets no file of the running process grow beyond so many bytes; `None` takes the bound away.
    pub fn bound_files(&self, bytes: Option<u64>) {
        let own = getrlimit(Resource::Fsize);
        let limit = Rlimit {
            current: bytes.or(own.current),
            ..own
        };
        prlimit(Some(self.pid()), Resource::Fsize, limit).unwrap();
    }

    /// How often the process has died at a crash point, by the log.
    pub fn crashes_at(&self, point: &str) -> usize {
        let line = format!("crash point {point}");
        self.log().lines().filter(|found| *found == line).count()
    }
}

/// Whether a process was ended by a crash point.
pub fn was_crash(status: ExitStatus) -> bool {
    status.signal() == Some(Signal::ABORT.as_raw())
}
