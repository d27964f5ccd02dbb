//! Tables of what may be noted and renamed.

use super::super::fixtures::{at, connected_at, strangers};
use super::super::member::Member;
use super::*;

fn labels(count: u32) -> Change {
    let labels = (0..count).map(|n| Label::stored(format!("label {n}")));
    Change {
        labels: Some(labels.collect()),
        note: None,
    }
}

fn policy() -> Policy {
    Policy {
        connection_labels_max: 2,
        member_labels_max: 3,
        ..Policy::default()
    }
}

#[test]
fn only_connected_members_annotate_and_with_so_many_labels_at_most() {
    let mut blocked = Pair::default();
    blocked.blocked.low = Some(at(1));
    let full = Refusal::LabelLimitReached {
        of: LabelLimit::Connection { labels_max: 2 },
    };
    let note = Change {
        labels: None,
        note: Some(PrivateNote::stored("met in Lyon".into())),
    };
    let unconnected = Err(Refusal::ConnectionNotFound);
    for (pair, change, expected) in [
        (connected_at(5), labels(0), Ok(at(5))),
        (connected_at(5), labels(2), Ok(at(5))),
        (connected_at(5), labels(3), Err(full)),
        (connected_at(5), note.clone(), Ok(at(5))),
        (connected_at(5), Change::default(), Ok(at(5))),
        (Pair::default(), labels(1), unconnected),
        (Pair::default(), labels(3), unconnected),
        (blocked, note, unconnected),
    ] {
        for side in Side::BOTH {
            let found = annotate(&pair, &strangers(), side, &change, &policy());
            assert_eq!(found, expected, "{pair:?} {change:?}");
        }
    }
}

#[test]
fn the_erased_neither_annotate_nor_are_annotated() {
    let present = Party::Present(Member::default());
    for (low, high, expected) in [
        (Party::Erased, present, Refusal::MemberNotFound),
        (Party::Erased, Party::Erased, Refusal::MemberNotFound),
        (present, Party::Erased, Refusal::ConnectionNotFound),
    ] {
        let parties = Sides { low, high };
        let found = annotate(&connected_at(5), &parties, Side::Low, &labels(1), &policy());
        assert_eq!(found, Err(expected), "{parties:?}");
    }
}

#[test]
fn numbers_are_given_once_and_up_to_the_limit() {
    let full = Err(Refusal::LabelLimitReached {
        of: LabelLimit::Member { labels_max: 3 },
    });
    let notebook = |labels, last_label| Notebook {
        annotations: 7,
        labels,
        last_label,
    };
    let ids = |numbers: &[u32]| Ok(numbers.iter().copied().map(LabelId).collect());
    for (before, new, expected, after) in [
        (notebook(0, 0), 2, ids(&[1, 2]), notebook(2, 2)),
        (notebook(0, 9), 3, ids(&[10, 11, 12]), notebook(3, 12)),
        (notebook(3, 9), 0, ids(&[]), notebook(3, 9)),
        (notebook(2, 9), 2, full.clone(), notebook(2, 9)),
        (notebook(3, 9), 1, full.clone(), notebook(3, 9)),
        // A lower limit than before refuses only new ones.
        (notebook(5, 9), 0, ids(&[]), notebook(5, 9)),
        (notebook(5, 9), 1, full.clone(), notebook(5, 9)),
        (notebook(0, u32::MAX), 1, full, notebook(0, u32::MAX)),
    ] {
        let mut found = before;
        assert_eq!(found.number(new, &policy()), expected, "{before:?} {new}");
        assert_eq!(found, after, "{before:?} {new}");
    }
}

#[test]
fn a_renaming_can_be_repeated_and_never_takes_two_labels_together() {
    let (first, second) = (LabelId(1), LabelId(2));
    for (from, to, expected) in [
        (Some(first), None, Ok(Renaming::Rename(first))),
        (None, Some(first), Ok(Renaming::Renamed(first))),
        (Some(first), Some(first), Ok(Renaming::Renamed(first))),
        (Some(first), Some(second), Err(Refusal::LabelExists)),
        (None, None, Err(Refusal::LabelNotFound)),
    ] {
        assert_eq!(rename(from, to), expected, "{from:?} {to:?}");
    }
}
