//! What is noted about a connection while somebody else notes, renames, deletes, or ends it: nothing is left behind, and what is counted is there.

use acquaint_proto::connection::v1::UpdateConnectionRequest;
use acquaint_tests::{device::Device, pair::Pair, refusal::Refusal};
use prost_types::FieldMask;
use service_kit::clock::{Clock as _, SystemClock};
use tonic::Status;

use crate::rounds::{FEWER_ROUNDS, Round, run, setup};

/// Gives the connection these labels and a note that names them.
async fn note(
    mut device: Device,
    member: String,
    other: String,
    labels: Vec<String>,
) -> Result<Vec<String>, Status> {
    let request = UpdateConnectionRequest {
        member_id: member,
        other_id: other,
        private_note: labels.join(" "),
        labels,
        update_mask: Some(FieldMask {
            paths: vec!["*".to_owned()],
        }),
    };
    let answer = device.connections.update_connection(request).await?;
    Ok(answer.into_inner().connection.unwrap().labels)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

/// The labels of the one connection of a member, after a check that every list and count agrees with it.
async fn at_rest(pair: &Pair, member: &str) -> Vec<String> {
    let mut noted = pair.noted(member, "").await;
    let noted = noted.pop().map(|connection| connection.labels);
    let labels = noted.unwrap_or_default();
    for (label, count) in pair.labels(member).await {
        assert_eq!(
            i32::from(labels.contains(&label)),
            count,
            "{label} {labels:?}"
        );
        assert_eq!(
            pair.noted(member, &label).await.len(),
            usize::try_from(count).unwrap()
        );
    }
    labels
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_updates_one_stands_whole() {
    run(
        "update against update",
        FEWER_ROUNDS,
        setup(),
        update_or_update,
    )
    .await;
}

async fn update_or_update(round: Round) {
    let (ann, bob) = round.two();
    round.pair.connect(&ann, &bob).await;
    let [one, other] = [texts(&["both", "one"]), texts(&["both", "other"])];
    let answers = round
        .meet(
            note(round.device(0), ann.clone(), bob.clone(), one.clone()),
            note(round.device(1), ann.clone(), bob.clone(), other.clone()),
        )
        .await;
    assert_eq!(
        (answers.0.unwrap(), answers.1.unwrap()),
        (one.clone(), other.clone())
    );
    let stands = at_rest(&round.pair, &ann).await;
    assert!(stands == one || stands == other, "{stands:?}");
    let noted = round.pair.noted(&ann, "").await;
    assert_eq!(noted[0].private_note, stands.join(" "));
    assert_eq!(round.pair.labels(&ann).await.len(), 3);
    round.note(stands[1].clone());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_that_meets_an_update_leaves_nothing_noted() {
    run(
        "update against removal",
        FEWER_ROUNDS,
        setup(),
        update_or_end,
    )
    .await;
}

async fn update_or_end(round: Round) {
    let (ann, bob) = round.two();
    round.pair.connect(&ann, &bob).await;
    let (by, of) = if round.number.is_multiple_of(4) {
        (ann.clone(), bob.clone())
    } else {
        (bob.clone(), ann.clone())
    };
    let device = round.device(1);
    let blocks = round.number % 3 == 1;
    let end = async move {
        if blocks {
            device.block(by, of).await
        } else {
            device.remove(by, of).await
        }
    };
    let update = note(
        round.device(0),
        ann.clone(),
        bob.clone(),
        texts(&["l", "m"]),
    );
    let (updated, ended) = round.meet(update, end).await;
    ended.unwrap();
    let made = match updated {
        Ok(labels) => {
            assert_eq!(labels, ["l", "m"]);
            round.note("noted first");
            2
        }
        Err(refused) => {
            assert_eq!(Refusal::of(&refused).reason, "CONNECTION_NOT_FOUND");
            round.note("ended first");
            0
        }
    };
    assert_eq!(at_rest(&round.pair, &ann).await, [""; 0]);
    assert_eq!(round.pair.labels(&ann).await.len(), made);
    if blocks {
        return;
    }
    // An acceptance of the very millisecond of a removal does not connect.
    let ended = SystemClock.now();
    while SystemClock.now() <= ended {
        tokio::task::yield_now().await;
    }
    round.pair.connect(&bob, &ann).await;
    let again = round.pair.noted(&ann, "").await;
    assert_eq!(
        (again[0].labels.len(), again[0].private_note.as_str()),
        (0, "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_or_renaming_that_meets_an_update_counts_what_there_is() {
    run(
        "update against labels",
        FEWER_ROUNDS,
        setup(),
        update_or_labels,
    )
    .await;
}

async fn update_or_labels(round: Round) {
    let (ann, bob) = round.two();
    round.pair.connect(&ann, &bob).await;
    round.pair.note(&ann, &bob, &["l"], None).await.unwrap();
    let (pair, member) = (round.pair.clone(), ann.clone());
    let deletes = round.number.is_multiple_of(2);
    let change = async move {
        if deletes {
            pair.delete_label(&member, "l").await
        } else {
            pair.rename_label(&member, "l", "n").await.map(drop)
        }
    };
    let update = note(
        round.device(0),
        ann.clone(),
        bob.clone(),
        texts(&["l", "m"]),
    );
    let (updated, changed) = round.meet(update, change).await;
    assert_eq!(updated.unwrap(), ["l", "m"]);
    changed.unwrap();
    // Whichever came first, the label has the text that was written last: the old one where it was given anew.
    let stands = at_rest(&round.pair, &ann).await;
    let expected: [&[&str]; 2] = if deletes {
        [&["l", "m"], &["m"]]
    } else {
        [&["l", "m"], &["m", "n"]]
    };
    assert!(
        expected.iter().any(|labels| stands == *labels),
        "{stands:?}"
    );
    round.note(stands.join(" "));
}
