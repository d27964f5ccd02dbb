//! What is read of members and pairs, each in one snapshot. Each read costs what it returns, never what the store holds.
//!
//! An erasure removes a member's pairs in steps; until it has, a pair with somebody who is being erased is read as if nothing were
//! between the two. Whoever is being erased has no row any more, but may have lines left. Deliberately absent: lists of connections
//! (`lists.rs`), the feed (`feed.rs`), and anything that writes.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{
    ByLane, Columns, Failure, ReadSnapshot, Row, Statement, all, lane_numbers, lane_of,
};
use service_kit::secret::StoreSecret;

use super::batch::Batch;
use super::load::{ERASED, PAIRS};
use super::tables::{
    member::{self, member_columns},
    pair::{self, pair_columns},
};
use crate::domain::fact::PairFacts;
use crate::domain::member::Member;
use crate::domain::pair::Pair;
use crate::domain::policy::Policy;
use crate::store::erasure::erased_hash;
use crate::store::lists::{Part, no_page, page_of};
use crate::store::{FactsPage, Line, ListPage, Relationship};

const MEMBER: Statement = Statement::new(
    concat!(
        "select ",
        member_columns!(),
        " from member t where t.lane = $1 and t.member = $2"
    ),
    &[Type::INT4, Type::TEXT],
);
const BEING_ERASED: Statement = Statement::new(
    "select member from erasure where lane = $1 and member = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
const SEVERING: Statement = Statement::new(
    "select e.member from unnest($1::integer[]) as l (lane) cross join lateral
         (select member from erasure where lane = l.lane and stage = 1) as e",
    &[Type::INT4_ARRAY],
);
static BLOCKS: Statement = Statement::new(
    "select other, block_time from block
     where lane = $1 and member = $2 and (block_time, other) < ($3, $4) and block_time > $5
     order by block_time desc, other desc limit $6",
    &[
        Type::INT4,
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
    ],
);
// As many of each lane, for within one they lie in order.
const ALL_PAIRS: Statement = Statement::new(
    concat!(
        "select ",
        pair_columns!(),
        ", l.lane from unnest($1::integer[]) as l (lane) cross join lateral
             (select * from pair where lane = l.lane and (low, high) > ($2, $3) order by low, high limit $4) as t"
    ),
    &[Type::INT4_ARRAY, Type::TEXT, Type::TEXT, Type::INT8],
);

/// Every statement of reading.
pub(super) fn statements() -> Vec<Statement> {
    vec![MEMBER, BEING_ERASED, SEVERING, BLOCKS.clone(), ALL_PAIRS]
}

/// How many columns [`pair_columns`] names.
const PAIR_COLUMNS: usize = 9;

/// What is committed at one moment.
pub(super) struct Snapshot {
    pub(super) committed: ReadSnapshot<Batch>,
    pub(super) policy: Policy,
    pub(super) secret: StoreSecret,
}

impl Deref for Snapshot {
    type Target = ReadSnapshot<Batch>;

    fn deref(&self) -> &Self::Target {
        &self.committed
    }
}

impl Snapshot {
    /// Ends it with what was read.
    pub(super) async fn end<T>(self, read: Result<T, Failure>) -> Result<T, Failure> {
        self.committed.end(read).await
    }

    /// Runs a statement over a lane, members of it and `others`, once for each lane that some of `members` have, all sent together; the rows of all.
    pub(super) async fn of_members<'a>(
        &self,
        statement: &Statement,
        members: impl IntoIterator<Item = &'a MemberId>,
        others: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let client = self.client()?;
        let by_lane = ByLane::of(members, |member| self.lane(member));
        let lanes = by_lane.iter().map(|(lane, members)| {
            let members: Vec<&str> = members.iter().map(|member| member.as_str()).collect();
            Box::pin(async move {
                let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lane, &members];
                parameters.extend(others);
                statement.query(client, &parameters).await
            }) as _
        });
        let rows: Vec<Vec<Row>> = all(lanes.collect()).await?;
        Ok(rows.into_iter().flatten().collect())
    }

    /// Runs a statement that looks into every lane, over their numbers and `others`.
    pub(super) async fn in_lanes(
        &self,
        statement: &Statement,
        others: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let lanes = lane_numbers(self.lanes());
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lanes];
        parameters.extend(others);
        statement.query(self.client()?, &parameters).await
    }

    /// A member's row, if there is one.
    pub(super) async fn member(&self, id: &MemberId) -> Result<Option<Member>, Failure> {
        let rows = MEMBER
            .query(self.client()?, &[&self.lane(id), &id.as_str()])
            .await?;
        let stored = rows.first().map(member::read).transpose()?;
        Ok(stored.map(|(_, stored)| stored.row))
    }

    /// What is stored about pairs; those of which nothing is are missing.
    pub(super) async fn pairs(
        &self,
        keys: impl IntoIterator<Item = &PairKey>,
    ) -> Result<BTreeMap<PairKey, Pair>, Failure> {
        let client = self.client()?;
        let by_lane = ByLane::of(keys, |key| self.lane(key.low()));
        let lanes = by_lane.iter().map(|(lane, keys)| {
            let lows: Vec<&str> = keys.iter().map(|key| key.low().as_str()).collect();
            let highs: Vec<&str> = keys.iter().map(|key| key.high().as_str()).collect();
            Box::pin(async move { PAIRS.query(client, &[&lane, &lows, &highs]).await }) as _
        });
        let rows: Vec<Vec<Row>> = all(lanes.collect()).await?;
        let read = |row: Row| {
            let (key, stored) = pair::read(&row)?;
            Ok((key, stored.row))
        };
        rows.into_iter().flatten().map(read).collect()
    }

    /// Those of `members` whose erasure is not complete. Only they can still have a pair, of those who were erased.
    pub(super) async fn being_erased<'a>(
        &self,
        members: impl IntoIterator<Item = &'a MemberId>,
    ) -> Result<BTreeSet<MemberId>, Failure> {
        let rows = self.of_members(&BEING_ERASED, members, &[]).await?;
        let read = |row: &Row| Columns::new(row).member_id();
        rows.iter().map(read).collect()
    }

    /// Whose pairs are being removed.
    pub(super) async fn severing(&self) -> Result<Vec<MemberId>, Failure> {
        let rows = self.in_lanes(&SEVERING, &[]).await?;
        let read = |row: &Row| Columns::new(row).member_id();
        rows.iter().map(read).collect()
    }

    /// Those of `members` who were erased, each with the position of the fact of the erasure.
    pub(super) async fn erased<'a>(
        &self,
        members: impl IntoIterator<Item = &'a MemberId>,
    ) -> Result<BTreeMap<&'a MemberId, u64>, Failure> {
        let client = self.client()?;
        let hashes: BTreeMap<[u8; 16], &MemberId> = members
            .into_iter()
            .map(|member| (erased_hash(&self.secret, member), member))
            .collect();
        let by_lane = ByLane::of(hashes.keys(), |hash| lane_of(*hash, self.lanes()));
        let lanes = by_lane.iter().map(|(lane, hashes)| {
            let hashes: Vec<&[u8]> = hashes.iter().map(|hash| hash.as_slice()).collect();
            Box::pin(async move { ERASED.query(client, &[&lane, &hashes]).await }) as _
        });
        let rows: Vec<Vec<Row>> = all(lanes.collect()).await?;
        let mut erased = BTreeMap::new();
        for row in rows.iter().flatten() {
            let mut columns = Columns::new(row);
            let hash: &[u8] = columns.get()?;
            let member = hashes.get(hash).copied();
            let member = member.ok_or_else(|| Failure::corrupt("a hash of nobody"))?;
            erased.insert(member, columns.position()?);
        }
        Ok(erased)
    }

    /// Whether the member was erased.
    pub(super) async fn is_erased(&self, member: &MemberId) -> Result<bool, Failure> {
        Ok(!self.erased([member]).await?.is_empty())
    }

    /// What each of `others` is to `member`, in their order.
    pub(super) async fn relationships(
        &self,
        member: &MemberId,
        others: &[MemberId],
    ) -> Result<Vec<Relationship>, Failure> {
        let of = |other| {
            let key = PairKey::new(member, other)?;
            Some((key.side_of(member)?, key))
        };
        let keys: Option<Vec<_>> = others.iter().map(of).collect();
        let keys = keys.ok_or_else(|| StoreError::internal("nobody is related to themselves"))?;
        let everybody = others.iter().chain([member]);
        let (pairs, erased) = futures::try_join!(
            self.pairs(keys.iter().map(|(_, key)| key)),
            self.being_erased(everybody)
        )?;
        let relationship = |((side, key), other): (&(_, PairKey), &MemberId)| match pairs.get(key) {
            Some(pair) if !erased.contains(member) && !erased.contains(other) => {
                Relationship::of(pair, *side)
            }
            _ => Relationship::None,
        };
        Ok(keys.iter().zip(others).map(relationship).collect())
    }

    /// A page of those whom a member has blocked.
    pub(super) async fn blocks(
        &self,
        member: &MemberId,
        after: Option<&Line>,
        limit: u32,
    ) -> Result<ListPage, Failure> {
        let part = Part::page(after, limit);
        let (row, rows) =
            futures::try_join!(self.member(member), self.part(&BLOCKS, member, &part, &[]))?;
        let Some(row) = row else {
            return Ok(no_page());
        };
        page_of(rows.iter().map(read_line), limit, row.blocks)
    }

    /// The rows of a part of one of a member's lists, one more than it may have; `more` are the statement's parameters after those of the part.
    pub(super) async fn part(
        &self,
        statement: &Statement,
        member: &MemberId,
        part: &Part<'_>,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        let ((time, other), later_than) = part.bounds();
        let (lane, whose, limit) = (self.lane(member), member.as_str(), part.limit_and_one());
        let mut parameters: Vec<&(dyn ToSql + Sync)> =
            vec![&lane, &whose, &time, &other, &later_than, &limit];
        parameters.extend(more);
        statement.query(self.client()?, &parameters).await
    }

    /// The facts of pairs, in their order.
    pub(super) async fn pair_facts(&self, keys: &[PairKey]) -> Result<FactsPage, Failure> {
        let members = keys.iter().flat_map(|key| [key.low(), key.high()]);
        let (pairs, erased) = futures::try_join!(self.pairs(keys), self.erased(members))?;
        let facts = keys.iter().map(|key| {
            let erased = Sides {
                low: erased.contains_key(key.low()),
                high: erased.contains_key(key.high()),
            };
            let pair = pairs.get(key).copied().unwrap_or_default();
            (key.clone(), PairFacts::of(&pair, erased))
        });
        Ok(FactsPage {
            facts: facts.collect(),
            next: None,
            position: self.begun().await?.head.seen.position,
        })
    }

    /// A page of all pairs with a connection or a block, in the order of their keys, whatever lanes they lie in.
    pub(super) async fn all_facts(
        &self,
        after: Option<&PairKey>,
        limit: u32,
    ) -> Result<FactsPage, Failure> {
        let (low, high) = after.map_or(("", ""), |key| (key.low().as_str(), key.high().as_str()));
        let each = i64::from(of_each_lane(limit, self.lanes()));
        let rows = self.in_lanes(&ALL_PAIRS, &[&low, &high, &each]).await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in &rows {
            let (key, stored) = pair::read(row)?;
            let mut columns = Columns::new(row);
            columns.skip(PAIR_COLUMNS);
            found.push((columns.get::<i32>()?, key, stored.row));
        }
        let (looked_at, next) = in_order(found, each, limit);
        let members = looked_at
            .iter()
            .flat_map(|(key, _)| [key.low(), key.high()]);
        let erased = self.being_erased(members.collect::<BTreeSet<_>>()).await?;
        let mut page = FactsPage {
            facts: Vec::new(),
            next,
            position: self.begun().await?.head.seen.position,
        };
        for (key, pair) in looked_at {
            let facts = pair.facts();
            let of_erased = erased.contains(key.low()) || erased.contains(key.high());
            if !of_erased && !facts.is_empty() {
                page.facts.push((key, facts));
            }
        }
        Ok(page)
    }
}

