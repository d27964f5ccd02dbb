//! What is read of the feed.
//!
//! The whole feed is read forwards by position. One member's part is a chain that is read backwards: the member's row names their
//! last fact, and each fact the one before it of each of its members. Deliberately absent: who may see what (see `usecase`).

use rusqlite::{Connection, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;

use super::codec::{self, FACT_COLUMNS, LINK_COLUMNS, to_i64};
use super::{read_erased, read_head, read_member};
use crate::domain::list_change::Step;
use crate::store::codec::Effect;
use crate::store::{Feed, FeedState, MemberFeed};

type Found<T> = Result<T, StoreError>;

pub(super) fn state(conn: &Connection) -> Found<FeedState> {
    let head = read_head(conn)?;
    Ok(FeedState {
        head: head.position,
        pruned: head.pruned,
        acknowledged: head.acknowledged,
    })
}

pub(super) fn entries(conn: &Connection, after: u64, limit: u32) -> Found<Feed> {
    let head = read_head(conn)?;
    if after < head.pruned {
        return Ok(Feed::TooOld);
    }
    let sql =
        format!("select {FACT_COLUMNS} from fact where position > ?1 order by position limit ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![to_i64(after)?, limit])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(codec::entry(row)?);
    }
    let through = entries.last().map_or(after, |entry| entry.position);
    Ok(Feed::Entries {
        more: through < head.position,
        through,
        entries,
    })
}

pub(super) fn member_steps(
    conn: &Connection,
    member: &MemberId,
    erased_hash: &[u8; 16],
    after: u64,
    backlog_max: u32,
) -> Found<MemberFeed> {
    let head = read_head(conn)?;
    if after < head.pruned {
        return Ok(MemberFeed::TooOld);
    }
    let mut next = match read_member(conn, member)? {
        Some(known) => known.last_fact,
        // The chain of an erased member is gone; of whom nothing is known, there is none.
        None => match read_erased(conn, erased_hash)? {
            Some(erased) if after < erased => return Ok(MemberFeed::TooOld),
            _ => 0,
        },
    };
    let sql = format!("select {LINK_COLUMNS} from fact where position = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut steps = Vec::new();
    let mut read = 0;
    while next > after {
        read += 1;
        if read > backlog_max {
            return Ok(MemberFeed::TooOld);
        }
        let mut rows = statement.query([to_i64(next)?])?;
        let row = rows.next()?;
        let row = row.ok_or_else(|| StoreError::corrupt("a member's chain is broken"))?;
        let link = codec::link(row, member)?;
        let position = std::mem::replace(&mut next, link.previous);
        let connected = match link.effect {
            Effect::None => continue,
            Effect::Listed(since) => Some(since),
            Effect::Unlisted => None,
        };
        // Without the name nobody can be told who came or left.
        let Some(other) = link.other else {
            return Ok(MemberFeed::TooOld);
        };
        steps.push(Step {
            position,
            other,
            connected,
        });
    }
    steps.reverse();
    Ok(MemberFeed::Steps {
        steps,
        through: head.position,
    })
}

pub(super) fn unacknowledged_erasures(
    conn: &Connection,
    after: u64,
    through: u64,
    limit: u32,
) -> Found<Vec<(u64, MemberId)>> {
    let acknowledged = read_head(conn)?.acknowledged;
    let mut statement = conn.prepare_cached(
        "select position, member from erasure where position > ?1 and position <= ?2
         order by position limit ?3",
    )?;
    let after = to_i64(after.max(acknowledged))?;
    let mut rows = statement.query(params![after, to_i64(through)?, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push((codec::position(row, 0)?, codec::member_id(row, 1)?));
    }
    Ok(found)
}
