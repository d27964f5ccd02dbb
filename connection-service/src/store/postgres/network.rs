//! Ties, and whom members do not want suggested.
//!
//! Deliberately absent: searches over ties (see `store::network`), and when they are run again (see `ties`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{Columns, Failure, Row, Statement};

use super::reads::Snapshot;
use super::ties::{Asked, LoadedTies};
use crate::domain::network::{Between, MutualPage, Suggested, SuggestionPage, Tie};
use crate::store::Line;
use crate::store::lists::place_after;
use crate::store::network;

const COUNTS: Statement = Statement::new(
    "select member, connections from member where lane = $1 and member = any($2)",
    &[Type::INT4, Type::TEXT_ARRAY],
);
const CONNECTIONS_OF: Statement = Statement::new(
    "select c.member, c.other from unnest($2::text[]) as k (member) cross join lateral
         (select member, other from connection where lane = $1 and member = k.member and other <> all($3) limit $4) as c",
    &[
        Type::INT4,
        Type::TEXT_ARRAY,
        Type::TEXT_ARRAY,
        Type::INT8,
    ],
);
const DISMISSALS: Statement = Statement::new(
    "select other from dismissal where lane = $1 and member = $2",
    &[Type::INT4, Type::TEXT],
);
const DISMISSED: Statement = Statement::new(
    "select other, time from dismissal where lane = $1 and member = $2 and (time, other) < ($3, $4)
     order by time desc, other desc limit $5",
    &[Type::INT4, Type::TEXT, Type::INT8, Type::TEXT, Type::INT8],
);

/// How often a search is run again for what it still asks for.
const PASSES_MAX: usize = 64;

/// Every statement about ties and dismissals.
pub(super) fn statements() -> Vec<Statement> {
    vec![COUNTS, CONNECTIONS_OF, DISMISSALS, DISMISSED]
}

