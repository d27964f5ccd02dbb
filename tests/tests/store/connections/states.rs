//! Everything that can stand between two members, and what each command comes to there, whichever of the two sorts first.

use connection_service::{
    domain::{ensure::Full, fact::PairFacts, network::Tie},
    store::Relationship,
};
use service_kit::id::Sides;

use super::*;

over_every_engine! {
    removing {
        somebody_unknown: (Before::Nothing, Acting::Nothing),
        a_connection: (Before::Connected, Acting::Ends(NEITHER)),
        whom_one_has_blocked: (Before::BlockedByOne, Acting::Nothing),
        who_has_blocked_one: (Before::BlockedByOther, Acting::Nothing),
        where_both_have_blocked: (Before::BlockedByBoth, Acting::Nothing),
        whom_one_has_removed: (Before::RemovedByOne, Acting::Nothing),
        who_has_removed_one: (Before::RemovedByOther, Acting::Nothing),
        somebody_erased: (Before::OtherErased, Acting::Nothing),
        when_one_was_erased: (Before::OneErased, Acting::Refused),
    },
    blocking {
        somebody_unknown: (Before::Nothing, Acting::Changes(BY_ONE)),
        a_connection: (Before::Connected, Acting::Ends(BY_ONE)),
        whom_one_has_blocked: (Before::BlockedByOne, Acting::Nothing),
        who_has_blocked_one: (Before::BlockedByOther, Acting::Changes(BY_BOTH)),
        where_both_have_blocked: (Before::BlockedByBoth, Acting::Nothing),
        whom_one_has_removed: (Before::RemovedByOne, Acting::Changes(BY_ONE)),
        who_has_removed_one: (Before::RemovedByOther, Acting::Changes(BY_ONE)),
        somebody_erased: (Before::OtherErased, Acting::Nothing),
        when_one_was_erased: (Before::OneErased, Acting::Refused),
    },
    unblocking {
        somebody_unknown: (Before::Nothing, Acting::Nothing),
        a_connection: (Before::Connected, Acting::Nothing),
        whom_one_has_blocked: (Before::BlockedByOne, Acting::Changes(NEITHER)),
        who_has_blocked_one: (Before::BlockedByOther, Acting::Nothing),
        where_both_have_blocked: (Before::BlockedByBoth, Acting::Changes(BY_OTHER)),
        whom_one_has_removed: (Before::RemovedByOne, Acting::Nothing),
        who_has_removed_one: (Before::RemovedByOther, Acting::Nothing),
        somebody_erased: (Before::OtherErased, Acting::Nothing),
        when_one_was_erased: (Before::OneErased, Acting::Refused),
    },
    accepting {
        between_strangers: (Before::Nothing, CREATED),
        once_more: (Before::Connected, Verdict::Already { connect_time: START }),
        whom_one_has_blocked: (Before::BlockedByOne, Verdict::Blocked),
        who_has_blocked_one: (Before::BlockedByOther, Verdict::Blocked),
        where_both_have_blocked: (Before::BlockedByBoth, Verdict::Blocked),
        before_one_has_removed: (Before::RemovedByOne, Verdict::Removed),
        before_the_other_has_removed: (Before::RemovedByOther, Verdict::Removed),
        with_somebody_erased: (Before::OtherErased, Verdict::Erased),
        when_one_was_erased: (Before::OneErased, Verdict::Erased),
        when_one_is_full: (Before::OneFull, Verdict::Refused(Full::Acceptor)),
        when_the_other_is_full: (Before::OtherFull, Verdict::Refused(Full::Inviter)),
    },
    importing {
        between_strangers: (Before::Nothing, Outcome::Created),
        once_more: (Before::Connected, Outcome::Existing),
        whom_one_has_blocked: (Before::BlockedByOne, Outcome::Refused(Reason::Blocked)),
        who_has_blocked_one: (Before::BlockedByOther, Outcome::Refused(Reason::Blocked)),
        made_before_one_has_removed: (Before::RemovedByOne, Outcome::Refused(Reason::Removed)),
        made_before_the_other_has_removed: (Before::RemovedByOther, Outcome::Refused(Reason::Removed)),
        with_somebody_erased: (Before::OtherErased, Outcome::Refused(Reason::Erased)),
        when_one_was_erased: (Before::OneErased, Outcome::Refused(Reason::Erased)),
        when_one_is_full: (Before::OneFull, Outcome::Refused(Reason::ConnectionLimit)),
        when_the_other_is_full: (Before::OtherFull, Outcome::Refused(Reason::ConnectionLimit)),
    },
    reading {
        nothing: (Before::Nothing, Tie::None),
        a_connection: (Before::Connected, Tie::Connected),
        a_block: (Before::BlockedByOne, Tie::Hidden),
        a_block_by_the_other: (Before::BlockedByOther, Tie::Hidden),
        blocks_by_both: (Before::BlockedByBoth, Tie::Hidden),
        a_removal: (Before::RemovedByOne, Tie::None),
        somebody_erased: (Before::OtherErased, Tie::None),
    },
}

