//! Spans: what a piece of work was called and how long it took, exported by OTLP when an endpoint is configured.
//!
//! A [`Tracer`] without an endpoint still gives every piece of work its trace id, which log lines and calls carry; it costs a few dozen
//! nanoseconds. What is exported is a name and attributes from closed lists. Spans that cannot be delivered are dropped, never waited for.
//! Deliberately absent: OTLP metrics and logs, and TLS to the collector: it stands on the same machine or behind one's own tunnel.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{
    Link, Span as _, SpanContext, SpanId, Status, TraceContextExt as _, TraceFlags, TraceId,
    TraceState, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracer, SdkTracerProvider,
};

use super::{TraceContext, TraceIds};

/// How many finished spans wait to be exported; further ones are dropped.
const WAITING_SPANS_MAX: usize = 8_192;
/// How long finished spans are gathered before they are exported together.
const GATHERING: Duration = Duration::from_secs(2);
/// How long one export may take.
const EXPORT_MAX: Duration = Duration::from_secs(5);
/// How long the last export may hold the end of the process.
const LAST_EXPORT_MAX: Duration = Duration::from_secs(2);
/// How many links one span has at most.
const LINKS_MAX: usize = 64;

/// Where traces go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceOptions {
    /// The collector's gRPC endpoint, such as `http://127.0.0.1:4317`; `None` exports nothing.
    pub otlp_endpoint: Option<String>,
    /// One of so many traces that begin here is exported; 1 exports all, 0 none. A trace that began elsewhere is exported when its
    /// beginner says so.
    pub sample_one_in: u32,
}

impl Default for TraceOptions {
    fn default() -> Self {
        Self {
            otlp_endpoint: None,
            sample_one_in: 1,
        }
    }
}

/// Why traces cannot be exported.
#[derive(Debug, thiserror::Error)]
#[error("traces cannot be exported to {endpoint}")]
pub struct ExportError {
    endpoint: String,
    source: opentelemetry_otlp::ExporterBuildError,
}

/// What a span stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpanKind {
    /// A request that was answered.
    Server,
    /// A call that was made.
    Client,
    /// Work that nobody waits for.
    Internal,
}

/// Begins spans. Clones are the same.
#[derive(Clone, Debug)]
pub struct Tracer {
    ids: TraceIds,
    export: Option<Arc<Export>>,
}

#[derive(Debug)]
struct Export {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
}

impl Tracer {
    /// A tracer that gives ids and exports nothing.
    pub fn without_export(ids: TraceIds) -> Self {
        Self { ids, export: None }
    }

    /// A tracer that exports as `service` when `options` name an endpoint. Must be called within a tokio runtime. Does not connect yet;
    /// fails when the endpoint is no URL.
    pub fn new(service: &'static str, options: &TraceOptions) -> Result<Self, ExportError> {
        let mut tracer = Self::without_export(TraceIds::from_os());
        let Some(endpoint) = &options.otlp_endpoint else {
            return Ok(tracer);
        };
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_endpoint(endpoint)
            .with_timeout(EXPORT_MAX)
            .build()
            .map_err(|source| ExportError {
                endpoint: endpoint.clone(),
                source,
            })?;
        let gathering = BatchConfigBuilder::default()
            .with_max_queue_size(WAITING_SPANS_MAX)
            .with_scheduled_delay(GATHERING)
            .build();
        let processor = BatchSpanProcessor::builder(exporter)
            .with_batch_config(gathering)
            .build();
        let begun_here = match options.sample_one_in {
            0 => Sampler::AlwaysOff,
            1 => Sampler::AlwaysOn,
            one_in => Sampler::TraceIdRatioBased(1.0 / f64::from(one_in)),
        };
        let provider = SdkTracerProvider::builder()
            .with_span_processor(processor)
            .with_sampler(Sampler::ParentBased(Box::new(begun_here)))
            .with_resource(Resource::builder_empty().with_service_name(service).build())
            .build();
        let tracer_of = provider.tracer("acquaint");
        tracer.export = Some(Arc::new(Export {
            tracer: tracer_of,
            provider,
        }));
        Ok(tracer)
    }

    /// Begins a span called `name` (from a closed list) as a part of the trace of `parent`, or of a trace that begins here.
    pub fn begin(&self, name: &'static str, kind: SpanKind, parent: Option<TraceContext>) -> Span {
        self.begin_linked(name, kind, parent, &[])
    }