impl Snapshot {
    /// Whom a member does not want suggested.
    pub(super) async fn dismissals(&self, member: &MemberId) -> Result<Vec<MemberId>, Failure> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.lane(member), &member.as_str()];
        let rows = DISMISSALS.query(self.client()?, &parameters).await?;
        let other = |row: &Row| Columns::new(row).member_id();
        rows.iter().map(other).collect()
    }

    /// Up to `limit` of them, newest first, after a line.
    pub(super) async fn dismissed(
        &self,
        member: &MemberId,
        after: Option<&Line>,
        limit: u32,
    ) -> Result<Vec<Line>, Failure> {
        let (time, other) = place_after(after);
        let parameters: [&(dyn ToSql + Sync); 5] = [
            &self.lane(member),
            &member.as_str(),
            &time,
            &other,
            &i64::from(limit),
        ];
        let rows = DISMISSED.query(self.client()?, &parameters).await?;
        rows.iter().map(super::reads::read_line).collect()
    }

    /// What there is between a member and each of `others`, in their order.
    pub(super) async fn between(
        &self,
        member: &MemberId,
        others: &[MemberId],
        with_mutual_counts: bool,
        rows_max: u32,
    ) -> Result<Option<Vec<Between>>, Failure> {
        let search = |ties: &LoadedTies| {
            network::between(ties, member, others, with_mutual_counts, rows_max)
        };
        Ok(self.search(rows_max, search).await?.flatten())
    }

    /// Whether the two of each pair have a connection in common and no block between them.
    pub(super) async fn have_mutual(
        &self,
        keys: &[PairKey],
        rows_max: u32,
    ) -> Result<Vec<Option<bool>>, Failure> {
        let search = |ties: &LoadedTies| network::have_mutual(ties, keys, rows_max);
        let found = self.search(rows_max, search).await?;
        Ok(found.unwrap_or_else(|| vec![None; keys.len()]))
    }

    /// A page of the connections that two members have in common, by id, from after one of them.
    pub(super) async fn mutual_connections(
        &self,
        key: &PairKey,
        after: Option<&MemberId>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<MutualPage>, Failure> {
        let search = |ties: &LoadedTies| network::mutual_page(ties, key, after, limit, rows_max);
        Ok(self.search(rows_max, search).await?.flatten())
    }

    /// A page of whom a member may know and has not dismissed, from after a suggestion.
    pub(super) async fn suggestions(
        &self,
        member: &MemberId,
        after: Option<&Suggested>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<SuggestionPage>, Failure> {
        let but_for = self.dismissals(member).await?;
        let search = |ties: &LoadedTies| {
            network::suggestions(ties, member, but_for.clone(), after, limit, rows_max)
        };
        Ok(self.search(rows_max, search).await?.flatten())
    }

    /// What a search comes to that may read `rows_max` rows; `None` where it asks for ever more.
    async fn search<T>(
        &self,
        rows_max: u32,
        search: impl Fn(&LoadedTies) -> Result<T, StoreError>,
    ) -> Result<Option<T>, Failure> {
        let severing = self.severing().await?;
        let mut ties = LoadedTies::new(rows_max);
        for _ in 0..PASSES_MAX {
            let came = search(&ties);
            let missing = ties.take_missing();
            if missing.is_empty() {
                return Ok(Some(came?));
            }
            self.load_ties(&mut ties, missing, &severing, rows_max)
                .await?;
        }
        Ok(None)
    }

    /// Loads what is missing, as far as it may be.
    async fn load_ties(
        &self,
        ties: &mut LoadedTies,
        mut missing: Vec<Asked>,
        severing: &[MemberId],
        rows_max: u32,
    ) -> Result<(), Failure> {
        let counts = self.connection_counts(&missing).await?;
        let rows = missing.iter().map(|asked| match asked {
            Asked::Tie(_) => 1,
            Asked::Connections(member) => counts.get(member).copied().unwrap_or(0),
        });
        missing.truncate(ties.loadable(rows));
        let (mut lists, mut keys) = (HashMap::new(), Vec::new());
        for asked in missing {
            match asked {
                Asked::Tie(key) => keys.push(key),
                Asked::Connections(member) => {
                    lists.insert(member, Vec::new());
                }
            }
        }
        let (rows, found) = futures::try_join!(
            // Who has no row has no connections, or is being erased and has none any more.
            self.connections_of(
                lists.keys().filter(|member| counts.contains_key(*member)),
                severing,
                rows_max
            ),
            self.ties_of(&keys),
        )?;
        for row in &rows {
            let mut columns = Columns::new(row);
            let (member, other) = (columns.member_id()?, columns.member_id()?);
            let list = lists.get_mut(&member);
            let list = list.ok_or_else(|| Failure::corrupt("a connection of a stranger"))?;
            list.push(other);
        }
        for (member, list) in lists {
            ties.put_connections(member, list);
        }
        for (key, tie) in keys.into_iter().zip(found) {
            ties.put_tie(key, tie);
        }
        Ok(())
    }

    /// How many connections those have whose connections are asked for. Who has no row is missing.
    async fn connection_counts(&self, asked: &[Asked]) -> Result<BTreeMap<MemberId, u32>, Failure> {
        let members = asked.iter().filter_map(|asked| match asked {
            Asked::Connections(member) => Some(member),
            Asked::Tie(_) => None,
        });
        let rows = self.of_members(&COUNTS, members, &[]).await?;
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            Ok((columns.member_id()?, columns.count()?))
        };
        rows.iter().map(read).collect()
    }

    /// Rows of a member and one whom they are connected to, but for those whose pairs are being removed; of each member no more than tell that
    /// there are too many.
    async fn connections_of(
        &self,
        members: impl Iterator<Item = &MemberId>,
        severing: &[MemberId],
        rows_max: u32,
    ) -> Result<Vec<Row>, Failure> {
        let severing: Vec<&str> = severing.iter().map(MemberId::as_str).collect();
        let limit = i64::from(rows_max) + 1;
        let others: [&(dyn ToSql + Sync); 2] = [&severing, &limit];
        self.of_members(&CONNECTIONS_OF, members, &others).await
    }

    /// What the two of each pair are to each other.
    async fn ties_of(&self, keys: &[PairKey]) -> Result<Vec<Tie>, Failure> {
        let members: BTreeSet<_> = keys
            .iter()
            .flat_map(|key| [key.low(), key.high()])
            .collect();
        let (pairs, erased) = futures::try_join!(self.pairs(keys), self.being_erased(members))?;
        let tie = |key: &PairKey| match pairs.get(key) {
            Some(pair) if !erased.contains(key.low()) && !erased.contains(key.high()) => {
                Tie::of(&pair.facts())
            }
            _ => Tie::None,
        };
        Ok(keys.iter().map(tie).collect())
    }
}
