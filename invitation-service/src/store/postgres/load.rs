//! Loading what the commands of a batch have asked for: one statement for each kind of row and lane, all sent together.
//!
//! The row of the history's end is locked first, so that everything is read after every commit before this one, rows that are not there
//! included; then the rows that guard others (pairs, members), in the order of their keys, lanes ascending; all else is read after them.
//! Deliberately absent: which rows are asked for (`batch_rows.rs`).

use futures::future::BoxFuture;
use service_kit::{
    id::{MemberId, PairKey},
    postgres::{
        BatchRows, ByLane, Client, Columns, Failure, Locking, Row, Statement, Stored, all,
        lane_numbers, lane_of, member_lane, types::Type,
    },
};
use uuid::Uuid;

use super::{
    batch::{Batch, Found, Range},
    ranges::look_through,
    tables::{
        invitation::{self, entry_columns},
        member::{self, member_columns},
        pair::{self, pair_columns},
        request::{self, request_columns},
    },
};
use crate::store::codec;

macro_rules! pairs_sql {
    ($lock:literal) => {
        Statement::new(
            concat!(
                "select ",
                pair_columns!(),
                " from unnest($2::text[], $3::text[]) as k (low, high) join pair t on t.lane = $1 and t.low = k.low and t.high = k.high
                 order by t.low, t.high",
                $lock
            ),
            &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
        )
    };
}
macro_rules! members_sql {
    ($lock:literal) => {
        Statement::new(
            concat!(
                "select ",
                member_columns!(),
                " from member t where t.lane = $1 and t.member = any($2) order by t.member",
                $lock
            ),
            &[Type::INT4, Type::TEXT_ARRAY],
        )
    };
}

const PAIRS: Statement = pairs_sql!("");
const LOCK_PAIRS: Statement = pairs_sql!(" for update of t");
const MEMBERS: Statement = members_sql!("");
const LOCK_MEMBERS: Statement = members_sql!(" for update");
const ERASED: Statement = Statement::new(
    "select member_hash from erased where lane = $1 and member_hash = any($2)",
    &[Type::INT4, Type::BYTEA_ARRAY],
);
// One look for each place, for the key has it before the id. The limit keeps the planner from reading all that the member has instead.
pub(super) const ENTRIES: Statement = Statement::new(
    concat!(
        "select ",
        entry_columns!(),
        " from unnest($2::text[], $3::uuid[]) as k (member, invitation_id) cross join unnest('{0,1,2,3,4,5}'::smallint[]) as p (place)
         cross join lateral (select * from invitation
             where lane = $1 and member = k.member and place = p.place and invitation_id = k.invitation_id limit 1) as t"
    ),
    &[Type::INT4, Type::TEXT_ARRAY, Type::UUID_ARRAY],
);
const REQUESTS: Statement = Statement::new(
    concat!(
        "select ",
        request_columns!(),
        " from unnest($2::text[], $3::uuid[]) as k (inviter, request_id)
         join request t on t.lane = $1 and t.inviter = k.inviter and t.request_id = k.request_id"
    ),
    &[Type::INT4, Type::TEXT_ARRAY, Type::UUID_ARRAY],
);
const COOLDOWNS: Statement = Statement::new(
    "select ordered_pair, until from withdraw_cooldown where lane = $1 and ordered_pair = any($2)",
    &[Type::INT4, Type::BYTEA_ARRAY],
);
/// Every statement of loading.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        PAIRS,
        LOCK_PAIRS,
        MEMBERS,
        LOCK_MEMBERS,
        ERASED,
        ENTRIES,
        REQUESTS,
        COOLDOWNS,
    ]
}

/// What is asked of the database, and what came of it.
struct Asked {
    pairs: ByLane<PairKey>,
    members: ByLane<MemberId>,
    hashes: ByLane<([u8; 16], MemberId)>,
    entries: ByLane<(MemberId, Uuid)>,
    remembered: ByLane<(MemberId, Uuid)>,
    cooldowns: ByLane<[u8; 16]>,
    ranges: Vec<Range>,
}

