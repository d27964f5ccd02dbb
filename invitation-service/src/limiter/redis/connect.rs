//! Connecting to Redis: to one server, to the master that sentinels name, or to a cluster.
//!
//! Each connection is made from nothing: sentinels are asked anew, the password is read anew. Deliberately absent: when to connect, and
//! how long to wait for it (`gateway.rs`).

use std::{
    io,
    path::{Path, PathBuf},
};

use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, FromRedisValue,
    IntoConnectionInfo as _, RedisConnectionInfo, RedisError, RedisResult, TlsCertificates,
    TlsMode,
    aio::MultiplexedConnection,
    cluster::ClusterClientBuilder,
    cluster_async::ClusterConnection,
    cmd,
    io::tcp::TcpSettings,
    sentinel::{SentinelClientBuilder, SentinelServerType},
};

use super::{
    options::RedisOptions,
    url::{Node, RedisPlace, RedisUrl},
};

/// How many calls may wait to be written to a connection before further ones wait for them.
const WAITING_CALLS_MAX: usize = 1_024;
/// How often a call to a cluster follows a slot that has moved, within its time.
const REDIRECTS_MAX: u32 = 3;
/// Written when a connection is new: whether Redis lets scripts write says more than whether it answers.
const PROBE_KEY: &str = "acq:{probe}";
const PROBE: &str = "return redis.call('SET', KEYS[1], '', 'PX', 1000)";

/// Why Redis cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
#[error("{path}, which Redis needs, cannot be used: {why}")]
pub struct RedisSetupError {
    path: PathBuf,
    why: String,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error("the file with the password cannot be read")]
    Password(#[source] io::Error),
}

/// A connection. Clones share it.
#[derive(Clone)]
pub(super) enum Link {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Link {
    pub(super) async fn query<T: FromRedisValue>(&mut self, command: &Cmd) -> RedisResult<T> {
        match self {
            Self::Server(connection) => command.query_async(connection).await,
            Self::Cluster(connection) => command.query_async(connection).await,
        }
    }

    /// Whether this error means that the connection is of no more use. A cluster's looks after its own.
    pub(super) fn is_lost(&self, error: &RedisError) -> bool {
        matches!(self, Self::Server(_)) && error.is_unrecoverable_error()
    }
}

/// Makes connections.
pub(super) struct Connector {
    url: RedisUrl,
    password_file: Option<PathBuf>,
    certificates: Option<TlsCertificates>,
    options: RedisOptions,
}

impl Connector {
    /// For the Redis at `url`. Fails when a file that is configured cannot be read.
    pub(super) fn new(url: RedisUrl, options: RedisOptions) -> Result<Self, RedisSetupError> {
        let failed = |path: &Path, error: &dyn ToString| RedisSetupError {
            path: path.to_owned(),
            why: error.to_string(),
        };
        if let Some(path) = &options.password_file {
            read_password(path).map_err(|error| failed(path, &error))?;
        }
        let certificates = match &options.ca_file {
            None => None,
            Some(path) => {
                let pem = std::fs::read(path).map_err(|error| failed(path, &error))?;
                Some(TlsCertificates {
                    client_tls: None,
                    root_cert: Some(pem),
                })
            }
        };
        if url.tls {
            // Whoever was first has the same.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        Ok(Self {
            url,
            password_file: options.password_file.clone(),
            certificates,
            options,
        })
    }

    /// A connection on which a script has written something.
    pub(super) async fn connect(&self) -> Result<Link, ConnectError> {
        let login = self.login().await?;
        let mut link = match &self.url.place {
            RedisPlace::Server(node) => self.server(self.address(node), &login).await?,
            RedisPlace::Socket(path) => {
                self.server(ConnectionAddr::Unix(path.clone()), &login)
                    .await?
            }
            RedisPlace::Sentinels(nodes, master) => self.master(nodes, master, &login).await?,
            RedisPlace::Cluster(nodes) => self.cluster(nodes, &login).await?,
        };
        let mut probe = cmd("EVAL");
        probe.arg(PROBE).arg(1).arg(PROBE_KEY);
        link.query::<()>(&probe).await?;
        Ok(link)
    }

    async fn login(&self) -> Result<RedisConnectionInfo, ConnectError> {
        let password = match &self.password_file {
            None => self.url.password.clone(),
            Some(path) => {
                let path = path.clone();
                let read = tokio::task::spawn_blocking(move || read_password(&path)).await;
                let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
                Some(read.map_err(ConnectError::Password)?)
            }
        };
        let mut login = RedisConnectionInfo::default().set_db(self.url.database);
        if let Some(user) = &self.url.user {
            login = login.set_username(user);
        }
        if let Some(password) = password {
            login = login.set_password(password);
        }
        Ok(login)
    }

    fn address(&self, node: &Node) -> ConnectionAddr {
        let Node { host, port } = node.clone();
        if self.url.tls {
            ConnectionAddr::TcpTls {
                host,
                port,
                insecure: false,
                tls_params: None,
            }
        } else {
            ConnectionAddr::Tcp(host, port)
        }
    }

    /// Where and as whom to connect, each packet sent at once.
    fn info(address: ConnectionAddr, login: &RedisConnectionInfo) -> RedisResult<ConnectionInfo> {
        let info = address.into_connection_info()?;
        Ok(info
            .set_redis_settings(login.clone())
            .set_tcp_settings(tcp()))
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.options.connect_timeout))
            // Each call has a time limit of its own.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(WAITING_CALLS_MAX)
    }

    async fn server(
        &self,
        address: ConnectionAddr,
        login: &RedisConnectionInfo,
    ) -> RedisResult<Link> {
        let info = Self::info(address, login)?;
        let client = match &self.certificates {
            Some(certificates) => Client::build_with_tls(info, certificates.clone())?,
            None => Client::open(info)?,
        };
        let config = self.config();
        let connected = client.get_multiplexed_async_connection_with_config(&config);
        connected.await.map(Link::Server)
    }

    async fn master(
        &self,
        sentinels: &[Node],
        master: &str,
        login: &RedisConnectionInfo,
    ) -> RedisResult<Link> {
        let sentinels = sentinels.iter().map(|node| self.address(node));
        let mut builder =
            SentinelClientBuilder::new(sentinels, master, SentinelServerType::Master)?
                .set_client_to_redis_db(login.db())
                .set_client_to_redis_tcp_settings(tcp());
        if let Some(user) = login.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if self.url.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        if let Some(certificates) = &self.certificates {
            builder = builder
                .set_client_to_redis_certificates(certificates.clone())
                .set_client_to_sentinel_certificates(certificates.clone());
        }
        let mut client = builder.build()?;
        let connected = client
            .get_async_connection_with_config(&self.config())
            .await;
        connected.map(Link::Server)
    }

    async fn cluster(&self, nodes: &[Node], login: &RedisConnectionInfo) -> RedisResult<Link> {
        let nodes = nodes
            .iter()
            .map(|node| Self::info(self.address(node), login));
        let nodes = nodes.collect::<RedisResult<Vec<_>>>()?;
        let limit = self.options.connect_timeout;
        let mut builder = ClusterClientBuilder::new(nodes)
            .connection_timeout(limit)
            .response_timeout(limit)
            .retries(REDIRECTS_MAX)
            .tcp_settings(tcp());
        if let Some(certificates) = &self.certificates {
            builder = builder.certs(certificates.clone());
        }
        let connected = builder.build()?.get_async_connection().await;
        connected.map(Link::Cluster)
    }
}

fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn read_password(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    Ok(password.to_owned())
}