    /// Like [`Tracer::begin`], for work that is done for several traces at once: `links` are theirs.
    pub fn begin_linked(
        &self,
        name: &'static str,
        kind: SpanKind,
        parent: Option<TraceContext>,
        links: &[TraceContext],
    ) -> Span {
        let Some(export) = &self.export else {
            // Who called stays the one who comes before what is called from here.
            return Span {
                context: parent.unwrap_or_else(|| self.ids.next()),
                exported: None,
            };
        };
        let links = links.iter().filter(|link| link.sampled).take(LINKS_MAX);
        let builder = export
            .tracer
            .span_builder(name)
            .with_kind(kind.into())
            .with_links(
                links
                    .map(|link| Link::with_context(remote(*link)))
                    .collect(),
            );
        let around = match parent {
            Some(parent) => Context::new().with_remote_span_context(remote(parent)),
            None => Context::new(),
        };
        let span = export.tracer.build_with_context(builder, &around);
        let of = span.span_context();
        let context = TraceContext::new(
            of.trace_id().to_bytes(),
            of.span_id().to_bytes(),
            of.is_sampled(),
        );
        Span {
            context: context.unwrap_or_else(|| self.ids.next()),
            exported: span.is_recording().then_some(span),
        }
    }

    /// Exports what waits, for at most 2 s; nothing is exported afterwards.
    pub async fn shutdown(self) {
        let Some(export) = self.export else { return };
        // Waits on a thread of its own: exporting needs this runtime.
        let last = move || export.provider.shutdown_with_timeout(LAST_EXPORT_MAX);
        match tokio::task::spawn_blocking(last).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("the last traces were not exported: {error}"),
            Err(error) => tracing::error!("exporting the last traces failed: {error}"),
        }
    }
}

/// A piece of work; ends when dropped.
#[derive(Debug)]
pub struct Span {
    context: TraceContext,
    exported: Option<opentelemetry_sdk::trace::Span>,
}

impl Span {
    /// The trace and this span in it: what is done within is done after this.
    pub fn context(&self) -> TraceContext {
        self.context
    }

    /// Notes an attribute, whose values are of a closed list.
    pub fn set(&mut self, key: &'static str, value: impl Into<Cow<'static, str>>) {
        if let Some(span) = &mut self.exported {
            span.set_attribute(KeyValue::new(key, value.into()));
        }
    }

    /// Notes that the work failed.
    pub fn fail(&mut self) {
        if let Some(span) = &mut self.exported {
            span.set_status(Status::error(""));
        }
    }
}

impl From<SpanKind> for opentelemetry::trace::SpanKind {
    fn from(kind: SpanKind) -> Self {
        match kind {
            SpanKind::Server => Self::Server,
            SpanKind::Client => Self::Client,
            SpanKind::Internal => Self::Internal,
        }
    }
}

fn remote(context: TraceContext) -> SpanContext {
    let flags = if context.sampled {
        TraceFlags::SAMPLED
    } else {
        TraceFlags::default()
    };
    SpanContext::new(
        TraceId::from_bytes(context.trace_id),
        SpanId::from_bytes(context.span_id),
        flags,
        true,
        TraceState::NONE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_export_a_trace_is_begun_or_continued() {
        let tracer = Tracer::without_export(TraceIds::new(1));
        let begun = tracer.begin("x", SpanKind::Server, None);
        assert!(!begun.context().sampled());
        let within = tracer.begin("y", SpanKind::Client, Some(begun.context()));
        assert_eq!(within.context(), begun.context());
        let other = tracer.begin("x", SpanKind::Server, None);
        assert_ne!(other.context(), begun.context());
    }

    fn exporting(sample_one_in: u32) -> Tracer {
        let options = TraceOptions {
            // Nobody listens there; what matters here is decided before.
            otlp_endpoint: Some("http://127.0.0.1:9".to_owned()),
            sample_one_in,
        };
        Tracer::new("test", &options).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_trace_keeps_its_id_and_its_beginners_wish() {
        let tracer = exporting(1);
        let begun = tracer.begin("x", SpanKind::Server, None);
        assert!(begun.context().sampled() && begun.exported.is_some());
        let within = tracer.begin("y", SpanKind::Client, Some(begun.context()));
        assert_eq!(within.context().trace_id, begun.context().trace_id);
        assert_ne!(within.context().span_id, begun.context().span_id);
        let unwanted = TraceIds::new(1).next();
        let silent = tracer.begin("x", SpanKind::Server, Some(unwanted));
        assert_eq!(silent.context().trace_id, unwanted.trace_id);
        assert!(!silent.context().sampled() && silent.exported.is_none());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_part_of_the_traces_is_exported() {
        let exported = |one_in| {
            let tracer = exporting(one_in);
            let begun = (0..1_000).map(|_| tracer.begin("x", SpanKind::Server, None));
            begun.filter(|span| span.context().sampled()).count()
        };
        assert_eq!(exported(0), 0);
        assert_eq!(exported(1), 1_000);
        let part = exported(10);
        assert!((30..300).contains(&part), "{part}");
    }

    #[tokio::test]
    async fn an_endpoint_that_is_no_url_is_refused() {
        let options = TraceOptions {
            otlp_endpoint: Some("not a url".to_owned()),
            sample_one_in: 1,
        };
        let refused = Tracer::new("test", &options).unwrap_err();
        assert!(refused.to_string().contains("not a url"));
    }
}
