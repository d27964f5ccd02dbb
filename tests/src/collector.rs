//! A collector of traces: takes what is exported by OTLP and keeps it to be looked at.

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// A span that was exported.
#[derive(Clone, Debug)]
pub struct Exported {
    /// The service that exported it.
    pub service: String,
    /// What it is called.
    pub name: String,
    /// Its trace, in hexadecimal.
    pub trace_id: String,
    /// Itself, in hexadecimal.
    pub span_id: String,
    /// The span before it; empty for the first of a trace.
    pub parent_id: String,
    /// What it notes.
    pub attributes: Vec<(String, String)>,
}

/// Takes spans for as long as it is held.
pub struct Collector {
    /// Where it listens: `http://HOST:PORT`.
    pub endpoint: String,
    taken: Taken,
    serving: tokio::task::JoinHandle<()>,
}

#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

impl Collector {
    /// Listens on an address of loopback of its own.
    pub async fn start() -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let taken = Taken::default();
        let service = TraceServiceServer::new(taken.clone());
        let serving = tokio::spawn(async {
            let serving = Server::builder().add_service(service);
            let incoming = TcpListenerStream::new(listener);
            serving.serve_with_incoming(incoming).await.unwrap();
        });
        Self {
            endpoint,
            taken,
            serving,
        }
    }

    /// All that was exported, as it was.
    pub fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        self.taken.0.lock().unwrap().clone()
    }

    /// The spans that were exported.
    pub fn spans(&self) -> Vec<Exported> {
        let requests = self.requests();
        let resources = requests.iter().flat_map(|request| &request.resource_spans);
        let spans = resources.flat_map(|of| {
            let about = of.resource.iter().flat_map(|resource| &resource.attributes);
            let (_, service) = about
                .map(pair)
                .find(|(key, _)| key == "service.name")
                .unwrap();
            let spans = of.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.map(move |span| Exported {
                service: service.clone(),
                name: span.name.clone(),
                trace_id: hex(&span.trace_id),
                span_id: hex(&span.span_id),
                parent_id: hex(&span.parent_span_id),
                attributes: span.attributes.iter().map(pair).collect(),
            })
        });
        spans.collect()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn pair(attribute: &KeyValue) -> (String, String) {
    let value = attribute
        .value
        .as_ref()
        .and_then(|value| value.value.as_ref());
    let Some(Value::StringValue(text)) = value else {
        panic!("not a text: {attribute:?}");
    };
    (attribute.key.clone(), text.clone())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

#[tonic::async_trait]
impl TraceService for Taken {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}
