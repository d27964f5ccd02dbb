//! Connecting, removing, blocking, and what is read of them.

use service_kit::id::Sides;

use super::*;
use connection_service::domain::ensure::Full;
use connection_service::store::Relationship;

over_every_engine! {
    an_acceptance_connects_both_sides_at_once_and_once,
    a_removed_connection_never_comes_back,
    a_removal_of_nothing_stands_against_what_was_accepted_before,
    only_the_connection_that_is_meant_is_removed,
    limits_are_checked_where_the_connection_is_made,
    of_two_acceptances_for_the_last_place_one_succeeds,
    blocking_ends_the_connection_and_unblocking_restores_nothing,
    blocks_are_bounded,
    relationships_show_ones_own_side_only,
    lists_are_paged_newest_first,
    facts_are_read_with_their_position,
    the_stores_time_never_goes_back,
}

const fn done(fact: u64, ended: Option<Time>) -> Acted {
    Acted { ended, fact }
}

async fn an_acceptance_connects_both_sides_at_once_and_once(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    let first = f.ensure(1, 1, "b", "a").await;
    assert_eq!(
        first.verdict,
        Verdict::Created {
            connect_time: START
        }
    );
    assert_eq!(
        first.facts.connection.unwrap().invitation,
        Some(Uuid::from_u128(1))
    );
    assert_eq!(first.position, 1);
    f.tick(5);
    assert_eq!(
        f.ensure(1, 1, "b", "a").await,
        first,
        "repeated, not decided anew"
    );
    let other = f.ensure(2, 1, "a", "b").await;
    assert_eq!(
        other.verdict,
        Verdict::Already {
            connect_time: START
        }
    );
    assert_eq!(other.position, 1, "nothing happened");
    for (member, partner) in [("a", "b"), ("b", "a")] {
        assert_eq!(f.connections(member).await, [partner]);
    }
    f.restart().await;
    assert_eq!(
        f.ensure(1, 1, "b", "a").await,
        first,
        "also by the next process"
    );
    assert_eq!(f.connections("a").await, ["b"]);
    f.check().await;
}

async fn a_removed_connection_never_comes_back(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.ensure(1, 1, "a", "b").await;
    f.tick(1);
    assert_eq!(f.remove("a", "b").await, Ok(done(2, Some(START))));
    let late = f.ensure(1, 1, "a", "b").await;
    assert_eq!(
        late.verdict,
        Verdict::Created {
            connect_time: START
        }
    );
    assert_eq!(
        (late.facts.connection, late.position),
        (None, 2),
        "what holds now"
    );
    // An acceptance of another invitation, made before the removal, and one made after it.
    assert_eq!(
        f.ensure_at(2, 1, "b", "a", START).await.verdict,
        Verdict::Removed
    );
    assert_eq!(
        f.ensure_at(2, 1, "b", "a", START).await.verdict,
        Verdict::Removed
    );
    f.tick(1);
    assert!(matches!(
        f.ensure(3, 1, "b", "a").await.verdict,
        Verdict::Created { .. }
    ));
    f.check().await;
}

async fn a_removal_of_nothing_stands_against_what_was_accepted_before(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    f.tick(10);
    assert_eq!(f.remove("b", "a").await, Ok(done(0, None)));
    f.restart().await;
    assert_eq!(
        f.ensure_at(1, 1, "a", "b", at(1_000_009)).await.verdict,
        Verdict::Removed
    );
    f.clock.advance(Span::hours(24));
    let late = f.ensure_at(2, 1, "a", "b", at(1_000_009)).await;
    assert!(
        matches!(late.verdict, Verdict::Created { .. }),
        "for 24 hours"
    );
    f.check().await;
}

async fn only_the_connection_that_is_meant_is_removed(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    let remove = async |only| f.store.remove_connection(act("a", "b"), Some(only)).await;
    remove(at(5)).await.unwrap().unwrap();
    assert_eq!(f.connections("a").await, ["b"]);
    remove(START).await.unwrap().unwrap();
    assert!(f.connections("a").await.is_empty());
    f.tick(1);
    f.connect("b", "a").await;
    remove(START).await.unwrap().unwrap();
    assert_eq!(
        f.connections("a").await,
        ["b"],
        "a repeat leaves the next one alone"
    );
    f.check().await;
}

