//! What is read of members, pairs and jobs, each in one snapshot.
//!
//! An erasure removes a member's pairs in steps; until it has, a pair with somebody who is being erased is read as if nothing were
//! between the two. Deliberately absent: the feed (see `feed`), and anything that writes.

use rusqlite::{Connection, Row, Rows, params};
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::secret::StoreSecret;
use service_kit::time::Time;

use super::codec::{self, PAIR_COLUMNS, to_i64};
use super::{erased_hash, read_acknowledged_by, read_erased, read_head, read_member, read_pair};
use crate::domain::fact::PairFacts;
use crate::domain::policy::Policy;
use crate::store::lists::{Part, no_page, page_of};
use crate::store::{Due, FactsPage, ListPage, Relationship};

/// How many erasures are worked on in one round.
const ERASURES_AT_ONCE_MAX: u32 = 100;

type Found<T> = Result<T, StoreError>;

pub(super) fn is_erased(conn: &Connection, secret: &StoreSecret, id: &MemberId) -> Found<bool> {
    Ok(read_erased(conn, &erased_hash(secret, id))?.is_some())
}

pub(super) fn relationship(
    conn: &Connection,
    member: &MemberId,
    other: &MemberId,
) -> Found<Relationship> {
    let key = PairKey::new(member, other);
    let found = key.and_then(|key| Some((key.side_of(member)?, key)));
    let (side, key) =
        found.ok_or_else(|| StoreError::internal("nobody is related to themselves"))?;
    let relationship = Relationship::of(&read_pair(conn, &key)?, side);
    if relationship == Relationship::None {
        return Ok(relationship);
    }
    let erased = is_being_erased(conn, member)? || is_being_erased(conn, other)?;
    Ok(if erased {
        Relationship::None
    } else {
        relationship
    })
}

/// The two lists that are shown.
#[derive(Clone, Copy)]
pub(super) enum Shown {
    Connections,
    Blocks,
}

pub(super) fn list<L>(
    conn: &Connection,
    shown: Shown,
    member: &MemberId,
    part: Part<'_>,
    line: impl Fn(MemberId, Time) -> L,
) -> Found<ListPage<L>> {
    // Someone who is being erased has no row any more, but may have lines left.
    let Some(counted) = read_member(conn, member)? else {
        return Ok(no_page());
    };
    let (sql, total) = match shown {
        Shown::Connections => (CONNECTIONS, counted.connections),
        Shown::Blocks => (
            "select other, block_time from block
             where member = ?1 and (block_time, other) < (?2, ?3) and block_time > ?4
             order by block_time desc, other desc limit ?5",
            counted.blocks,
        ),
    };
    let ((time, other), later_than) = part.bounds();
    let mut statement = conn.prepare_cached(sql)?;
    let rows = statement.query(params![
        member.as_str(),
        time,
        other,
        later_than,
        part.limit_and_one()
    ])?;
    read_page(rows, part.limit, total, line)
}

/// A page from rows of the other member and the time.
pub(super) fn read_page<L>(
    rows: Rows<'_>,
    limit: u32,
    total: u32,
    line: impl Fn(MemberId, Time) -> L,
) -> Found<ListPage<L>> {
    let read = |row: &Row<'_>| Ok(line(codec::member_id(row, 0)?, codec::time(row, 1)?));
    page_of(rows.and_then(read), limit, total)
}

/// A page of connections.
pub(super) const CONNECTIONS: &str = "select other, connect_time from connection
     where member = ?1 and (connect_time, other) < (?2, ?3) and connect_time > ?4
     order by connect_time desc, other desc limit ?5";

pub(super) fn pair_facts(
    conn: &Connection,
    secret: &StoreSecret,
    keys: Vec<PairKey>,
) -> Found<FactsPage> {
    let position = read_head(conn)?.position;
    let mut facts = Vec::with_capacity(keys.len());
    for key in keys {
        let erased = Sides {
            low: is_erased(conn, secret, key.low())?,
            high: is_erased(conn, secret, key.high())?,
        };
        let pair = read_pair(conn, &key)?;
        facts.push((key, PairFacts::of(&pair, erased)));
    }
    Ok(FactsPage {
        facts,
        next: None,
        position,
    })
}

