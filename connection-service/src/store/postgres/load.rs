//! Loading what the commands of a batch have asked for: one statement for each kind of row and lane, all sent together.
//!
//! The row of the history's end is locked first, so that everything is read after every commit before this one, rows that are not there
//! included; then the rows that guard others (pairs, members), in the order of their keys, lanes ascending; all else is read after them.
//! Deliberately absent: which rows are asked for (`batch_rows.rs`).

use futures::future::BoxFuture;
use service_kit::id::{MemberId, PairKey};
use service_kit::postgres::types::Type;
use service_kit::postgres::{
    ByLane, Client, Columns, Failure, Locking, Row, Statement, Stored, all, lane_numbers, lane_of,
    member_lane,
};
use service_kit::stored;
use service_kit::time::Time;
use uuid::Uuid;

use super::batch::{Batch, Found, LineKey, Range};
use super::ranges::look_through;
use super::tables::card::{self, card_columns};
use super::tables::erasure::{self, erasure_columns};
use super::tables::label;
use super::tables::member::{self, member_columns};
use super::tables::pair::{self, pair_columns};
use super::tables::verdict::{self, verdict_columns};
use crate::store::erasure::erased_hash;

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

pub(super) const PAIRS: Statement = pairs_sql!("");
const LOCK_PAIRS: Statement = pairs_sql!(" for update of t");
const MEMBERS: Statement = members_sql!("");
const LOCK_MEMBERS: Statement = members_sql!(" for update");
pub(super) const ERASED: Statement = Statement::new(
    "select hash, position from erased where lane = $1 and hash = any($2)",
    &[Type::INT4, Type::BYTEA_ARRAY],
);
const VERDICTS: Statement = Statement::new(
    concat!(
        "select ",
        verdict_columns!(),
        " from verdict where lane = $1 and invitation_id = any($2)"
    ),
    &[Type::INT4, Type::UUID_ARRAY],
);
const CARDS: Statement = Statement::new(
    concat!(
        "select ",
        card_columns!(),
        " from card where lane = $1 and member = any($2)"
    ),
    &[Type::INT4, Type::TEXT_ARRAY],
);
const NOTEBOOKS: Statement = Statement::new(
    "select member, annotations, labels, last_label from notebook where lane = $1 and member = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
const LABELS: Statement = Statement::new(
    "select member, id, text, connections from label where lane = $1 and member = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
const ANNOTATIONS: Statement = Statement::new(
    "select t.member, t.connect_time, t.other, t.labels, t.note
     from unnest($2::text[], $3::bigint[], $4::text[]) as k (member, connect_time, other)
     join annotation t on t.lane = $1 and t.member = k.member and t.connect_time = k.connect_time and t.other = k.other",
    &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
    ],
);
const DISMISSALS: Statement = Statement::new(
    "select t.member, t.other, t.time from unnest($2::text[], $3::text[]) as k (member, other)
     join dismissal t on t.lane = $1 and t.member = k.member and t.other = k.other",
    &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
);
const ERASURES: Statement = Statement::new(
    concat!(
        "select ",
        erasure_columns!(),
        " from erasure where lane = $1 and member = any($2)"
    ),
    &[Type::INT4, Type::TEXT_ARRAY],
);

/// Every statement of loading.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        PAIRS,
        LOCK_PAIRS,
        MEMBERS,
        LOCK_MEMBERS,
        ERASED,
        VERDICTS,
        CARDS,
        NOTEBOOKS,
        LABELS,
        ANNOTATIONS,
        DISMISSALS,
        ERASURES,
    ]
}

/// What is asked of the database.
struct Asked {
    pairs: ByLane<PairKey>,
    members: ByLane<MemberId>,
    hashes: ByLane<([u8; 16], MemberId)>,
    verdicts: ByLane<Uuid>,
    cards: ByLane<MemberId>,
    notebooks: ByLane<MemberId>,
    labels: ByLane<MemberId>,
    annotations: ByLane<LineKey>,
    dismissals: ByLane<(MemberId, MemberId)>,
    erasures: ByLane<MemberId>,
    ranges: Vec<Range>,
}

