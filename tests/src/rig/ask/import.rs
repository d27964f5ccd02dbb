//! One attempt at an import, and what became of each of its rows.

use acquaint_proto::connection::v1::{self as connection, ImportRefusalReason};
use futures::stream;
use service_kit::{fields::timestamp, time::Time};
use tonic::{Response, Status};

use super::{ATTEMPT_MAX, Answer, refused};
use crate::rig::{
    journal::{Act, Outcome},
    process::Clients,
};

/// So many refused rows are named for each reason: with no more rows than that it is known of each what became of it.
const ROWS_MAX: usize = 20;

/// Asks once to import several rows, each an [`Act::Import`]. There is no answer for one without one for all.
pub async fn ask_import(clients: &Clients, acts: &[Act]) -> Vec<Answer> {
    assert!(acts.len() <= ROWS_MAX, "each refused row is named");
    let answer = match tokio::time::timeout(ATTEMPT_MAX, import(clients.clone(), acts)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(status)) => return acts.iter().map(|_| refused(&status)).collect(),
        Err(_) => return acts.iter().map(|_| Answer::None).collect(),
    };
    let mut answers: Vec<_> = acts.iter().map(|_| Answer::Given(Outcome::Done)).collect();
    for reason in &answer.refusals {
        for row in &reason.row_numbers {
            let row = usize::try_from(*row).unwrap() - 1;
            answers[row] = of_refusal(reason.reason());
        }
    }
    let made = answer.created_count + answer.existing_count;
    let kept = |answer: &&Answer| matches!(answer, Answer::Given(Outcome::Done));
    let kept = answers.iter().filter(kept).count();
    if i64::try_from(kept) != Ok(made) {
        let wrong =
            || Answer::Forbidden(format!("counts that are not those of the rows: {answer:?}"));
        return acts.iter().map(|_| wrong()).collect();
    }
    answers
}

fn of_refusal(reason: ImportRefusalReason) -> Answer {
    match reason {
        ImportRefusalReason::Erased
        | ImportRefusalReason::Blocked
        | ImportRefusalReason::Removed
        | ImportRefusalReason::ConnectionLimit => {
            Answer::Given(Outcome::Refused(reason.as_str_name().to_owned()))
        }
        _ => Answer::Forbidden(format!("a row was refused: {reason:?}")),
    }
}

async fn import(
    mut clients: Clients,
    acts: &[Act],
) -> Result<connection::ImportConnectionsResponse, Status> {
    let row = |act: &Act| match act {
        Act::Import(between, millis) => connection::ImportedConnection {
            member_id: between.member.clone(),
            other_id: between.other.clone(),
            connect_time: Some(timestamp(Time::from_millis(*millis))),
        },
        _ => unreachable!("no row of an import"),
    };
    // A message for each, so that one stream has several.
    let messages = acts.iter().map(|act| connection::ImportConnectionsRequest {
        connections: vec![row(act)],
    });
    let messages: Vec<_> = messages.collect();
    let answer = clients
        .connections
        .import_connections(stream::iter(messages))
        .await;
    answer.map(Response::into_inner)
}