/// The hash under which an erased id is remembered.
pub(super) fn erased_hash(batch: &Batch, id: &MemberId) -> [u8; 16] {
    let parts = [id.as_str().as_bytes()];
    batch.secret.keyed_hash("acquaint erased member", &parts)
}

impl Asked {
    fn of(batch: &Batch, lanes: u16) -> Self {
        let hashes = batch.members.wanted().map(|id| {
            let hash = erased_hash(batch, id);
            (hash, id.clone())
        });
        Self {
            pairs: ByLane::of(batch.pairs.wanted().cloned(), |key| {
                member_lane(key.low(), lanes)
            }),
            members: ByLane::of(batch.members.wanted().cloned(), |id| member_lane(id, lanes)),
            hashes: ByLane::of(hashes, |(hash, _)| lane_of(hash, lanes)),
            entries: ByLane::of(batch.entries.wanted().cloned(), |(id, _)| {
                member_lane(id, lanes)
            }),
            remembered: ByLane::of(batch.remembered.wanted().cloned(), |(id, _)| {
                member_lane(id, lanes)
            }),
            cooldowns: ByLane::of(batch.cooldowns.wanted().copied(), |key| lane_of(key, lanes)),
            ranges: batch.ranges.wanted().cloned().collect(),
        }
    }
}

/// What came of a statement, to be taken into the batch.
enum Came {
    Begun,
    Head(Vec<Row>),
    Pairs(Vec<Row>),
    Members(Vec<Row>),
    Erased(Vec<Row>),
    Entries(Vec<Row>),
    Remembered(Vec<Row>),
    Cooldowns(Vec<Row>),
    Range(Range, Found),
}

type Coming<'a> = BoxFuture<'a, Result<Came, Failure>>;

/// See [`service_kit::postgres::BatchRows::load`].
pub(super) async fn load(
    client: &Client,
    batch: &mut Batch,
    lanes: u16,
    locking: Locking,
    begin: Option<&str>,
    head: Option<&Statement>,
) -> Result<Vec<Row>, Failure> {
    let asked = Asked::of(batch, lanes);
    let mut statements: Vec<Coming<'_>> = Vec::new();
    if let Some(begin) = begin {
        statements.push(Box::pin(async move {
            client.begin(begin).await?;
            Ok(Came::Begun)
        }));
    }
    if let Some(head) = head {
        statements.push(Box::pin(async move {
            Ok(Came::Head(head.query(client, &[]).await?))
        }));
    }
    ask_guards(client, &asked, locking, &mut statements);
    ask_others(client, &asked, &mut statements);
    let lanes = lane_numbers(lanes);
    for range in &asked.ranges {
        let lanes = lanes.clone();
        statements.push(Box::pin(async move {
            let found = look_through(client, range, &lanes).await?;
            Ok(Came::Range(range.clone(), found))
        }));
    }
    let came = all(statements).await?;
    let mut found = Vec::new();
    for came in came {
        if let Came::Head(rows) = came {
            found = rows;
        } else {
            take(batch, &asked, came)?;
        }
    }
    none_where_nothing_came(batch, &asked)?;
    Ok(found)
}

/// The statements for the rows that guard others.
fn ask_guards<'a>(
    client: &'a Client,
    asked: &'a Asked,
    locking: Locking,
    statements: &mut Vec<Coming<'a>>,
) {
    let locked = locking == Locking::Locked;
    for (lane, keys) in asked.pairs.iter() {
        let lows: Vec<&str> = keys.iter().map(|key| key.low().as_str()).collect();
        let highs: Vec<&str> = keys.iter().map(|key| key.high().as_str()).collect();
        statements.push(Box::pin(async move {
            let statement = if locked { LOCK_PAIRS } else { PAIRS };
            let rows = statement.query(client, &[&lane, &lows, &highs]).await?;
            Ok(Came::Pairs(rows))
        }));
    }
    for (lane, ids) in asked.members.iter() {
        let ids: Vec<&str> = ids.iter().map(MemberId::as_str).collect();
        statements.push(Box::pin(async move {
            let statement = if locked { LOCK_MEMBERS } else { MEMBERS };
            Ok(Came::Members(
                statement.query(client, &[&lane, &ids]).await?,
            ))
        }));
    }
}

