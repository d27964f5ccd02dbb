//! One trace from the caller through both services to the worker.

use acquaint_proto::invitation::v1::{
    AcceptInvitationRequest, InvitationState, SendInvitationRequest,
};
use acquaint_tests::{
    collector::{Collector, Exported},
    pair::{Pair, Setup},
    wait::eventually,
};
use service_kit::{observability::ObservabilityOptions, time::Span, trace::TraceOptions};
use tonic::Request;

const SEND: &str = "acquaint.invitation.v1.InvitationService/SendInvitation";
const ACCEPT: &str = "acquaint.invitation.v1.InvitationService/AcceptInvitation";
const ASK: &str = "acquaint.connection.internal.v1.FactService/BatchGetPairFacts";
const ENSURE: &str = "acquaint.connection.internal.v1.FactService/EnsureConnection";
const FINISH: &str = "worker/FinishAcceptance";

async fn traced() -> (Pair, Collector) {
    let collector = Collector::start().await;
    let shows = ObservabilityOptions {
        metrics_listen: None,
        traces: TraceOptions {
            otlp_endpoint: Some(collector.endpoint.clone()),
            // What begins here is left out, so that only what the test asks for is seen.
            sample_one_in: 0,
        },
    };
    let setup = Setup {
        invitation_shows: shows.clone(),
        connection_shows: shows,
        ..Setup::default()
    };
    (Pair::with(setup).await, collector)
}

/// A request of the trace `trace_id`, whose beginner wants it exported.
fn of_trace<T>(trace_id: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let header = format!("00-{trace_id}-00f067aa0ba902b7-01");
    let value = header.parse().unwrap();
    request.metadata_mut().insert("traceparent", value);
    request
}

/// Waits for the spans called `names`, in that order, each before its next; all of one trace.
async fn chain(collector: &Collector, trace_id: &str, names: &[(&str, &str)]) -> Vec<Exported> {
    eventually("the spans of the trace", || async {
        let spans = collector.spans();
        let mut parent = "00f067aa0ba902b7".to_owned();
        let mut found = Vec::new();
        for (service, name) in names {
            let next = spans.iter().find(|span| {
                (span.service.as_str(), span.name.as_str()) == (service, name)
                    && span.trace_id == trace_id
                    && span.parent_id == parent
            })?;
            parent.clone_from(&next.span_id);
            found.push(next.clone());
        }
        Some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_and_its_question_are_one_trace() {
    let (pair, collector) = traced().await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let message = SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: "bob".to_owned(),
        ..Default::default()
    };
    let sent = pair.invitations.clone();
    let mut sent = sent;
    sent.send_invitation(of_trace(trace_id, message.clone()))
        .await
        .unwrap();
    let names = [
        ("invitation-service", SEND),
        ("invitation-service", ASK),
        ("connection-service", ASK),
    ];
    let spans = chain(&collector, trace_id, &names).await;
    let ok = ("rpc.response.status_code".to_owned(), "OK".to_owned());
    assert_eq!(spans[0].attributes, [ok]);
    // A refusal says why.
    let again = "4bf92f3577b34da6a3ce929d0e0e4737";
    sent.send_invitation(of_trace(again, message))
        .await
        .unwrap_err();
    let spans = chain(&collector, again, &names[..1]).await;
    let refused = [
        ("rpc.response.status_code", "ALREADY_EXISTS"),
        ("acquaint.reason", "INVITATION_PENDING"),
    ];
    let refused = refused.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(spans[0].attributes, refused);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_keeps_its_trace_until_a_worker_has_seen_it_through() {
    let (mut pair, collector) = traced().await;
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4738";
    let message = AcceptInvitationRequest {
        invitation_id: id.clone(),
        member_id: "bob".to_owned(),
    };
    let request = of_trace(trace_id, message);
    let accepted = pair.invitations.clone().accept_invitation(request).await;
    let accepted = accepted.unwrap().into_inner().invitation.unwrap();
    assert_eq!(accepted.state(), InvitationState::Accepting);
    // Whoever asked is gone, and the process too.
    pair.stop_invitation_service().await;
    pair.start_connection_service().await;
    pair.start_invitation_service().await;
    eventually("the two are connected", || async {
        pair.advance(Span::seconds(1));
        let connected = pair.connected("ann").await;
        (!connected.is_empty()).then_some(())
    })
    .await;
    let names = [
        ("invitation-service", ACCEPT),
        ("invitation-service", FINISH),
        ("invitation-service", ENSURE),
        ("connection-service", ENSURE),
    ];
    chain(&collector, trace_id, &names).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_wants_exported_is_not() {
    let (pair, collector) = traced().await;
    pair.connect("ann", "bob").await;
    // Stopping exports what waits.
    pair.stop().await;
    assert!(collector.requests().is_empty(), "{:?}", collector.spans());
}