/// What stands between `one`, who acts, and the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Before {
    Nothing,
    Connected,
    BlockedByOne,
    BlockedByOther,
    BlockedByBoth,
    RemovedByOne,
    RemovedByOther,
    OneErased,
    OtherErased,
    OneFull,
    OtherFull,
}

/// Who has blocked whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Blocks {
    by_one: bool,
    by_other: bool,
}

const NEITHER: Blocks = Blocks {
    by_one: false,
    by_other: false,
};
const BY_ONE: Blocks = Blocks {
    by_one: true,
    by_other: false,
};
const BY_OTHER: Blocks = Blocks {
    by_one: false,
    by_other: true,
};
const BY_BOTH: Blocks = Blocks {
    by_one: true,
    by_other: true,
};

impl Before {
    /// What stands then.
    fn blocks(self) -> Blocks {
        match self {
            Self::BlockedByOne => BY_ONE,
            Self::BlockedByOther => BY_OTHER,
            Self::BlockedByBoth => BY_BOTH,
            _ => NEITHER,
        }
    }
}

/// What an act comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acting {
    /// It is done, and nothing that anybody is told of changes.
    Nothing,
    /// These blocks stand afterwards; there was no connection.
    Changes(Blocks),
    /// The connection has ended, and these blocks stand.
    Ends(Blocks),
    /// The member is not there.
    Refused,
}

/// When what is decided is decided.
const NOW: Time = at(1_000_020);
/// A connection made then.
const CREATED: Verdict = Verdict::Created { connect_time: NOW };
/// How many connections a member has room for.
const ROOM: u32 = 2;

/// The two who meet, the one who acts first: of each pair another one sorts first.
const TWO: [(&str, &str); 2] = [("one", "other"), ("z-one", "other-z")];

/// A store in which that stands between each of the [`TWO`], at [`NOW`].
async fn lay(engine: Engine, before: Before) -> Fixture {
    let f = Fixture::with(
        engine,
        Policy {
            connections_max: ROOM,
            ..Policy::default()
        },
    )
    .await;
    for (one, other) in TWO {
        match before {
            Before::Nothing | Before::OneErased | Before::OtherErased => {}
            Before::Connected => drop(f.connect(one, other).await),
            Before::BlockedByOne => drop(f.block(one, other).await.unwrap()),
            Before::BlockedByOther => drop(f.block(other, one).await.unwrap()),
            Before::BlockedByBoth => {
                f.block(one, other).await.unwrap();
                f.block(other, one).await.unwrap();
            }
            Before::RemovedByOne => drop(f.remove(one, other).await.unwrap()),
            Before::RemovedByOther => drop(f.remove(other, one).await.unwrap()),
            Before::OneFull => fill(&f, one).await,
            Before::OtherFull => fill(&f, other).await,
        }
        // With a connection to somebody, which nothing here touches but an erasure.
        f.connect(
            &format!("friend-of-{one}"),
            if before == Before::OneFull { "x" } else { one },
        )
        .await;
        match before {
            Before::OneErased => drop(f.store.erase_member(id(one)).await.unwrap()),
            Before::OtherErased => drop(f.store.erase_member(id(other)).await.unwrap()),
            _ => {}
        }
    }
    f.tick(NOW.since(START).as_millis());
    f
}

