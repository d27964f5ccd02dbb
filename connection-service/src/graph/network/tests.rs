//! Every answer against the plainest computation of it, on random networks that change meanwhile.

mod naive;

use proptest::prelude::*;
use service_kit::id::MemberId;

use self::naive::Naive;
use super::Network;
use crate::domain::network::{Between, Degree, MutualPage, Suggested, SuggestionPage, Tie};

const MEMBERS: u32 = 14;
const ALL: usize = usize::MAX;

fn id(n: u32) -> MemberId {
    MemberId::parse(&format!("m{n}")).unwrap()
}

fn everybody() -> Vec<MemberId> {
    (0..MEMBERS).map(id).collect()
}

/// Something that is done to a network.
#[derive(Clone, Debug)]
enum Step {
    Set(u32, u32, Tie),
    Erase(u32),
    /// Work out some of a member's second degree.
    Advance(u32, usize),
    /// Compare all answers about a member.
    Compare(u32),
}

fn step() -> impl Strategy<Value = Step> {
    let member = || 0..MEMBERS;
    let tie = prop_oneof![
        6 => Just(Tie::Connected),
        3 => Just(Tie::None),
        1 => Just(Tie::Hidden),
    ];
    prop_oneof![
        30 => (member(), member(), tie).prop_map(|(a, b, tie)| Step::Set(a, b, tie)),
        1 => member().prop_map(Step::Erase),
        6 => (member(), 1..30_usize).prop_map(|(a, steps)| Step::Advance(a, steps)),
        4 => member().prop_map(Step::Compare),
    ]
}

fn advance(network: &mut Network, member: &MemberId, steps: usize) -> bool {
    if network.advance(member, 0).is_none() {
        network.begin(member);
    }
    network.advance(member, steps).unwrap()
}

fn compare(network: &mut Network, naive: &Naive, member: &MemberId) {
    let others: Vec<_> = everybody()
        .into_iter()
        .filter(|other| other != member)
        .collect();
    let expected: Vec<_> = others
        .iter()
        .map(|other| naive.between(member, other))
        .collect();
    let found = network.between(member, &others, true, ALL).unwrap();
    assert_eq!(found, expected, "of {member}");
    let without = network.between(member, &others, false, ALL).unwrap();
    let degrees = |found: &[Between]| found.iter().map(|found| found.degree).collect::<Vec<_>>();
    assert_eq!(degrees(&without), degrees(&expected), "of {member}");
    assert!(without.iter().all(|found| found.mutual_count.is_none()));
    for other in &others {
        let mutual = naive.mutual(member, other);
        assert_eq!(
            paged_mutual(network, member, other),
            mutual,
            "of {member} and {other}"
        );
        let have = network.have_mutual(member, other, ALL);
        assert_eq!(have, Some(!mutual.is_empty()));
    }
    while !advance(network, member, 3) {}
    for but_for in [vec![], vec![id(2), id(5)]] {
        let expected = naive.suggestions(member, &but_for);
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = network.suggestions(member, &but_for, after.as_ref(), 2, ALL);
            let SuggestionPage { suggestions, more } = page.unwrap();
            assert!(!more || suggestions.len() == 2);
            found.extend(suggestions);
            after = found.last().map(|last| Suggested {
                mutual_count: last.mutual_count,
                member: last.member.clone(),
            });
            if !more {
                break;
            }
        }
        assert_eq!(found, expected, "of {member}");
    }
}

fn paged_mutual(network: &Network, one: &MemberId, other: &MemberId) -> Vec<MemberId> {
    let mut found: Vec<MemberId> = Vec::new();
    loop {
        let page = network.mutual_page(one, other, found.last(), 2, ALL);
        let MutualPage {
            members,
            more,
            total,
        } = page.unwrap();
        assert!(!more || members.len() == 2);
        found.extend(members);
        if !more {
            assert_eq!(found.len(), total as usize);
            return found;
        }
    }
}

