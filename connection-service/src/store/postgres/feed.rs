//! What is read of the feed.
//!
//! The whole feed is read forwards by position. One member's part is a chain that is read backwards: the member's row names their
//! last fact, and each fact the one before it of each of its members. Deliberately absent: who may see what (see `usecase`).

use service_kit::id::{MemberId, Sides};
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{Columns, Failure, Row, Statement};
use service_kit::stored::position_number;

use super::reads::Snapshot;
use crate::domain::fact::Entry;
use crate::domain::list_change::Step;
use crate::store::codec::{Effect, FactColumns, Link};
use crate::store::{Feed, FeedState, MemberFeed};

const ENTRIES: Statement = Statement::new(
    "select position, time, kind, low, high, connection, connect_time, invitation_id, blocked_by_low, blocked_by_high, blank
     from fact where lane = 0 and position > $1 order by position limit $2",
    &[Type::INT8, Type::INT8],
);
/// What a chain looks at of a fact, and where it goes on from there.
macro_rules! link_columns {
    () => {
        "select case when f.low = $1 then f.previous_low when f.high = $1 then f.previous_high else 0 end,
             f.position, f.low, f.high, f.connection, f.connect_time, f.previous_low, f.previous_high "
    };
}
/// A member's facts from one of them back to a position, the latest first.
const CHAIN: Statement = Statement::new(
    concat!(
        "with recursive chain (next, position, low, high, connection, connect_time, previous_low, previous_high) as (",
        link_columns!(),
        "from fact f where f.lane = 0 and f.position = $2
         union all ",
        link_columns!(),
        "from chain join fact f on f.lane = 0 and f.position = chain.next where chain.next > $3)
         select position, low, high, connection, connect_time, previous_low, previous_high from chain limit $4"
    ),
    &[Type::TEXT, Type::INT8, Type::INT8, Type::INT8],
);
const UNACKNOWLEDGED: Statement = Statement::new(
    "select e.position, e.member from unnest($1::integer[]) as l (lane) cross join unnest('{1,2,3}'::smallint[]) as s (stage) cross join lateral
         (select position, member from erasure where lane = l.lane and stage = s.stage and position > $2 and position <= $3
          order by position limit $4) as e
     order by e.position limit $4",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8, Type::INT8],
);

/// Every statement of reading the feed.
pub(super) fn statements() -> Vec<Statement> {
    vec![ENTRIES, CHAIN, UNACKNOWLEDGED]
}

impl Snapshot {
    /// Where the feed stands.
    pub(super) async fn feed_state(&self) -> Result<FeedState, Failure> {
        let head = self.begun().await?.head.seen;
        Ok(FeedState {
            head: head.position,
            pruned: head.pruned,
            acknowledged: head.acknowledged,
        })
    }

    /// At most `limit` entries of the feed after a position.
    pub(super) async fn feed(&self, after: u64, limit: u32) -> Result<Feed, Failure> {
        let seen = self.begun().await?.head.seen;
        if after < seen.pruned {
            return Ok(Feed::TooOld);
        }
        let parameters: [&(dyn ToSql + Sync); 2] = [&position_number(after), &i64::from(limit)];
        let rows = ENTRIES.query(self.client()?, &parameters).await?;
        let entries = rows.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
        let through = entries.last().map_or(after, |entry| entry.position);
        Ok(Feed::Entries {
            more: through < seen.position,
            through,
            entries,
        })
    }

    /// What the feed after a position says about one member's list of connections.
    pub(super) async fn member_feed(
        &self,
        member: &MemberId,
        after: u64,
    ) -> Result<MemberFeed, Failure> {
        let seen = self.begun().await?.head.seen;
        if after < seen.pruned {
            return Ok(MemberFeed::TooOld);
        }
        let (row, erased) = futures::try_join!(self.member(member), self.erased([member]))?;
        let last = match row {
            Some(known) => known.last_fact,
            // The chain of an erased member is gone; of whom nothing is known, there is none.
            None => match erased.get(member) {
                Some(erased) if after < *erased => return Ok(MemberFeed::TooOld),
                _ => 0,
            },
        };
        let Some(links) = self.chain(member, last, after).await? else {
            return Ok(MemberFeed::TooOld);
        };
        let mut steps = Vec::new();
        for (position, link) in links {
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
            through: seen.position,
        })
    }

    /// A member's chain from their last fact back to a position, the latest first; `None` where it has more links than a watch reads at once.
    async fn chain(
        &self,
        member: &MemberId,
        last: u64,
        after: u64,
    ) -> Result<Option<Vec<(u64, Link)>>, Failure> {
        let mut links = Vec::new();
        if last <= after {
            return Ok(Some(links));
        }
        let backlog_max = self.policy.member_backlog_max;
        let parameters: [&(dyn ToSql + Sync); 4] = [
            &member.as_str(),
            &position_number(last),
            &position_number(after),
            &(i64::from(backlog_max) + 1),
        ];
        let rows = CHAIN.query(self.client()?, &parameters).await?;
        let mut next = last;
        for row in &rows {
            let (position, link) = link(row, member)?;
            if position != next {
                return Err(Failure::corrupt("a member's chain is out of order"));
            }
            next = link.previous;
            links.push((position, link));
        }
        if links.len() > backlog_max as usize {
            return Ok(None);
        }
        if next > after {
            return Err(Failure::corrupt("a member's chain is broken"));
        }
        Ok(Some(links))
    }

    /// Up to `limit` erasures with a position after `after` and up to `through` that were not acknowledged, in order.
    pub(super) async fn unacknowledged_erasures(
        &self,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<(u64, MemberId)>, Failure> {
        let acknowledged = self.begun().await?.head.seen.acknowledged;
        let others: [&(dyn ToSql + Sync); 3] = [
            &position_number(after.max(acknowledged)),
            &position_number(through),
            &i64::from(limit),
        ];
        let rows = self.in_lanes(&UNACKNOWLEDGED, &others).await?;
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            Ok((columns.position()?, columns.member_id()?))
        };
        rows.iter().map(read).collect()
    }
}

/// A row of [`ENTRIES`].
fn entry(row: &Row) -> Result<Entry, Failure> {
    let mut columns = Columns::new(row);
    let (position, time) = (columns.position()?, columns.time()?);
    let fact = FactColumns {
        kind: columns.small()?,
        named: Sides {
            low: columns.optional_member_id()?,
            high: columns.optional_member_id()?,
        },
        connection: columns.small()?,
        connect_time: columns.optional_time()?,
        invitation: columns.get()?,
        blocked: Sides {
            low: columns.get()?,
            high: columns.get()?,
        },
        blank: columns.get()?,
    };
    Ok(Entry {
        position,
        time,
        kept: fact.kept()?,
    })
}

/// A row of [`CHAIN`], with its position.
fn link(row: &Row, member: &MemberId) -> Result<(u64, Link), Failure> {
    let mut columns = Columns::new(row);
    let position = columns.position()?;
    let named = Sides {
        low: columns.optional_member_id()?,
        high: columns.optional_member_id()?,
    };
    let connection = (columns.small()?, columns.optional_time()?);
    let previous = Sides {
        low: columns.position()?,
        high: columns.position()?,
    };
    Ok((position, Link::of(member, named, connection, previous)?))
}
