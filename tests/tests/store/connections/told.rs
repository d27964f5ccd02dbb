//! What the feed says of each thing that can happen to a pair, whichever of the two sorts first.

use connection_service::domain::{
    fact::{Fact, Kept, PairEvent},
    pair::Connection,
};
use service_kit::id::Side;

use super::{feed::entries, *};

over_every_engine! {
    of_each_thing_that_happens {
        a_connection: Happens { after: Holds::Connection, ..Happens::of(PairEvent::Connected) },
        an_imported_connection: Happens { imported: true, after: Holds::Connection, ..Happens::of(PairEvent::Connected) },
        a_removal: Happens { ends: true, ..Happens::of(PairEvent::Removed) },
        a_block_of_a_connection: Happens { ends: true, after: Holds::Block, ..Happens::of(PairEvent::Blocked) },
        a_block_of_a_stranger: Happens { after: Holds::Block, ..Happens::of(PairEvent::Blocked) },
        the_end_of_a_block: Happens::of(PairEvent::Unblocked),
        the_erasure_of_a_member: Happens { ends: true, ..Happens::of(PairEvent::Severed) },
    },
    of_a_member_alone {
        who_knows_nobody: &[],
        who_knows_one: &["x"],
        who_knows_many: &["b", "c", "x", "y", "z"],
    },
}

/// What holds afterwards, on the side of who acts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Nothing,
    Connection,
    Block,
}

struct Happens {
    event: PairEvent,
    imported: bool,
    /// Whether a connection ends.
    ends: bool,
    after: Holds,
}

impl Happens {
    fn of(event: PairEvent) -> Self {
        Self {
            event,
            imported: false,
            ends: false,
            after: Holds::Nothing,
        }
    }
}

async fn of_each_thing_that_happens(engine: Engine, happens: Happens) {
    for (one, other) in [("ann", "ben"), ("zoe", "ben")] {
        let mut f = Fixture::on(engine).await;
        let invitation = Uuid::from_u128(77);
        if happens.ends {
            f.ensure(77, 1, other, one).await;
        }
        if happens.event == PairEvent::Unblocked {
            f.block(one, other).await.unwrap();
        }
        f.tick(5);
        let (head, now) = (f.head().await, f.clock.now());
        match happens.event {
            PairEvent::Connected if happens.imported => {
                assert_eq!(f.import(&[(one, other)]).await, [Outcome::Created]);
            }
            PairEvent::Connected => drop(f.ensure(77, 1, other, one).await),
            PairEvent::Removed => drop(f.remove(one, other).await.unwrap()),
            PairEvent::Blocked => drop(f.block(one, other).await.unwrap()),
            PairEvent::Unblocked => drop(f.unblock(one, other).await.unwrap()),
            PairEvent::Severed => drop(f.store.erase_member(id(one)).await.unwrap()),
        }
        f.restart().await;
        let told = entries(&f, head).await;
        let last = told.last().unwrap();
        let erased = u64::from(happens.event == PairEvent::Severed);
        assert_eq!(told.len() as u64, 1 + erased, "{one}");
        assert_eq!((last.position, last.time), (head + 1 + erased, now));
        let Kept::Fact(Fact::Pair {
            key: of,
            event,
            after,
            ended,
        }) = &last.kept
        else {
            panic!("of a pair: {:?}", last.kept)
        };
        assert_eq!((of, *event), (&key(one, other), happens.event));
        let connection = |connect_time, imported: bool| Connection {
            connect_time,
            invitation: (!imported).then_some(invitation),
        };
        let before = happens.ends.then(|| connection(START, false));
        assert_eq!(*ended, before, "{one}");
        let made = happens.after == Holds::Connection;
        let made = made.then(|| connection(now, happens.imported));
        assert_eq!(after.connection, made, "{one}");
        let side = of.side_of(&id(one)).unwrap();
        for at in Side::BOTH {
            let blocked = happens.after == Holds::Block && at == side;
            assert_eq!(*after.blocked.get(at), blocked, "{one}");
        }
        f.check().await;
    }
}

async fn of_a_member_alone(engine: Engine, known: &[&str]) {
    let f = Fixture::on(engine).await;
    for other in known {
        f.connect("m", other).await;
    }
    let head = f.head().await;
    f.store.erase_member(id("m")).await.unwrap();
    let told = entries(&f, head).await;
    assert_eq!(told[0].kept, Kept::Fact(Fact::Erased(id("m"))));
    let mut severed: Vec<_> = told[1..]
        .iter()
        .map(|entry| match &entry.kept {
            Kept::Fact(Fact::Pair {
                key,
                event: PairEvent::Severed,
                ..
            }) => {
                let side = key.side_of(&id("m")).unwrap();
                key.member(side.other()).to_string()
            }
            other => panic!("the end of a connection: {other:?}"),
        })
        .collect();
    severed.sort();
    assert_eq!(severed, known);
    f.check().await;
}
