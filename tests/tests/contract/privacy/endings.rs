//! What an inviter can notice of a decline, a report, a block and the invitee's erasure: the same of all four, in every byte.

use acquaint_proto::invitation::v1::member_invitation_event::Change;
use acquaint_tests::pair::{Pair, Setup};
use invitation_service::domain::standing::Mode;
use service_kit::time::Span;

use super::inviter::Case;
use crate::wire::Wire;

const HOW: [&str; 4] = ["decline", "report", "block", "erasure"];

/// One case for each way of ending, seen from the sending to two days after the end.
async fn ended(pair: &Pair, wire: &Wire) -> Vec<Case> {
    let mut cases = Vec::new();
    for (number, how) in (1..).zip(HOW) {
        cases.push(Case::start(pair, number, how).await);
    }
    for case in &mut cases {
        case.look(wire).await;
    }
    pair.advance(Span::hours(1));
    for case in &mut cases {
        case.end(pair).await;
    }
    for case in &mut cases {
        let gone = case.next_event().await;
        assert!(
            matches!(gone, Some(Change::Gone(_))),
            "{}: {gone:?}",
            case.how
        );
        case.look(wire).await;
        case.act(wire).await;
        case.send_again(wire).await;
        case.look(wire).await;
    }
    pair.advance(Span::days(2));
    for case in &mut cases {
        case.look(wire).await;
        case.act(wire).await;
    }
    cases
}

fn all_have_seen_the_same(cases: &[Case]) {
    let (first, others) = cases.split_first().unwrap();
    for other in others {
        assert_eq!(first.seen.len(), other.seen.len());
        for ((what, expected), (_, seen)) in first.seen.iter().zip(&other.seen) {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            let shown = (text(expected), text(seen));
            assert_eq!(expected, seen, "{what} after a {}: {shown:#?}", other.how);
        }
    }
    let hows: Vec<_> = cases.iter().map(|case| case.how).collect();
    println!(
        "{} answers and events alike after {hows:?}",
        first.seen.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decline_a_report_a_block_and_an_erasure_look_the_same_to_the_inviter() {
    let pair = Pair::with(Setup::judging(Mode::Enforce)).await;
    let wire = Wire::to(&pair).await;
    let mut cases = ended(&pair, &wire).await;
    all_have_seen_the_same(&cases);
    // An erased member can be blocked, but leaves no name to list.
    cases.retain(|case| case.how != "erasure");
    for case in &mut cases {
        case.block_back(&wire).await;
    }
    all_have_seen_the_same(&cases);
    pair.stop().await;
}