/// The statements for the other rows that are asked for by their keys.
fn ask_others<'a>(client: &'a Client, asked: &'a Asked, statements: &mut Vec<Coming<'a>>) {
    for (lane, hashes) in asked.hashes.iter() {
        let hashes: Vec<&[u8]> = hashes.iter().map(|(hash, _)| hash.as_slice()).collect();
        statements.push(Box::pin(async move {
            Ok(Came::Erased(ERASED.query(client, &[&lane, &hashes]).await?))
        }));
    }
    for (lane, keys) in asked.entries.iter() {
        let (members, ids) = in_columns(keys);
        statements.push(Box::pin(async move {
            let rows = ENTRIES.query(client, &[&lane, &members, &ids]).await?;
            Ok(Came::Entries(rows))
        }));
    }
    for (lane, keys) in asked.remembered.iter() {
        let (members, ids) = in_columns(keys);
        statements.push(Box::pin(async move {
            let rows = REQUESTS.query(client, &[&lane, &members, &ids]).await?;
            Ok(Came::Remembered(rows))
        }));
    }
    for (lane, keys) in asked.cooldowns.iter() {
        let keys: Vec<&[u8]> = keys.iter().map(<[u8; 16]>::as_slice).collect();
        statements.push(Box::pin(async move {
            let rows = COOLDOWNS.query(client, &[&lane, &keys]).await?;
            Ok(Came::Cooldowns(rows))
        }));
    }
}

fn in_columns(keys: &[(MemberId, Uuid)]) -> (Vec<&str>, Vec<Uuid>) {
    keys.iter()
        .map(|(member, id)| (member.as_str(), *id))
        .unzip()
}

/// Takes what came into the batch.
fn take(batch: &mut Batch, asked: &Asked, came: Came) -> Result<(), Failure> {
    match came {
        Came::Begun | Came::Head(_) => {}
        Came::Pairs(rows) => {
            for row in &rows {
                let stored = pair::read(row)?;
                let key = stored.row.pair.key.clone();
                batch.pairs.load(&key, stored);
            }
        }
        Came::Members(rows) => {
            for row in &rows {
                let stored = member::read(row)?;
                let id = stored.row.id.clone();
                batch.members.load(&id, stored);
            }
        }
        Came::Erased(rows) => {
            for row in &rows {
                let found: &[u8] = Columns::new(row).get()?;
                let hashes = asked.hashes.keys();
                let erased = hashes.filter(|(hash, _)| hash == found);
                batch.erased.extend(erased.map(|(_, id)| id.clone()));
            }
        }
        Came::Entries(rows) => {
            for row in &rows {
                let (key, row) = invitation::read(row)?;
                batch.entries.load(&key, Stored { version: 0, row });
            }
        }
        Came::Remembered(rows) => {
            for row in &rows {
                let (key, row) = request::read(row)?;
                batch.remembered.load(&key, Stored { version: 0, row });
            }
        }
        Came::Cooldowns(rows) => {
            for row in &rows {
                let mut columns = Columns::new(row);
                let key = codec::hash(columns.get()?)?;
                let row = columns.time()?;
                batch.cooldowns.load(&key, Stored { version: 0, row });
            }
        }
        Came::Range(range, row) => batch.ranges.load(&range, Stored { version: 0, row }),
    }
    Ok(())
}

/// Notes of what was asked for and did not come that it is not there.
fn none_where_nothing_came(batch: &mut Batch, asked: &Asked) -> Result<(), Failure> {
    let Asked {
        pairs,
        members,
        hashes: _,
        entries,
        remembered,
        cooldowns,
        ranges: _,
    } = asked;
    for key in pairs.keys() {
        batch.pairs.load_none(key);
    }
    for key in members.keys() {
        batch.members.load_none(key);
    }
    for key in entries.keys() {
        batch.entries.load_none(key);
    }
    for key in remembered.keys() {
        batch.remembered.load_none(key);
    }
    for key in cooldowns.keys() {
        batch.cooldowns.load_none(key);
    }
    if batch.wants() {
        return Err(Failure::internal("a range was not loaded"));
    }
    Ok(())
}
