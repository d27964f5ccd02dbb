//! What is scraped: the figures of one process, in the text format that Prometheus reads.
//!
//! Whoever keeps a figure makes it and hands it in; there is no global registry. What is only known when asked (how long a queue is, what
//! is overdue) is asked for at each scrape. Deliberately absent: names and ids of members as labels, and anything whose labels are not a
//! closed list.

mod listener;
mod process;
pub mod store;
pub mod work;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use futures::future::{BoxFuture, join_all};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

pub use listener::{listen, serve};

/// Before every name but those of the process itself.
const PREFIX: &str = "acquaint";

/// How long a scrape waits for what is asked for; what does not come by then keeps the value that it had.
const REFRESH_MAX: Duration = Duration::from_secs(2);

type Refresh = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// The figures of a process.
pub struct Metrics {
    own: Registry,
    process: Registry,
    refreshes: Vec<Refresh>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// The figures of `component`, which every one of them is labelled with. Has those of the process already.
    pub fn new(component: &'static str, version: &'static str) -> Self {
        let label = || std::iter::once((Cow::from("component"), Cow::from(component)));
        let mut own = Registry::with_prefix_and_labels(PREFIX, label());
        let build = Info::new(vec![("version", version)]);
        own.register("build", "What runs", build);
        let mut process = Registry::with_labels(label());
        process.register_collector(Box::new(process::Process));
        Self {
            own,
            process,
            refreshes: Vec::new(),
        }
    }

    /// Where figures are handed in.
    pub fn registry(&mut self) -> &mut Registry {
        &mut self.own
    }

    /// Asks `refresh` at each scrape to bring figures up to date.
    pub fn on_scrape<F>(&mut self, refresh: impl Fn() -> F + Send + Sync + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.refreshes.push(Box::new(move || Box::pin(refresh())));
    }

    /// All figures as they are now.
    pub async fn scrape(&self) -> Result<String, fmt::Error> {
        let all = join_all(self.refreshes.iter().map(|refresh| refresh()));
        if tokio::time::timeout(REFRESH_MAX, all).await.is_err() {
            tracing::warn!(
                "some metrics are older than this scrape: asking for them took too long"
            );
        }
        let mut page = String::new();
        text::encode_registry(&mut page, &self.own)?;
        text::encode_registry(&mut page, &self.process)?;
        text::encode_eof(&mut page)?;
        Ok(page)
    }
}

/// Registers a gauge whose value `read` says at each scrape; none is shown while it says `None`.
pub fn register_read<F>(registry: &mut Registry, name: &'static str, help: &'static str, read: F)
where
    F: Fn() -> Option<f64> + Send + Sync + 'static,
{
    registry.register_collector(Box::new(ReadGauge { name, help, read }));
}

struct ReadGauge<F> {
    name: &'static str,
    help: &'static str,
    read: F,
}

impl<F> fmt::Debug for ReadGauge<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadGauge")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl<F: Fn() -> Option<f64> + Send + Sync + 'static> Collector for ReadGauge<F> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(value) = (self.read)() else {
            return Ok(());
        };
        let metric = encoder.encode_descriptor(self.name, self.help, None, MetricType::Gauge)?;
        ConstGauge::new(value).encode(metric)
    }
}