impl Asked {
    fn of(batch: &Batch, lanes: u16) -> Self {
        let of_member = |id: &MemberId| member_lane(id, lanes);
        let hashes = batch.members.wanted().map(|id| {
            let hash = erased_hash(&batch.secret, id);
            (hash, id.clone())
        });
        Self {
            pairs: ByLane::of(batch.pairs.wanted().cloned(), |key| of_member(key.low())),
            members: ByLane::of(batch.members.wanted().cloned(), of_member),
            hashes: ByLane::of(hashes, |(hash, _)| lane_of(hash, lanes)),
            verdicts: ByLane::of(batch.verdicts.wanted().copied(), |id| {
                lane_of(id.as_bytes(), lanes)
            }),
            cards: ByLane::of(batch.cards.wanted().cloned(), of_member),
            notebooks: ByLane::of(batch.notebooks.wanted().cloned(), of_member),
            labels: ByLane::of(batch.labels.wanted().cloned(), of_member),
            annotations: ByLane::of(batch.annotations.wanted().cloned(), |(id, ..)| {
                of_member(id)
            }),
            dismissals: ByLane::of(batch.dismissals.wanted().cloned(), |(id, _)| of_member(id)),
            erasures: ByLane::of(batch.erasures.wanted().cloned(), of_member),
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
    Verdicts(Vec<Row>),
    Cards(Vec<Row>),
    Notebooks(Vec<Row>),
    Labels(Vec<Row>),
    Annotations(Vec<Row>),
    Dismissals(Vec<Row>),
    Erasures(Vec<Row>),
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
    let numbers = lane_numbers(lanes);
    for range in &asked.ranges {
        let numbers = numbers.clone();
        statements.push(Box::pin(async move {
            let found = look_through(client, range, &numbers).await?;
            Ok(Came::Range(range.clone(), found))
        }));
    }
    let came = all(statements).await?;
    let mut head = Vec::new();
    for came in came {
        if let Came::Head(rows) = came {
            head = rows;
        } else {
            take(batch, &asked, came)?;
        }
    }
    none_where_nothing_came(batch, &asked)?;
    Ok(head)
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
        statements.push(Box::pin(async move {
            let lows: Vec<&str> = keys.iter().map(|key| key.low().as_str()).collect();
            let highs: Vec<&str> = keys.iter().map(|key| key.high().as_str()).collect();
            let statement = if locked { LOCK_PAIRS } else { PAIRS };
            let rows = statement.query(client, &[&lane, &lows, &highs]).await?;
            Ok(Came::Pairs(rows))
        }));
    }
    for (lane, ids) in asked.members.iter() {
        statements.push(Box::pin(async move {
            let statement = if locked { LOCK_MEMBERS } else { MEMBERS };
            let rows = statement.query(client, &[&lane, &texts(ids)]).await?;
            Ok(Came::Members(rows))
        }));
    }
}

/// The statements for everything else that is asked for by its key.
fn ask_others<'a>(client: &'a Client, asked: &'a Asked, statements: &mut Vec<Coming<'a>>) {
    for (lane, hashes) in asked.hashes.iter() {
        statements.push(Box::pin(async move {
            let hashes: Vec<&[u8]> = hashes.iter().map(|(hash, _)| hash.as_slice()).collect();
            Ok(Came::Erased(ERASED.query(client, &[&lane, &hashes]).await?))
        }));
    }
    for (lane, ids) in asked.verdicts.iter() {
        statements.push(Box::pin(async move {
            Ok(Came::Verdicts(
                VERDICTS.query(client, &[&lane, &ids]).await?,
            ))
        }));
    }
    for (of_members, statement, came) in [
        (&asked.cards, CARDS, Came::Cards as fn(Vec<Row>) -> Came),
        (&asked.notebooks, NOTEBOOKS, Came::Notebooks),
        (&asked.labels, LABELS, Came::Labels),
        (&asked.erasures, ERASURES, Came::Erasures),
    ] {
        for (lane, ids) in of_members.iter() {
            let statement = statement.clone();
            statements.push(Box::pin(async move {
                let rows = statement.query(client, &[&lane, &texts(ids)]).await?;
                Ok(came(rows))
            }));
        }
    }
    for (lane, keys) in asked.annotations.iter() {
        statements.push(Box::pin(async move {
            let members: Vec<&str> = keys.iter().map(|(member, ..)| member.as_str()).collect();
            let times: Vec<i64> = keys.iter().map(|(_, time, _)| time.millis()).collect();
            let others: Vec<&str> = keys.iter().map(|(.., other)| other.as_str()).collect();
            let rows = ANNOTATIONS
                .query(client, &[&lane, &members, &times, &others])
                .await?;
            Ok(Came::Annotations(rows))
        }));
    }
    for (lane, keys) in asked.dismissals.iter() {
        statements.push(Box::pin(async move {
            let members: Vec<&str> = keys.iter().map(|(member, _)| member.as_str()).collect();
            let others: Vec<&str> = keys.iter().map(|(_, other)| other.as_str()).collect();
            let rows = DISMISSALS
                .query(client, &[&lane, &members, &others])
                .await?;
            Ok(Came::Dismissals(rows))
        }));
    }
}

