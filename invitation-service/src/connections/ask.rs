//! Many questions about pairs in one call: whoever asks while a call is under way shares the next one.
//!
//! Deliberately absent: waiting for more questions than are there; and keeping answers, for what is between two members is never read
//! from a cache.

use std::{sync::Arc, time::Duration};

use acquaint_proto::connection::internal::v1::BatchGetPairFactsRequest;
use service_kit::{
    id::PairKey,
    trace::{self, Span, SpanKind, TraceContext, Tracer},
};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tonic::Request;

use super::{convert, remote::FactClient};
use crate::store::command::send::Told;

/// The bounds of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskOptions {
    /// How long a send waits for what holds between the two before the copy speaks. Default 50 ms.
    pub wait_max: Duration,
    /// How many pairs one call asks about. 1 to [`PAIRS_OF_A_CALL`]. Default 256.
    pub pairs_max: usize,
    /// How many calls may be under way. At least 1. Default 4.
    pub calls_max: usize,
    /// How many questions may wait; for one more the copy speaks at once. At least 1. Default 4,096.
    pub waiting_max: usize,
}

impl Default for AskOptions {
    fn default() -> Self {
        Self {
            wait_max: Duration::from_millis(50),
            pairs_max: 256,
            calls_max: 4,
            waiting_max: 4_096,
        }
    }
}

/// How many pairs connection-service takes in one call.
pub const PAIRS_OF_A_CALL: u64 = 500;

/// The span of a call.
const SPAN: &str = "acquaint.connection.internal.v1.FactService/BatchGetPairFacts";

struct Question {
    key: PairKey,
    trace: Option<TraceContext>,
    answer: oneshot::Sender<Told>,
}

/// Asks connection-service about pairs, many at a time.
#[derive(Clone)]
pub(super) struct Asker {
    questions: mpsc::Sender<Question>,
    wait_max: Duration,
}

impl Asker {
    /// Starts the task that asks; it ends with the last handle.
    pub(super) fn start(client: FactClient, options: AskOptions, tracer: Tracer) -> Self {
        let (questions, asked) = mpsc::channel(options.waiting_max);
        tokio::spawn(ask_all(client, asked, options, tracer));
        Self {
            questions,
            wait_max: options.wait_max,
        }
    }

    /// What holds between two members; `None` when no answer comes in time.
    pub(super) async fn ask(&self, key: PairKey) -> Option<Told> {
        let (answer, answered) = oneshot::channel();
        let trace = trace::current();
        let question = Question { key, trace, answer };
        self.questions.try_send(question).ok()?;
        tokio::time::timeout(self.wait_max, answered)
            .await
            .ok()?
            .ok()
    }
}

async fn ask_all(
    client: FactClient,
    mut asked: mpsc::Receiver<Question>,
    options: AskOptions,
    tracer: Tracer,
) {
    let AskOptions {
        wait_max,
        pairs_max,
        ..
    } = options;
    let calls = Arc::new(Semaphore::new(options.calls_max));
    let mut questions = Vec::with_capacity(pairs_max);
    loop {
        // First a free call, then whoever waits: so that questions gather while all calls are under way.
        let Ok(call) = calls.clone().acquire_owned().await else {
            return;
        };
        if asked.recv_many(&mut questions, pairs_max).await == 0 {
            return;
        }
        let batch = std::mem::replace(&mut questions, Vec::with_capacity(pairs_max));
        let (client, span) = (client.clone(), begin(&tracer, &batch));
        tokio::spawn(async move {
            // Whoever asked has given up by then.
            let _ = tokio::time::timeout(wait_max, ask_batch(client, batch, span)).await;
            drop(call);
        });
    }
}

/// A call that asks for one trace is a part of it. One that asks for several has a trace of its own, linked to each.
fn begin(tracer: &Tracer, batch: &[Question]) -> Span {
    let mut traces: Vec<_> = batch.iter().filter_map(|question| question.trace).collect();
    traces.dedup();
    match *traces {
        [only] => tracer.begin(SPAN, SpanKind::Client, Some(only)),
        _ => tracer.begin_linked(SPAN, SpanKind::Client, None, &traces),
    }
}

async fn ask_batch(mut client: FactClient, batch: Vec<Question>, mut span: Span) {
    let mut request = Request::new(BatchGetPairFactsRequest {
        pairs: batch
            .iter()
            .map(|question| convert::to_pair(&question.key))
            .collect(),
    });
    span.context().apply(&mut request);
    let answer = match client.batch_get_pair_facts(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            span.fail();
            tracing::debug!(code = ?status.code(), "connection-service does not answer; the copy speaks");
            return;
        }
    };
    let Some(at) = convert::position(answer.position.as_ref()) else {
        tracing::error!("connection-service gave facts without a position");
        return;
    };
    let mutual = answer.mutual.iter().copied().map(Some);
    let mutual = mutual.chain(std::iter::repeat(None));
    for ((question, facts), mutual) in batch.into_iter().zip(&answer.facts).zip(mutual) {
        if let Some(told) = convert::told(&question.key, facts, mutual, at) {
            // Whoever asked may have given up.
            let _ = question.answer.send(told);
        }
    }
}