/// A line of a list, from a row of the other member and the time.
pub(super) fn read_line(row: &Row) -> Result<Line, Failure> {
    let mut columns = Columns::new(row);
    Ok(Line {
        other: columns.member_id()?,
        time: columns.time()?,
    })
}

/// How many pairs are read of each lane for a page of `limit` pairs. Pairs are spread evenly: twice a lane's share is enough for almost a
/// whole page, and of few in each lane some more are.
fn of_each_lane(limit: u32, lanes: u16) -> u32 {
    const SHARE_MIN: u32 = 16;
    let share = limit.div_ceil(u32::from(lanes.max(1)));
    share.saturating_mul(2).max(SHARE_MIN).min(limit)
}

/// The first `limit` at most of all pairs, of which the first `each` of each lane were found; and the last of them, if more may follow. What
/// comes after the last that was found of a lane with more is not known yet.
fn in_order<P>(
    mut found: Vec<(i32, PairKey, P)>,
    each: i64,
    limit: u32,
) -> (Vec<(PairKey, P)>, Option<PairKey>) {
    let mut lanes = BTreeMap::<i32, (i64, &PairKey)>::new();
    for (lane, key, _) in &found {
        let (count, last) = lanes.entry(*lane).or_insert((0, key));
        *count += 1;
        *last = (*last).max(key);
    }
    let with_more = lanes.values().filter(|(count, _)| *count >= each);
    let border = with_more.map(|(_, last)| *last).min().cloned();
    found.sort_unstable_by(|(_, a, _), (_, b, _)| a.cmp(b));
    let known = |key: &PairKey| border.as_ref().is_none_or(|border| key <= border);
    let all = found.len();
    let mut first: Vec<_> = found
        .into_iter()
        .map(|(_, key, pair)| (key, pair))
        .collect();
    first.retain(|(key, _)| known(key));
    first.truncate(limit as usize);
    let more = border.is_some() || first.len() < all;
    let next = first.last().filter(|_| more).map(|(key, _)| key.clone());
    (first, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixtures::key;

    /// The keys of pages, one after the other, of pairs that lie in lanes.
    fn pages(pairs: &[(i32, &str, &str)], limit: u32, lanes: u16) -> Vec<Vec<PairKey>> {
        let each = of_each_lane(limit, lanes);
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let mut found = Vec::new();
            for lane in 0..i32::from(lanes) {
                let of_lane = pairs.iter().filter(|(of, _, _)| *of == lane);
                let mut keys: Vec<_> = of_lane.map(|(_, a, b)| key(a, b)).collect();
                keys.retain(|key| after.as_ref().is_none_or(|after| key > after));
                keys.sort();
                keys.truncate(each as usize);
                found.extend(keys.into_iter().map(|key| (lane, key, ())));
            }
            let (page, next) = in_order(found, i64::from(each), limit);
            assert!(page.len() <= limit as usize);
            pages.push(page.into_iter().map(|(key, ())| key).collect());
            after = next;
            if after.is_none() {
                return pages;
            }
        }
    }

    #[test]
    fn pairs_of_all_lanes_come_in_their_order_and_once() {
        let names: Vec<String> = (0..200).map(|number| format!("m{number:03}")).collect();
        for lanes in [1_u16, 2, 3, 16] {
            // All of what comes first in one lane, then spread.
            let lane = |number: usize| match number {
                0..80 => 0,
                _ => i32::try_from(number).unwrap_or_default() % i32::from(lanes),
            };
            let pairs: Vec<_> = names
                .iter()
                .enumerate()
                .map(|(number, name)| (lane(number), name.as_str(), "z"))
                .collect();
            let expected: Vec<_> = names.iter().map(|name| key(name, "z")).collect();
            for limit in [1, 2, 7, 40, 200, 1_000] {
                let pages = pages(&pairs, limit, lanes);
                assert_eq!(pages.concat(), expected, "{lanes} lanes, {limit} a page");
            }
        }
    }

    #[test]
    fn a_page_is_read_from_few_rows() {
        assert_eq!(of_each_lane(1_000, 1), 1_000);
        assert_eq!(of_each_lane(1_000, 16), 126);
        assert_eq!(of_each_lane(1_000, 1_024), 16);
        assert_eq!(of_each_lane(1, 4), 1);
    }
}