pub(super) fn all_facts(
    conn: &Connection,
    after: Option<&PairKey>,
    limit: u32,
) -> Found<FactsPage> {
    let position = read_head(conn)?.position;
    let (low, high) = after.map_or(("", ""), |key| (key.low().as_str(), key.high().as_str()));
    let sql = format!(
        "select {PAIR_COLUMNS} from pair where (low, high) > (?1, ?2) order by low, high limit ?3"
    );
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![low, high, limit])?;
    let mut page = FactsPage {
        facts: Vec::new(),
        next: None,
        position,
    };
    let mut looked_at = 0;
    while let Some(row) = rows.next()? {
        let (key, pair) = codec::pair(row)?;
        looked_at += 1;
        page.next = Some(key.clone());
        let erased = is_being_erased(conn, key.low())? || is_being_erased(conn, key.high())?;
        let facts = pair.facts();
        if !erased && !facts.is_empty() {
            page.facts.push((key, facts));
        }
    }
    if looked_at < limit {
        page.next = None;
    }
    Ok(page)
}

/// In the order of time positions only grow, so looking at the oldest is enough.
pub(super) const OLDEST_VERDICT: &str =
    "select decide_time, position from verdict order by decide_time, position limit 1";

pub(super) fn due(conn: &Connection, clock: Time, policy: &Policy) -> Found<Due> {
    let head = read_head(conn)?;
    let now = clock.max(head.last_time);
    let until = |kept| now.minus(kept);
    let verdicts_until = until(policy.verdicts_kept);
    let mut statement = conn.prepare_cached(OLDEST_VERDICT)?;
    let mut rows = statement.query([])?;
    let verdicts = match rows.next()? {
        Some(row) => {
            codec::time(row, 0)? <= verdicts_until
                && codec::position(row, 1)? <= read_acknowledged_by(conn, verdicts_until)?
        }
        None => false,
    };
    Ok(Due {
        removal_marks: first_time_is_until(
            conn,
            "select min(removed_time) from removal_mark",
            until(policy.removal_mark_kept),
        )?,
        verdicts,
        facts: first_time_is_until(
            conn,
            "select time from fact order by position limit 1",
            until(policy.facts_kept),
        )?,
        dropped_labels: conn
            .prepare_cached("select 1 from dropped_label limit 1")?
            .exists([])?,
        erasures: erasures(conn, head.acknowledged)?,
    })
}

fn first_time_is_until(conn: &Connection, sql: &str, until: Time) -> Found<bool> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let first = match rows.next()? {
        Some(row) => codec::optional_time(row, 0)?,
        None => None,
    };
    Ok(first.is_some_and(|first| first <= until))
}

/// Whose erasure can go on.
fn erasures(conn: &Connection, acknowledged: u64) -> Found<Vec<MemberId>> {
    let mut statement = conn.prepare_cached(
        "select member from erasure
         where stage = 1 or stage = 3 or (stage = 2 and position <= ?1) limit ?2",
    )?;
    let mut rows = statement.query(params![to_i64(acknowledged)?, ERASURES_AT_ONCE_MAX])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(codec::member_id(row, 0)?);
    }
    Ok(members)
}

/// Whose pairs are being removed.
pub(super) fn severing(conn: &Connection) -> Found<Vec<MemberId>> {
    let mut statement = conn.prepare_cached("select member from erasure where stage = 1")?;
    let mut rows = statement.query([])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(codec::member_id(row, 0)?);
    }
    Ok(members)
}

/// Whether the member's pairs are being removed. Only then can there still be one.
pub(super) fn is_being_erased(conn: &Connection, id: &MemberId) -> Found<bool> {
    let mut statement = conn.prepare_cached("select 1 from erasure where member = ?1")?;
    Ok(statement.exists([id.as_str()])?)
}