fn run(steps: Vec<Step>, views_bytes_max: usize) {
    let (mut network, mut naive) = (Network::new(views_bytes_max), Naive::default());
    for step in steps {
        match step {
            Step::Set(a, b, tie) => {
                network.set(&id(a), &id(b), tie).unwrap();
                if a != b {
                    naive.set(&id(a), &id(b), tie);
                }
            }
            Step::Erase(a) => {
                while network.erase_some(&id(a), 2) {}
                naive.erase(&id(a));
            }
            Step::Advance(a, steps) => {
                advance(&mut network, &id(a), steps);
            }
            Step::Compare(a) => compare(&mut network, &naive, &id(a)),
        }
    }
    for member in everybody() {
        compare(&mut network, &naive, &member);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn answers_are_right_while_everything_changes(
        steps in prop::collection::vec(step(), 1..200),
        // Also where there is no room to keep a second degree for long.
        views_bytes_max in prop_oneof![Just(0_usize), Just(2_000), Just(1 << 20)],
    ) {
        run(steps, views_bytes_max);
    }
}

/// 0 knows 1 and 2, both know 3, who knows 4, who knows 5.
fn chain() -> Network {
    let mut network = Network::new(1 << 20);
    for (a, b) in [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)] {
        network.set(&id(a), &id(b), Tie::Connected).unwrap();
    }
    network
}

#[test]
fn degrees_count_connections_on_the_way() {
    let network = chain();
    let others = [1, 3, 4, 5, 9].map(id);
    let found = network.between(&id(0), &others, true, ALL).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|found| (found.degree, found.mutual_count))
        .collect();
    let expected = [
        (Degree::First, Some(0)),
        (Degree::Second, Some(2)),
        (Degree::Third, Some(0)),
        (Degree::Further, Some(0)),
        (Degree::Further, Some(0)),
    ];
    assert_eq!(found, expected);
}

#[test]
fn with_a_block_between_them_two_are_strangers_to_each_other() {
    let mut network = chain();
    network.set(&id(0), &id(3), Tie::Hidden).unwrap();
    for (one, other) in [(0, 3), (3, 0)] {
        let found = network.between(&id(one), &[id(other)], true, ALL);
        assert_eq!(found, Some(vec![Between::hidden(true)]));
        assert_eq!(network.have_mutual(&id(one), &id(other), ALL), Some(false));
        let page = network.mutual_page(&id(one), &id(other), None, 10, ALL);
        assert_eq!(page, Some(MutualPage::default()));
        while !advance(&mut network, &id(one), 1) {}
        let suggested = network.suggestions(&id(one), &[], None, 10, ALL).unwrap();
        assert!(
            suggested
                .suggestions
                .iter()
                .all(|found| found.member != id(other))
        );
    }
}

#[test]
fn a_question_that_takes_too_long_has_no_answer() {
    let mut network = chain();
    assert_eq!(network.between(&id(0), &[id(3)], true, 20), None);
    assert_eq!(network.have_mutual(&id(0), &id(3), 1), None);
    assert_eq!(network.mutual_page(&id(0), &id(3), None, 10, 1), None);
    assert_eq!(
        network.suggestions(&id(0), &[], None, 10, ALL),
        None,
        "not worked out"
    );
    while !advance(&mut network, &id(0), 1) {}
    assert_eq!(network.suggestions(&id(0), &[], None, 10, 1), None);
    assert!(network.suggestions(&id(0), &[], None, 10, ALL).is_some());
}

#[test]
fn those_used_longest_ago_make_room() {
    let mut network = Network::new(400);
    for a in 0..MEMBERS {
        network
            .set(&id(a), &id((a + 1) % MEMBERS), Tie::Connected)
            .unwrap();
    }
    for a in 0..MEMBERS {
        while !advance(&mut network, &id(a), 1) {}
        // The first is used again and again.
        assert_eq!(network.advance(&id(0), 1), Some(true), "after {a}");
        network.trim();
        let (_, bytes) = network.views_size();
        assert!(bytes <= 400, "{bytes}");
    }
    let (held, _) = network.views_size();
    assert!((2..5).contains(&held), "{held}");
}