async fn fill(f: &Fixture, member: &str) {
    for number in 0..ROOM {
        f.connect(member, &format!("{member}-{number}")).await;
    }
}

/// The facts of a pair as `one` sees them: whether they are connected, and who has blocked whom.
async fn facts(f: &Fixture, one: &str, other: &str) -> (bool, Blocks, PairFacts) {
    let key = key(one, other);
    let page = f.store.pair_facts(vec![key.clone()]).await.unwrap();
    let facts = page.facts[0].1;
    let side = key.side_of(&id(one)).unwrap();
    let blocks = Blocks {
        by_one: *facts.blocked.get(side),
        by_other: *facts.blocked.get(side.other()),
    };
    (facts.connection.is_some(), blocks, facts)
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Remove,
    Block,
    Unblock,
}

async fn acted(f: &Fixture, act: Act, one: &str, other: &str) -> Result<Acted, Refusal> {
    match act {
        Act::Remove => f.remove(one, other).await,
        Act::Block => f.block(one, other).await,
        Act::Unblock => f.unblock(one, other).await,
    }
}

async fn removing(engine: Engine, (before, expected): (Before, Acting)) {
    acting(engine, Act::Remove, before, expected).await;
}

async fn blocking(engine: Engine, (before, expected): (Before, Acting)) {
    acting(engine, Act::Block, before, expected).await;
}

async fn unblocking(engine: Engine, (before, expected): (Before, Acting)) {
    acting(engine, Act::Unblock, before, expected).await;
}

/// Does it, and again, and again in the next process: what it comes to, it comes to once.
async fn acting(engine: Engine, act: Act, before: Before, expected: Acting) {
    let mut f = lay(engine, before).await;
    for (one, other) in TWO {
        let head = f.head().await;
        let (was_connected, ..) = facts(&f, one, other).await;
        let done = acted(&f, act, one, other).await;
        let (changes, ended, connected, blocks) = match expected {
            Acting::Nothing => (0, None, was_connected, before.blocks()),
            Acting::Changes(blocks) => (1, None, false, blocks),
            Acting::Ends(blocks) => (1, Some(START), false, blocks),
            Acting::Refused => {
                assert_eq!(done, Err(Refusal::MemberNotFound));
                assert_eq!(f.head().await, head);
                continue;
            }
        };
        let done = done.unwrap();
        assert_eq!(done.ended, ended);
        assert_eq!(f.head().await, head + changes);
        if changes == 1 {
            assert_eq!(done.fact, head + 1, "the other service should know of it");
        }
        assert_eq!(act_again(&mut f, act, one, other).await, done.fact);
        assert_eq!(f.head().await, head + changes);
        let (is_connected, stand, _) = facts(&f, one, other).await;
        assert_eq!((is_connected, stand), (connected, blocks));
        assert_eq!(f.connections(one).await.len(), 1 + usize::from(connected));
        assert_eq!(f.connections(other).await.len(), usize::from(connected));
        assert_eq!(f.blocks(one).await.len(), usize::from(blocks.by_one));
        assert_eq!(f.blocks(other).await.len(), usize::from(blocks.by_other));
    }
    f.check().await;
}

/// Repeats an act here and in the next process, both of which find nothing to do; the last fact that they name.
async fn act_again(f: &mut Fixture, act: Act, one: &str, other: &str) -> u64 {
    let here = acted(f, act, one, other).await.unwrap();
    f.restart().await;
    let there = acted(f, act, one, other).await.unwrap();
    assert_eq!((here.ended, here.fact), (None, there.fact));
    assert_eq!(there.ended, None);
    there.fact
}

