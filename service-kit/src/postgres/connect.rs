//! Making connections.
//!
//! A password in a file is read anew for each, so that it can be changed while the process runs. Deliberately absent: when to connect
//! again (`writer.rs`, `readers.rs`), and in which order hosts are asked (`hosts.rs`).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::client::Keeping;
use super::hosts::Hosts;
use super::{Client, Failure, PostgresOptions, PostgresUrl};

/// Why PostgreSQL cannot be used as it is configured.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file that is configured cannot be used.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Connections by TLS are impossible here.
    #[error("TLS: {0}")]
    Tls(String),
}

/// Makes connections to one database. Clones are the same.
#[derive(Clone)]
pub struct Connector {
    url: PostgresUrl,
    hosts: Hosts,
    password_file: Option<PathBuf>,
    tls: MakeRustlsConnect,
    within: Duration,
    keeping: Keeping,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connector({})", self.url)
    }
}

impl Connector {
    /// For the database at `url`. `component`: by which name the server's list of sessions shows them. Fails when a file that is
    /// configured cannot be used.
    pub fn new(
        url: PostgresUrl,
        options: &PostgresOptions,
        component: &str,
    ) -> Result<Self, SetupError> {
        let mut config = url.config().clone();
        config.application_name(component);
        // For each address of a host's name: one that does not answer leaves time for another.
        config.connect_timeout(options.connect_timeout / 2);
        config.keepalives_idle(KEEPALIVE_IDLE);
        config.keepalives_interval(KEEPALIVE_INTERVAL);
        config.keepalives_retries(KEEPALIVE_RETRIES);
        config.tcp_user_timeout(options.statement_timeout);
        if let Some(path) = &options.password_file {
            read_password(path).map_err(|error| SetupError::File {
                path: path.clone(),
                why: error.to_string(),
            })?;
        }
        let roots = roots(options.ca_file.as_deref(), url.is_tls())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| SetupError::Tls(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            url,
            hosts: Hosts::of(&config),
            password_file: options.password_file.clone(),
            tls: MakeRustlsConnect::new(tls),
            within: options.connect_timeout,
            keeping: Keeping::default(),
        })
    }

    /// Where the database is.
    pub fn url(&self) -> &PostgresUrl {
        &self.url
    }

    /// A new connection, and the task that drives it, which ends with it. [`Failure::Away`] when there is none within the time for it, or
    /// only one that may not write.
    pub async fn connect(&self) -> Result<(Client, JoinHandle<()>), Failure> {
        let deadline = Instant::now() + self.within;
        let mut password = None;
        if let Some(path) = &self.password_file {
            let path = path.clone();
            let read = tokio::task::spawn_blocking(move || read_password(&path)).await;
            let read = read.unwrap_or_else(|error| Err(io::Error::other(error)));
            let read =
                read.map_err(|error| Failure::Away(format!("its password: {error}").into()))?;
            password = Some(read);
        }
        let connected = self.hosts.first(|mut config| {
            if let Some(password) = &password {
                config.password(password);
            }
            let tls = self.tls.clone();
            async move { config.connect(tls).await }
        });
        let connected = timeout_at(deadline, connected).await;
        let connected = connected.map_err(|_| Failure::Away("connecting took too long".into()))?;
        let connected = connected.ok_or_else(|| Failure::internal("a URL without a host"))?;
        let (client, connection) = connected.map_err(|error| match Failure::from(error) {
            Failure::Store(why) => Failure::Away(why.to_string().into()),
            other => other,
        })?;
        let driving = tokio::spawn(async move {
            // Whoever asks something of the connection is told the same.
            if let Err(error) = connection.await {
                tracing::debug!("a connection to PostgreSQL ended: {}", Failure::from(error));
            }
        });
        let marked = timeout_at(deadline, Client::new(client, self.keeping.clone())).await;
        let client =
            marked.map_err(|_| Failure::Away("a new connection does not answer".into()))?;
        Ok((client?, driving))
    }
}

const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(2);
const KEEPALIVE_RETRIES: u32 = 3;

fn roots(ca_file: Option<&Path>, needed: bool) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca_file {
        let failed = |why: String| SetupError::File {
            path: path.to_owned(),
            why,
        };
        let pem = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let certificate = certificate.map_err(|error| failed(error.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|error| failed(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(failed("there is no certificate in it".into()));
        }
    } else if needed {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(SetupError::Tls(
                "this system trusts nobody, and no ca_file is given".into(),
            ));
        }
    }
    Ok(roots)
}

fn read_password(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    Ok(password.to_owned())
}