async fn limits_are_checked_where_the_connection_is_made(engine: Engine) {
    let policy = Policy {
        connections_max: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    f.connect("a", "x").await;
    f.connect("a", "y").await;
    let refused = f.ensure(10, 1, "b", "a").await;
    assert_eq!(refused.verdict, Verdict::Refused(Full::Acceptor));
    assert_eq!(
        f.ensure(11, 1, "a", "b").await.verdict,
        Verdict::Refused(Full::Inviter)
    );
    // Room is made, and a late repeat of the first attempt arrives.
    f.remove("a", "x").await.unwrap();
    assert_eq!(f.ensure(10, 1, "b", "a").await.verdict, refused.verdict);
    assert_eq!(f.connections("a").await, ["y"]);
    assert!(matches!(
        f.ensure(10, 2, "b", "a").await.verdict,
        Verdict::Created { .. }
    ));
    assert_eq!(f.ensure(10, 1, "b", "a").await.verdict, Verdict::Superseded);
    f.check().await;
}

async fn of_two_acceptances_for_the_last_place_one_succeeds(engine: Engine) {
    let policy = Policy {
        connections_max: 1,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    let (b, c) = tokio::join!(f.ensure(1, 1, "b", "a"), f.ensure(2, 1, "c", "a"));
    let created = [b, c]
        .iter()
        .filter(|e| matches!(e.verdict, Verdict::Created { .. }))
        .count();
    assert_eq!(created, 1);
    assert_eq!(f.connections("a").await.len(), 1);
    f.check().await;
}

async fn blocking_ends_the_connection_and_unblocking_restores_nothing(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.tick(1);
    assert_eq!(f.block("a", "b").await, Ok(done(2, Some(START))));
    assert_eq!(f.block("a", "b").await, Ok(done(2, None)), "no new fact");
    assert_eq!(f.ensure(9, 1, "b", "a").await.verdict, Verdict::Blocked);
    f.restart().await;
    assert!(f.connections("a").await.is_empty() && f.connections("b").await.is_empty());
    assert_eq!(f.blocks("a").await, ["b"]);
    assert!(f.blocks("b").await.is_empty());
    f.tick(1);
    assert_eq!(
        f.unblock("b", "a").await,
        Ok(done(2, None)),
        "not theirs to lift"
    );
    assert_eq!(f.unblock("a", "b").await, Ok(done(3, None)));
    assert_eq!(f.unblock("a", "b").await, Ok(done(3, None)));
    // An acceptance that was on its way all the time.
    assert_eq!(
        f.ensure_at(10, 1, "b", "a", START).await.verdict,
        Verdict::Removed
    );
    f.tick(1);
    assert!(matches!(
        f.ensure(11, 1, "b", "a").await.verdict,
        Verdict::Created { .. }
    ));
    f.check().await;
}

async fn blocks_are_bounded(engine: Engine) {
    let policy = Policy {
        blocks_max: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    f.connect("a", "d").await;
    for other in ["b", "c"] {
        f.block("a", other).await.unwrap();
    }
    assert_eq!(
        f.block("a", "d").await,
        Err(Refusal::BlockLimitReached { blocks_max: 2 })
    );
    assert_eq!(
        f.connections("a").await,
        ["d"],
        "nothing changes on refusal"
    );
    f.block("a", "b").await.unwrap();
    f.unblock("a", "b").await.unwrap();
    f.block("a", "d").await.unwrap();
    f.check().await;
}

async fn relationships_show_ones_own_side_only(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.block("a", "c").await.unwrap();
    f.block("d", "a").await.unwrap();
    f.remove("a", "e").await.unwrap();
    let found = f
        .store
        .relationships(id("a"), ids(&["b", "c", "d", "e", "f", "b"]))
        .await;
    let connected = Relationship::Connected(START);
    let none = Relationship::None;
    assert_eq!(
        found.unwrap(),
        [
            connected,
            Relationship::Blocked,
            none,
            none,
            none,
            connected
        ]
    );
}

async fn lists_are_paged_newest_first(engine: Engine) {
    let f = Fixture::on(engine).await;
    let others = ["b", "c", "d", "e", "f"];
    for (n, other) in others.iter().enumerate() {
        f.connect("a", other).await;
        f.block("z", other).await.unwrap();
        // Two at the same moment.
        f.tick(i64::from(n != 2));
    }
    let newest_first = ["f", "e", "d", "c", "b"];
    let mut after: Option<Line> = None;
    let mut seen = Vec::new();
    loop {
        let page = f.store.blocks(id("z"), after, 2).await.unwrap();
        assert_eq!(page.total, 5);
        assert!(page.lines.len() <= 2);
        after = page.lines.last().cloned();
        seen.extend(names(&page.lines));
        if !page.more {
            break;
        }
    }
    assert_eq!(seen, newest_first);
    let mut request = ListRequest::newest(2);
    let mut seen = Vec::new();
    loop {
        let page = f.store.connections(id("a"), request.clone()).await.unwrap();
        assert_eq!((page.total.number, page.total.is_minimum), (5, false));
        assert!(page.lines.len() <= 2);
        seen.extend(page.lines.iter().map(|line| line.other.to_string()));
        let Some(next) = page.next else { break };
        request.after = Some(next);
    }
    assert_eq!(seen, newest_first);
}

async fn facts_are_read_with_their_position(engine: Engine) {
    let f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.block("c", "a").await.unwrap();
    f.remove("a", "e").await.unwrap();
    let page = f
        .store
        .pair_facts(pairs("a", &["b", "c", "d"]))
        .await
        .unwrap();
    assert_eq!((page.position, page.facts.len()), (2, 3));
    assert!(page.facts[0].1.connection.is_some());
    assert_eq!(
        page.facts[1].1.blocked,
        Sides {
            low: false,
            high: true
        }
    );
    assert!(page.facts[2].1.is_empty());
    // All pairs, one looked at in each page; a mark is no fact.
    let (mut after, mut listed, mut pages) = (None, Vec::new(), 0);
    loop {
        let page = f.store.all_facts(after, 1).await.unwrap();
        pages += 1;
        listed.extend(page.facts.iter().map(|(key, _)| key.high().to_string()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((listed, pages), (vec!["b".to_owned(), "c".to_owned()], 4));
}

async fn the_stores_time_never_goes_back(engine: Engine) {
    let mut f = Fixture::on(engine).await;
    f.connect("a", "b").await;
    f.clock.set(at(5));
    f.connect("a", "c").await;
    f.restart().await;
    f.connect("a", "d").await;
    let page = f.store.connections(id("a"), ListRequest::newest(9)).await;
    let times = page.unwrap().lines;
    assert!(
        times.iter().all(|line| line.connect_time == START),
        "{times:?}"
    );
}
