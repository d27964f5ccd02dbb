//! What tools ask any gRPC server: which services there are, what their messages look like, and whether it serves.

use std::collections::BTreeSet;

use acquaint_tests::pair::Pair;
use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorProto, ServiceDescriptorProto};
use tonic::{Code, transport::Channel};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

const INVITATION: [&str; 3] = [
    "acquaint.invitation.v1.InvitationService",
    "acquaint.invitation.v1.StandingService",
    "acquaint.invitation.v1.MemberService",
];
const CONNECTION: [&str; 4] = [
    "acquaint.connection.v1.ConnectionService",
    "acquaint.connection.v1.BlockService",
    "acquaint.connection.v1.MemberService",
    "acquaint.connection.internal.v1.FactService",
];
/// What a tool needs to print any answer.
const BESIDE: [&str; 6] = [
    "google.rpc.Status",
    "google.rpc.ErrorInfo",
    "google.rpc.BadRequest",
    "google.rpc.RetryInfo",
    "google.rpc.QuotaFailure",
    "grpc.health.v1.Health",
];

/// Both services: where they listen and what they serve.
fn both(pair: &Pair) -> [(String, Vec<&'static str>); 2] {
    [
        (pair.invitation_address(), INVITATION.to_vec()),
        (pair.connection_address(), CONNECTION.to_vec()),
    ]
}

fn channel(address: &str) -> Channel {
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect_lazy()
}

/// Asks one version of the reflection service for the services and for the files of symbols.
macro_rules! reflect {
    ($version:ident, $address:expr, $symbols:expr) => {{
        use pb::server_reflection_request::MessageRequest;
        use pb::server_reflection_response::MessageResponse;
        use tonic_reflection::pb::$version as pb;
        let ask = async |message| {
            let request = pb::ServerReflectionRequest {
                host: String::new(),
                message_request: Some(message),
            };
            let client =
                pb::server_reflection_client::ServerReflectionClient::new(channel($address));
            let answers = client
                .clone()
                .server_reflection_info(tokio_stream::iter([request]))
                .await;
            let mut answers = answers.unwrap().into_inner();
            let answer = answers.message().await.unwrap().unwrap();
            answer.message_response.unwrap()
        };
        let listed = match ask(MessageRequest::ListServices(String::new())).await {
            MessageResponse::ListServicesResponse(listed) => listed.service,
            other => panic!("{other:?}"),
        };
        let listed: BTreeSet<String> = listed.into_iter().map(|service| service.name).collect();
        let mut files = Vec::new();
        for symbol in $symbols {
            let symbol = String::from(symbol);
            match ask(MessageRequest::FileContainingSymbol(symbol.clone())).await {
                MessageResponse::FileDescriptorResponse(found) => {
                    files.push((symbol, found.file_descriptor_proto));
                }
                other => panic!("{symbol}: {other:?}"),
            }
        }
        (listed, files)
    }};
}

/// Whether a file has the symbol.
fn has(file: &[u8], symbol: &str) -> bool {
    let file = FileDescriptorProto::decode(file).unwrap();
    let (package, name) = symbol.rsplit_once('.').unwrap();
    let messages = file.message_type.iter().map(DescriptorProto::name);
    let services = file.service.iter().map(ServiceDescriptorProto::name);
    file.package() == package && messages.chain(services).any(|found| found == name)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_reflection_know_what_a_tool_needs() {
    let pair = Pair::start().await;
    for (address, services) in both(&pair) {
        let symbols = || services.iter().copied().chain(BESIDE);
        let first = reflect!(v1, &address, symbols());
        let second = reflect!(v1alpha, &address, symbols());
        for (version, (listed, files)) in [("v1", first), ("v1alpha", second)] {
            for service in &services {
                assert!(listed.contains(*service), "{address} {version}: {listed:?}");
            }
            assert!(
                listed.contains("grpc.health.v1.Health"),
                "{address} {version}: {listed:?}"
            );
            let ours = listed.iter().filter(|name| name.starts_with("acquaint."));
            assert_eq!(
                ours.count(),
                services.len(),
                "what another serves: {listed:?}"
            );
            for (symbol, files) in files {
                assert!(
                    files.iter().any(|file| has(file, &symbol)),
                    "{version}: {symbol}"
                );
            }
        }
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_serving_for_the_process_and_for_each_service() {
    let pair = Pair::start().await;
    for (address, services) in both(&pair) {
        let mut health = HealthClient::new(channel(&address));
        for service in services.into_iter().chain([""]) {
            let request = HealthCheckRequest {
                service: service.to_owned(),
            };
            let answer = health.check(request.clone()).await.unwrap().into_inner();
            assert_eq!(answer.status(), ServingStatus::Serving, "{service}");
            let mut watch = health.watch(request).await.unwrap().into_inner();
            let first = watch.message().await.unwrap().unwrap();
            assert_eq!(first.status(), ServingStatus::Serving, "{service}");
        }
        let unknown = HealthCheckRequest {
            service: "acquaint.nobody".to_owned(),
        };
        let unknown = health.check(unknown).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
    }
    pair.stop().await;
}
