//! What lies between the times of a filter in the store, read in the order of time, a chunk at a time.
//!
//! Deliberately absent: what is in a list (see `domain::connection_list`).

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use service_kit::id::MemberId;
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{Columns, Failure, Row, Statement, int};
use service_kit::stored;
use service_kit::time::Time;

use crate::domain::connection_list::{Candidate, Filter, Total};
use crate::domain::label::LabelId;
use crate::store::Line;
use crate::store::postgres::reads::Snapshot;
use crate::store::roster::Keys;

/// How many connections are read at once.
const CHUNK: u32 = 1_000;

/// Both lists lie in the order of time.
macro_rules! chunk_sql {
    ($list:literal, $after:literal, $order:literal, $label:literal, [$($more:expr)?]) => {
        Statement::new(
            concat!(
                "select other, connect_time from ",
                $list,
                " where lane = $1 and member = $2 and (connect_time, other) ",
                $after,
                " ($3, $4) and connect_time > $5 and connect_time < $6",
                $label,
                " order by connect_time ",
                $order,
                ", other ",
                $order,
                " limit $7"
            ),
            &[
                Type::INT4,
                Type::TEXT,
                Type::INT8,
                Type::TEXT,
                Type::INT8,
                Type::INT8,
                Type::INT8,
                $($more)?
            ],
        )
    };
}
const NEWEST: Statement = chunk_sql!("connection", "<", "desc", "", []);
const OLDEST: Statement = chunk_sql!("connection", ">", "asc", "", []);
const NEWEST_LABELLED: Statement =
    chunk_sql!("labelled", "<", "desc", " and label = $8", [Type::INT4]);
const OLDEST_LABELLED: Statement =
    chunk_sql!("labelled", ">", "asc", " and label = $8", [Type::INT4]);
const COUNT: Statement = Statement::new(
    "select count(*) from
         (select 1 from connection where lane = $1 and member = $2 and connect_time > $3 and connect_time < $4 limit $5) as counted",
    &[Type::INT4, Type::TEXT, Type::INT8, Type::INT8, Type::INT8],
);
const COUNT_LABELLED: Statement = Statement::new(
    "select count(*) from
         (select 1 from labelled
          where lane = $1 and member = $2 and connect_time > $3 and connect_time < $4 and label = $6 limit $5) as counted",
    &[
        Type::INT4,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::INT4,
    ],
);

/// Every statement here.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        NEWEST,
        OLDEST,
        NEWEST_LABELLED,
        OLDEST_LABELLED,
        COUNT,
        COUNT_LABELLED,
    ]
}

/// A label's number as its column holds it.
pub(super) fn label_number(LabelId(number): LabelId) -> i32 {
    int(number)
}

/// Which of a member's connections are read, and what of them.
pub(super) struct Wanted<'a> {
    pub(super) filter: &'a Filter,
    /// Whether the others' cards are looked at.
    pub(super) cards: bool,
    pub(super) newest_first: bool,
}

/// A chunk of a list.
pub(super) struct Chunk<'a> {
    pub(super) newest_first: bool,
    pub(super) label: Option<LabelId>,
    /// Between these times.
    pub(super) between: (Option<Time>, Option<Time>),
    /// The line that it begins after; `None`: at the beginning.
    pub(super) after: Option<&'a Line>,
    pub(super) limit: u32,
}

impl Snapshot {
    /// How many connections lie between the times of a filter, of those with its label, as far as they are counted.
    pub(super) async fn count_between(
        &self,
        member: &MemberId,
        filter: &Filter,
    ) -> Result<Total, Failure> {
        let counted_max = self.policy.listed_counted_max;
        let (after, before) = times((filter.connected_after, filter.connected_before));
        let (lane, limit) = (self.lane(member), i64::from(counted_max) + 1);
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lane];
        let whose = member.as_str();
        parameters.extend([&whose as &(dyn ToSql + Sync), &after, &before, &limit]);
        let label = match &filter.label {
            None => None,
            Some(label) => self.label(member, label).await?,
        };
        let label = label.map(|(id, _)| label_number(id));
        let statement = match &label {
            None => &COUNT,
            Some(label) => {
                parameters.push(label);
                &COUNT_LABELLED
            }
        };
        let rows = statement.query(self.client()?, &parameters).await?;
        let row = rows.first().ok_or_else(|| Failure::internal("no count"))?;
        let counted = stored::count(Columns::new(row).get()?)?;
        Ok(Total {
            number: counted.min(counted_max),
            is_minimum: counted > counted_max,
        })
    }

    /// Offers what lies between the times of the filter, of those with its label, until it is told to stop.
    pub(super) async fn offer(
        &self,
        member: &MemberId,
        wanted: &Wanted<'_>,
        mut offer: impl FnMut(&Candidate<'_>) -> ControlFlow<()> + Send,
    ) -> Result<(), Failure> {
        let Filter {
            connected_after,
            connected_before,
            label,
            ..
        } = wanted.filter;
        let label = match label {
            None => None,
            Some(label) => match self.label(member, label).await? {
                Some((id, _)) => Some(id),
                None => return Ok(()),
            },
        };
        let mut after: Option<Line> = None;
        loop {
            let chunk = Chunk {
                newest_first: wanted.newest_first,
                label,
                between: (*connected_after, *connected_before),
                after: after.as_ref(),
                limit: CHUNK,
            };
            let mut lines = self.chunk(member, &chunk).await?;
            let keys = if wanted.cards {
                self.keys(lines.iter().map(|line| &line.other)).await?
            } else {
                BTreeMap::new()
            };
            let none = Keys::default();
            for line in &lines {
                let keys = keys.get(&line.other).unwrap_or(&none);
                let candidate = Candidate {
                    other: line.other.as_str(),
                    connect_time: line.time,
                    by_first_name: &keys.by_first_name,
                    by_last_name: &keys.by_last_name,
                    words: &keys.words,
                };
                if offer(&candidate).is_break() {
                    return Ok(());
                }
            }
            if lines.len() < CHUNK as usize {
                return Ok(());
            }
            after = lines.pop();
        }
    }

    /// The lines of a chunk.
    pub(super) async fn chunk(
        &self,
        member: &MemberId,
        chunk: &Chunk<'_>,
    ) -> Result<Vec<Line>, Failure> {
        let first = if chunk.newest_first {
            i64::MAX
        } else {
            i64::MIN
        };
        let place = chunk
            .after
            .map(|line| (line.time.millis(), line.other.as_str()));
        let (time, other) = place.unwrap_or((first, ""));
        let (later_than, earlier_than) = times(chunk.between);
        let (lane, limit) = (self.lane(member), i64::from(chunk.limit));
        let whose = member.as_str();
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lane, &whose, &time, &other];
        parameters.extend([&later_than as &(dyn ToSql + Sync), &earlier_than, &limit]);
        let label = chunk.label.map(label_number);
        if let Some(label) = &label {
            parameters.push(label);
        }
        let statement = match (chunk.newest_first, &label) {
            (true, None) => &NEWEST,
            (false, None) => &OLDEST,
            (true, Some(_)) => &NEWEST_LABELLED,
            (false, Some(_)) => &OLDEST_LABELLED,
        };
        let rows = statement.query(self.client()?, &parameters).await?;
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            Ok(Line {
                other: columns.member_id()?,
                time: columns.time()?,
            })
        };
        rows.iter().map(read).collect()
    }
}

/// The times that what is read lies between, as statements compare them.
fn times((after, before): (Option<Time>, Option<Time>)) -> (i64, i64) {
    (
        after.map_or(i64::MIN, Time::millis),
        before.map_or(i64::MAX, Time::millis),
    )
}
