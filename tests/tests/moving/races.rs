//! Imports beside acceptances, removals, blocks and erasures: whatever meets, the stores agree, everything counted is there, and of whoever
//! was erased nothing is.

use std::{sync::Arc, time::Duration};

use acquaint_tests::{
    Connections,
    device::Device,
    moving::{Row, import},
    pair::{Pair, Setup},
    rig::check::{Caps, STORED, Stores},
    wait::eventually,
};
use fastrand::Rng;
use service_kit::{
    clock::{Clock as _, SystemClock},
    time::Span,
};

/// Those between whom everything happens.
const MEMBERS: usize = 14;
/// How many of them are erased in the midst of it.
const ERASED: usize = 4;
/// How many acts each device does.
const ACTS: usize = 120;
/// How many devices act, and how many imports run one after the other on each of two streams.
const DEVICES: u64 = 4;
const IMPORTS: usize = 12;
/// So low that it stands against some of it.
const CONNECTIONS_MAX: u32 = 9;

fn name(nth: usize) -> String {
    format!("race-member-{nth:02}")
}

fn two(dice: &mut Rng) -> (String, String) {
    let one = dice.usize(..MEMBERS);
    let other = (one + dice.usize(1..MEMBERS)) % MEMBERS;
    (name(one), name(other))
}

/// Does what members do. Each act may be refused by what others have done meanwhile.
async fn act(pair: Arc<Pair>, seed: u64) {
    let device = Device::of(&pair);
    let mut dice = Rng::with_seed(seed);
    for _ in 0..ACTS {
        let (one, other) = two(&mut dice);
        match dice.u8(..10) {
            0..5 => {
                if let Ok(sent) = device.clone().send(one, other.clone()).await
                    && let Some(invitation) = sent.invitation
                    && dice.bool()
                {
                    let id = invitation.invitation_id;
                    let _ = device.clone().accept(other, id).await;
                }
            }
            5..7 => drop(device.clone().remove(one, other).await),
            7 => drop(device.clone().block(one, other).await),
            _ => drop(pair.unblock(&one, &other).await),
        }
    }
}

/// Imports everybody with everybody, again and again.
async fn import_all(connections: Connections, seed: u64) {
    let mut dice = Rng::with_seed(seed);
    for _ in 0..IMPORTS {
        let now = SystemClock.now();
        let mut rows: Vec<Row> = Vec::new();
        for one in 0..MEMBERS {
            for other in one + 1..MEMBERS {
                rows.push((name(one), name(other), now.minus(Span::millis(1))));
            }
        }
        dice.shuffle(&mut rows);
        let answer = import(&connections, &rows).await.unwrap();
        let refused: i64 = answer.refusals.iter().map(|refused| refused.count).sum();
        let counted = answer.created_count + answer.existing_count + refused;
        assert_eq!(counted, i64::try_from(rows.len()).unwrap());
    }
}

async fn erase_some(pair: &Pair) {
    for nth in 0..ERASED {
        tokio::time::sleep(Duration::from_millis(40)).await;
        eventually("the erasure is complete", || async {
            pair.erase(&name(nth)).await.then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_meets_an_import_the_stores_agree_and_the_erased_are_gone() {
    let mut setup = Setup {
        system_clock: true,
        ..Setup::default()
    };
    setup.invitation_policy.weekly_cap = 100_000;
    setup.invitation_policy.probe_refusals_max = 100_000;
    setup.invitation_policy.connections_max = CONNECTIONS_MAX;
    setup.connection_policy.connections_max = CONNECTIONS_MAX;
    setup.connection_policy.job_chunk = 3;
    let pair = Arc::new(Pair::with(setup).await);
    pair.wait_for_feed().await;
    let acting = (0..DEVICES).map(|seed| tokio::spawn(act(pair.clone(), seed)));
    let acting: Vec<_> = acting.collect();
    let importing = [71, 72].map(|seed| {
        let connections = Device::of(&pair).connections;
        tokio::spawn(import_all(connections, seed))
    });
    erase_some(&pair).await;
    for task in acting.into_iter().chain(importing) {
        task.await.unwrap();
    }
    let stores = Stores::open(&pair.invitation_file(), &pair.connection_file());
    let caps = Caps {
        weekly: u32::MAX,
        pending: u32::MAX,
        connections: CONNECTIONS_MAX,
    };
    stores.know(&[], caps);
    let mut wrong = Vec::new();
    // What is wrong is told, not that it does not go away.
    for _ in 0..200 {
        wrong = stores.violations_of(STORED);
        if wrong.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(wrong, Vec::<String>::new());
    let made = stores.rows("select count(*) from c.fact where kind = 1 and invitation_id is null");
    assert_ne!(made, ["0"], "something was imported");
    for file in [pair.invitation_file(), pair.connection_file()] {
        let left = left(&file);
        assert!(left.is_empty(), "{}: {left:#?}", file.display());
    }
    let pair = Arc::into_inner(pair).expect("nobody else has the pair");
    pair.stop().await;
}

/// The rows of a store that name somebody who was erased.
fn left(file: &std::path::Path) -> Vec<String> {
    let conn = rusqlite::Connection::open(file).unwrap();
    let tables = "select name from sqlite_schema where type = 'table'";
    let mut tables = conn.prepare(tables).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut left = Vec::new();
    for table in tables.map(Result::unwrap) {
        let mut rows = conn.prepare(&format!("select * from \"{table}\"")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<rusqlite::types::Value> =
                (0..columns).map(|at| row.get(at).unwrap()).collect();
            let text = format!("{table}: {values:?}");
            if (0..ERASED).any(|nth| text.contains(&name(nth))) {
                left.push(text);
            }
        }
    }
    left
}