fn texts(ids: &[MemberId]) -> Vec<&str> {
    ids.iter().map(MemberId::as_str).collect()
}

/// Takes what came into the batch.
fn take(batch: &mut Batch, asked: &Asked, came: Came) -> Result<(), Failure> {
    match came {
        Came::Begun | Came::Head(_) => {}
        Came::Pairs(rows) => {
            for row in &rows {
                let (key, stored) = pair::read(row)?;
                batch.pairs.load(&key, stored);
            }
        }
        Came::Members(rows) => {
            for row in &rows {
                let (id, stored) = member::read(row)?;
                batch.members.load(&id, stored);
            }
        }
        Came::Erased(rows) => {
            for row in &rows {
                let found = stored::hash(Columns::new(row).get()?)?;
                let erased = asked.hashes.keys().filter(|(hash, _)| *hash == found);
                batch.erased.extend(erased.map(|(_, id)| id.clone()));
            }
        }
        Came::Verdicts(rows) => {
            for row in &rows {
                let (id, stored) = verdict::read(row)?;
                batch.verdicts.load(&id, stored);
            }
        }
        Came::Cards(rows) => {
            for row in &rows {
                let (member, found) = card::read(row)?;
                batch.cards.load(&member, card::loaded(found));
            }
        }
        Came::Notebooks(rows) => {
            for row in &rows {
                let mut columns = Columns::new(row);
                let member = columns.member_id()?;
                let notebook = label::read_notebook(&mut columns)?;
                batch.notebooks.load(&member, unversioned(notebook));
            }
        }
        Came::Labels(rows) => take_labels(batch, &rows)?,
        Came::Annotations(rows) => {
            for row in &rows {
                let mut columns = Columns::new(row);
                let key = line(&mut columns)?;
                let annotation = label::read_annotation(&mut columns)?;
                batch.annotations.load(&key, unversioned(annotation));
            }
        }
        Came::Dismissals(rows) => {
            for row in &rows {
                let mut columns = Columns::new(row);
                let key = (columns.member_id()?, columns.member_id()?);
                batch.dismissals.load(&key, unversioned(columns.time()?));
            }
        }
        Came::Erasures(rows) => {
            for row in &rows {
                let (member, stored) = erasure::read(row)?;
                batch.erasures.load(&member, stored);
            }
        }
        Came::Range(range, found) => batch.ranges.load(&range, unversioned(found)),
    }
    Ok(())
}

/// A row of a kind that has no versions: the lock of another guards it.
fn unversioned<T>(row: T) -> Stored<T> {
    Stored { version: 0, row }
}

/// A line of a list, from whose it is, its time, and the other member.
pub(super) fn line(columns: &mut Columns<'_>) -> Result<(MemberId, Time, MemberId), Failure> {
    Ok((columns.member_id()?, columns.time()?, columns.member_id()?))
}

fn take_labels(batch: &mut Batch, rows: &[Row]) -> Result<(), Failure> {
    let mut of_members = std::collections::BTreeMap::<MemberId, _>::new();
    for row in rows {
        let mut columns = Columns::new(row);
        let member = columns.member_id()?;
        let (id, label) = label::read_label(&mut columns)?;
        of_members
            .entry(member)
            .or_insert_with(super::batch::Labels::new)
            .insert(id, label);
    }
    for (member, labels) in of_members {
        batch.labels.load(&member, unversioned(labels));
    }
    Ok(())
}

/// Notes of what was asked for and did not come that it is not there.
fn none_where_nothing_came(batch: &mut Batch, asked: &Asked) -> Result<(), Failure> {
    let Asked {
        pairs,
        members,
        hashes: _,
        verdicts,
        cards,
        notebooks,
        labels,
        annotations,
        dismissals,
        erasures,
        ranges: _,
    } = asked;
    pairs.keys().for_each(|key| batch.pairs.load_none(key));
    members.keys().for_each(|key| batch.members.load_none(key));
    verdicts
        .keys()
        .for_each(|key| batch.verdicts.load_none(key));
    cards.keys().for_each(|key| batch.cards.load_none(key));
    notebooks
        .keys()
        .for_each(|key| batch.notebooks.load_none(key));
    labels.keys().for_each(|key| batch.labels.load_none(key));
    annotations
        .keys()
        .for_each(|key| batch.annotations.load_none(key));
    dismissals
        .keys()
        .for_each(|key| batch.dismissals.load_none(key));
    erasures
        .keys()
        .for_each(|key| batch.erasures.load_none(key));
    if batch.wants_rows() {
        return Err(Failure::internal("a range was not loaded"));
    }
    Ok(())
}
