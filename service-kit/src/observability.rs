//! What a process shows of itself, put together: figures, requests, traces.
//!
//! Made once, in a service's `run`, which hands in the figures of its parts. Deliberately absent: the log, which there is before anything
//! else (see [`crate::telemetry`]).

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::{ADDRESS, Findings, HTTP_URL, Key};
use crate::metrics::work::WorkMetrics;
use crate::metrics::{self, Metrics};
use crate::requests::{MalformedDescriptors, Requests};
use crate::server::{Api, ConnectionMetrics};
use crate::trace::{ExportError, TraceIds, TraceOptions, Tracer};

/// Where figures and traces go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ObservabilityOptions {
    /// The address at which figures are scraped; `None` shows none.
    pub metrics_listen: Option<SocketAddr>,
    /// Where traces go.
    pub traces: TraceOptions,
}

impl ObservabilityOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::optional(
                "metrics.listen",
                ADDRESS,
                |o: &mut Self| &mut o.metrics_listen,
                "the address at which figures are scraped; none are shown without it",
            ),
            Key::optional(
                "traces.otlp_endpoint",
                HTTP_URL,
                |o: &mut Self| &mut o.traces.otlp_endpoint,
                "the collector's gRPC endpoint, to which traces are exported; none are without it",
            ),
            Key::count(
                "traces.sample_one_in",
                "traces",
                0..=1_000_000,
                |o: &mut Self| &mut o.traces.sample_one_in,
                "one of so many traces that begin here is exported; 1 exports all, 0 none",
            ),
        ]
    }

    /// What does not fit together, or should be known, where the service itself is at `listen`.
    pub fn check(&self, listen: SocketAddr, findings: &mut Findings) {
        let Some(metrics) = self.metrics_listen else {
            return;
        };
        if metrics == listen && listen.port() != 0 {
            findings.wrong(
                &["metrics.listen", "listen"],
                "must be another address than listen, where callers are served",
            );
        }
        if !metrics.ip().to_canonical().is_loopback() {
            findings.risky(
                &["metrics.listen"],
                "whoever reaches this address can read how much the network is used; nobody is asked for credentials there",
            );
        }
    }
}

/// Why a process cannot show itself as it is asked to.
#[derive(Debug, thiserror::Error)]
pub enum ObservabilityError {
    /// The address for metrics cannot be listened on.
    #[error("cannot listen on {address} for metrics")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The endpoint for traces is none.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// The program's own descriptors are broken.
    #[error(transparent)]
    Descriptors(#[from] MalformedDescriptors),
}

/// What a process shows of itself.
#[derive(Debug)]
pub struct Observability {
    /// Where parts hand in their figures.
    pub metrics: Metrics,
    /// Where workers count their work.
    pub work: WorkMetrics,
    /// What sees the requests.
    pub requests: Requests,
    /// Where connections are counted.
    pub connections: ConnectionMetrics,
    /// What begins spans.
    pub tracer: Tracer,
    listener: Option<TcpListener>,
}

impl Observability {
    /// For the service `component`, which serves `api`. Listens already, so that a taken port is told at once.
    pub async fn start(
        component: &'static str,
        version: &'static str,
        api: Api,
        options: &ObservabilityOptions,
    ) -> Result<Self, ObservabilityError> {
        let tracer = Tracer::new(component, &options.traces)?;
        let mut shown = Self::with(component, version, api, tracer)?;
        shown.listener = match options.metrics_listen {
            None => None,
            Some(address) => {
                let listened = metrics::listen(address).await;
                Some(listened.map_err(|source| ObservabilityError::Listen { address, source })?)
            }
        };
        Ok(shown)
    }

    /// For a process that shows nothing, as in simulation: the ids of its traces follow from its requests alone.
    pub fn hidden(
        component: &'static str,
        version: &'static str,
        api: Api,
    ) -> Result<Self, ObservabilityError> {
        let tracer = Tracer::without_export(TraceIds::new(0));
        Self::with(component, version, api, tracer)
    }

    fn with(
        component: &'static str,
        version: &'static str,
        api: Api,
        tracer: Tracer,
    ) -> Result<Self, ObservabilityError> {
        let requests = Requests::new(&api, tracer.clone())?;
        let work = WorkMetrics::default();
        let connections = ConnectionMetrics::default();
        let mut metrics = Metrics::new(component, version);
        requests.register(metrics.registry());
        work.register(metrics.registry());
        connections.register(metrics.registry());
        Ok(Self {
            metrics,
            work,
            requests,
            connections,
            tracer,
            listener: None,
        })
    }

    /// Answers scrapes until `stop` is cancelled, then exports the last traces, for at most 2 s. To be called when every part has handed
    /// in its figures.
    pub async fn run(self, stop: CancellationToken) {
        match self.listener {
            Some(listener) => metrics::serve(listener, self.metrics, stop).await,
            None => stop.cancelled().await,
        }
        self.tracer.shutdown().await;
    }
}