async fn accepting(engine: Engine, (before, expected): (Before, Verdict)) {
    let mut f = lay(engine, before).await;
    for (number, (one, other)) in (1..).zip(TWO) {
        let head = f.head().await;
        // Accepted when it all began.
        let first = f.ensure_at(number, 2, other, one, START).await;
        assert_eq!(first.verdict, expected);
        let created = expected == CREATED;
        assert_eq!(first.position, head + u64::from(created));
        let (connected, blocks, now) = facts(&f, one, other).await;
        assert_eq!(first.facts, now);
        assert_eq!(connected, created || before == Before::Connected);
        assert_eq!(blocks, before.blocks());
        // Whoever asks again is told the same, also by the next process; whoever asks about an earlier attempt is too late.
        assert_eq!(f.ensure_at(number, 2, other, one, START).await, first);
        f.restart().await;
        assert_eq!(f.ensure_at(number, 2, other, one, START).await, first);
        let earlier = f.ensure_at(number, 1, other, one, START).await;
        assert_eq!(earlier.verdict, Verdict::Superseded);
        assert_eq!(f.head().await, first.position);
        let made_by = now.connection.and_then(|connection| connection.invitation);
        if created {
            assert_eq!(made_by, Some(Uuid::from_u128(number)));
        }
    }
    f.check().await;
}

async fn importing(engine: Engine, (before, expected): (Before, Outcome)) {
    let f = lay(engine, before).await;
    let imported = TWO.map(|(one, other)| Imported {
        key: key(one, other),
        connect_time: START,
    });
    let head = f.head().await;
    let outcomes = f.store.import(imported.to_vec().into()).await.unwrap();
    assert_eq!(outcomes, [expected; 2]);
    let created = expected == Outcome::Created;
    assert_eq!(f.head().await, head + 2 * u64::from(created));
    for (one, other) in TWO {
        let (connected, blocks, facts) = facts(&f, one, other).await;
        assert_eq!(connected, created || before == Before::Connected);
        assert_eq!(blocks, before.blocks());
        if let (true, Some(connection)) = (created, facts.connection) {
            assert_eq!(
                (connection.connect_time, connection.invitation),
                (START, None)
            );
        }
    }
    f.check().await;
    let again = f.store.import(imported.to_vec().into()).await.unwrap();
    let existing = [Outcome::Existing; 2];
    assert_eq!(again, if created { existing } else { [expected; 2] });
}

async fn reading(engine: Engine, (before, tie): (Before, Tie)) {
    let f = lay(engine, before).await;
    for (one, other) in TWO {
        let (connected, blocks, facts) = facts(&f, one, other).await;
        assert_eq!(connected, tie == Tie::Connected);
        assert_eq!(blocks, before.blocks());
        let key = key(one, other);
        let is_gone = before == Before::OtherErased;
        let gone = Sides {
            low: is_gone && key.low() == &id(other),
            high: is_gone && key.high() == &id(other),
        };
        assert_eq!(facts.erased, gone);
        for (member, of, blocked) in [(one, other, blocks.by_one), (other, one, blocks.by_other)] {
            let related = f.store.relationships(id(member), ids(&[of])).await.unwrap();
            let expected = if blocked {
                Relationship::Blocked
            } else if connected {
                Relationship::Connected(START)
            } else {
                Relationship::None
            };
            assert_eq!(related, [expected], "{member}");
            let between = f.store.between(id(member), ids(&[of]), true, 1_000).await;
            let between = between.unwrap().unwrap()[0];
            assert_eq!(
                (between.tie, between.mutual_count),
                (tie, Some(0)),
                "{member}"
            );
        }
        let all = f.store.all_facts(None, 100).await.unwrap().facts;
        let listed = all.iter().any(|(of, _)| *of == key);
        assert_eq!(listed, connected || blocks != NEITHER);
    }
}
