//! The methods that are served, and the figures of each.
//!
//! Deliberately absent: a series for each unknown path. Whoever asks for what is not served is counted once, as `other`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use prost::Message as _;
use prost_types::FileDescriptorSet;
use tonic::Code;

use crate::server::Api;

/// A descriptor set of the program cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a descriptor set of the program cannot be read")]
pub struct MalformedDescriptors(#[from] prost::DecodeError);

/// Bounds of the buckets of requests' times, in seconds: from a quarter of a millisecond to the longest deadline.
const DURATION_BUCKETS: [f64; 16] = [
    0.000_25, 0.000_5, 0.001, 0.002, 0.003, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
    5.0, 60.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MethodLabels {
    grpc_service: &'static str,
    grpc_method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndLabels {
    grpc_service: &'static str,
    grpc_method: &'static str,
    code: &'static str,
    reason: Cow<'static, str>,
}

type Durations = Family<MethodLabels, Histogram, fn() -> Histogram>;

/// The methods that are served.
#[derive(Debug)]
pub(super) struct Methods {
    by_path: HashMap<&'static str, Arc<Method>>,
    other: Arc<Method>,
    figures: Figures,
}

/// The figures of all methods.
#[derive(Clone, Debug)]
struct Figures {
    ends: Family<EndLabels, Counter>,
    durations: Durations,
    in_flight: Family<MethodLabels, Gauge>,
    messages: Family<MethodLabels, Counter>,
}

/// A method, its figures at hand.
#[derive(Debug)]
pub(super) struct Method {
    pub(super) path: &'static str,
    /// Whether it answers with a stream.
    pub(super) streaming: bool,
    pub(super) in_flight: Gauge,
    pub(super) messages: Counter,
    labels: MethodLabels,
    succeeded: Counter,
    duration: Histogram,
    figures: Figures,
}

impl Methods {
    pub(super) fn of(api: &Api) -> Result<Self, MalformedDescriptors> {
        let figures = Figures {
            ends: Family::default(),
            durations: Durations::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            in_flight: Family::default(),
            messages: Family::default(),
        };
        let mut by_path = HashMap::new();
        for encoded in api.all_descriptor_sets() {
            for file in FileDescriptorSet::decode(encoded)?.file {
                let package = file.package().to_owned();
                for service in &file.service {
                    let name = format!("{package}.{}", service.name());
                    let Some(name) = api.all_services().find(|known| *known == name) else {
                        continue;
                    };
                    for method in &service.method {
                        // Once for each method of the program, for as long as it runs.
                        let path: &'static str = format!("{name}/{}", method.name()).leak();
                        let labels = MethodLabels {
                            grpc_service: name,
                            grpc_method: path.rsplit('/').next().unwrap_or(path),
                        };
                        let made = Method::new(path, method.server_streaming(), labels, &figures);
                        by_path.insert(path, Arc::new(made));
                    }
                }
            }
        }
        let nobody = MethodLabels {
            grpc_service: "other",
            grpc_method: "other",
        };
        let other = Arc::new(Method::new("other", false, nobody, &figures));
        Ok(Self {
            by_path,
            other,
            figures,
        })
    }

    /// The method of a request's path, `/SERVICE/METHOD`.
    pub(super) fn get(&self, path: &str) -> Arc<Method> {
        let known = path
            .strip_prefix('/')
            .and_then(|path| self.by_path.get(path));
        known.unwrap_or(&self.other).clone()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let Figures {
            ends,
            durations,
            in_flight,
            messages,
        } = self.figures.clone();
        registry.register(
            "requests",
            "Requests that have ended, by code and reason",
            ends,
        );
        registry.register(
            "request_duration_seconds",
            "How long requests took until they were answered; streams are not counted",
            durations,
        );
        registry.register(
            "requests_in_flight",
            "Requests and streams under way",
            in_flight,
        );
        registry.register(
            "stream_messages",
            "Messages sent on streams, with heartbeats",
            messages,
        );
    }
}

impl Method {
    fn new(path: &'static str, streaming: bool, labels: MethodLabels, figures: &Figures) -> Self {
        let of_success = end_labels(&labels, Code::Ok, "".into());
        Self {
            path,
            streaming,
            in_flight: figures.in_flight.get_or_create_owned(&labels),
            messages: if streaming {
                figures.messages.get_or_create_owned(&labels)
            } else {
                Counter::default()
            },
            succeeded: figures.ends.get_or_create_owned(&of_success),
            duration: if streaming {
                Histogram::new([])
            } else {
                figures.durations.get_or_create_owned(&labels)
            },
            labels,
            figures: figures.clone(),
        }
    }

    /// Counts a request that has ended.
    pub(super) fn ended(&self, code: Code, reason: Cow<'static, str>, took: Duration) {
        if code == Code::Ok {
            self.succeeded.inc();
        } else {
            let labels = end_labels(&self.labels, code, reason);
            self.figures.ends.get_or_create(&labels).inc();
        }
        self.duration.observe(took.as_secs_f64());
    }
}

fn end_labels(method: &MethodLabels, code: Code, reason: Cow<'static, str>) -> EndLabels {
    EndLabels {
        grpc_service: method.grpc_service,
        grpc_method: method.grpc_method,
        code: code_name(code),
        reason,
    }
}

/// The name of a code, as the contract has it.
pub(super) fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}
