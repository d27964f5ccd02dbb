//! The feed: positions, what an entry says, one member's part, acknowledgements.

use service_kit::epoch::EpochId;
use service_kit::id::Sides;

use super::*;
use connection_service::domain::fact::{Entry, Fact, Kept, PairEvent};
use connection_service::store::{Feed, MemberFeed};

over_every_engine! {
    each_entry_says_what_holds_from_there_on,
    a_members_part_is_what_their_list_does,
    a_backlog_is_bounded,
    watchers_are_woken_after_the_commit,
    acknowledgements_only_grow_and_are_kept,
    each_process_begins_a_history_that_goes_on_from_the_last,
}

pub(crate) async fn entries(f: &Fixture, after: u64) -> Vec<Entry> {
    match f.store.feed(after, 1_000).await.unwrap() {
        Feed::Entries { entries, .. } => entries,
        Feed::TooOld => panic!("too old"),
    }
}

/// A member's steps as `+other` and `-other`.
pub(crate) async fn steps(f: &Fixture, member: &str, after: u64) -> Option<Vec<String>> {
    match f.store.member_feed(id(member), after).await.unwrap() {
        MemberFeed::Steps { steps, through } => {
            assert_eq!(through, f.head().await);
            let sign = |connected: bool| if connected { '+' } else { '-' };
            let text = |s: &connection_service::domain::list_change::Step| {
                format!("{}{}", sign(s.connected.is_some()), s.other)
            };
            Some(steps.iter().map(text).collect())
        }
        MemberFeed::TooOld => None,
    }
}

async fn script(f: &Fixture) {
    f.connect("a", "b").await; // 1
    f.tick(1);
    f.connect("c", "a").await; // 2
    f.remove("b", "a").await.unwrap(); // 3
    f.tick(1);
    f.block("a", "c").await.unwrap(); // 4
    f.block("d", "a").await.unwrap(); // 5
    f.unblock("a", "c").await.unwrap(); // 6
    f.remove("a", "d").await.unwrap(); // no fact
    f.connect("b", "c").await; // 7
}

async fn each_entry_says_what_holds_from_there_on(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    script(&f).await;
    f.restart().await;
    let mut said = Vec::new();
    for (n, entry) in entries(&f, 0).await.into_iter().enumerate() {
        assert_eq!(entry.position, n as u64 + 1);
        let Kept::Fact(Fact::Pair {
            key,
            event,
            after,
            ended,
        }) = entry.kept
        else {
            panic!("a pair")
        };
        let (connected, ended) = (after.connection.is_some(), ended.map(|c| c.connect_time));
        let pair = format!("{}{}", key.low(), key.high());
        said.push((
            pair,
            event,
            connected,
            after.blocked,
            ended,
            entry.time.millis() - 1_000_000,
        ));
    }
    let blocked = |low, high| Sides { low, high };
    let open = blocked(false, false);
    let expected = [
        ("ab", PairEvent::Connected, true, open, None, 0),
        ("ac", PairEvent::Connected, true, open, None, 1),
        ("ab", PairEvent::Removed, false, open, Some(START), 1),
        (
            "ac",
            PairEvent::Blocked,
            false,
            blocked(true, false),
            Some(at(1_000_001)),
            2,
        ),
        (
            "ad",
            PairEvent::Blocked,
            false,
            blocked(false, true),
            None,
            2,
        ),
        ("ac", PairEvent::Unblocked, false, open, None, 2),
        ("bc", PairEvent::Connected, true, open, None, 2),
    ];
    let expected = expected.map(|(pair, a, b, c, d, e)| (pair.to_owned(), a, b, c, d, e));
    assert_eq!(said, expected);
    assert_eq!(entries(&f, 5).await.len(), 2);
    let Feed::Entries {
        through,
        more,
        entries,
    } = f.store.feed(2, 3).await.unwrap()
    else {
        panic!("kept")
    };
    assert_eq!((through, more, entries.len()), (5, true, 3));
    f.check().await;
}

async fn a_members_part_is_what_their_list_does(engine: Engine) {
    let f = Fixture::on(engine).await;
    script(&f).await;
    for (member, after, expected) in [
        ("a", 0, &["+b", "+c", "-b", "-c"][..]),
        ("a", 2, &["-b", "-c"]),
        ("a", 4, &[]),
        ("b", 0, &["+a", "-a", "+c"]),
        ("c", 3, &["-a", "+b"]),
        ("d", 0, &[]),
        ("nobody", 0, &[]),
    ] {
        assert_eq!(
            steps(&f, member, after).await.unwrap(),
            expected,
            "{member} {after}"
        );
    }
}

async fn a_backlog_is_bounded(engine: Engine) {
    let policy = Policy {
        member_backlog_max: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    for other in ["b", "c", "d"] {
        f.connect("a", other).await;
    }
    assert_eq!(steps(&f, "a", 0).await, None);
    assert_eq!(steps(&f, "a", 1).await.unwrap().len(), 2);
}

async fn watchers_are_woken_after_the_commit(engine: Engine) {
    let f = Fixture::on(engine).await;
    let hub = f.store.hub();
    let (mut a, mut all) = (hub.subscribe("a"), hub.subscribe_all());
    f.connect("b", "a").await;
    a.changed().await;
    all.changed().await;
    assert_eq!(*hub.head().borrow(), 1);
}

async fn acknowledgements_only_grow_and_are_kept(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    for other in ["b", "c", "d"] {
        f.connect("a", other).await;
    }
    let known = |f: &Fixture| *f.store.acknowledged().borrow();
    assert_eq!(known(&f), 0);
    for (position, after) in [(2, 2), (1, 2), (99, 3), (3, 3)] {
        f.store.acknowledge(position).await.unwrap();
        assert_eq!(known(&f), after, "{position}");
    }
    f.restart().await;
    assert_eq!(known(&f), 3);
}

async fn each_process_begins_a_history_that_goes_on_from_the_last(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    let first = f.epoch();
    f.restart().await;
    assert_ne!(f.epoch(), first);
    assert_eq!(f.parted(&first, 1), None);
    assert_eq!(f.parted(&first, 2), Some(1));
    let unknown = EpochId::from_bytes([9; 16]);
    assert_eq!(f.parted(&unknown, 1), Some(0));
}
