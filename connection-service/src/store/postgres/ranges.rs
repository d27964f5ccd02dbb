//! Looking up what commands ask for by what it is and not by its key.
//!
//! Deliberately absent: which of it earlier commands of the batch have changed (`batch_rows.rs`).

use std::collections::BTreeMap;

use service_kit::id::MemberId;
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{
    Client, Columns, Failure, Row, Statement, int, limit_number, member_lane,
};
use service_kit::stored::position_number;
use service_kit::time::Time;

use super::batch::{Found, Range};
use super::load::line;
use super::tables::pair::read_key;
use crate::domain::label::LabelId;

/// How many facts of a chain are looked up at once.
const CHAIN_MAX: i64 = 1_000;

const PAIRS_OF: Statement = Statement::new(
    "(select low, high from pair where lane = $1 and low = $2)
     union all (select low, high from pair where lane = any($3) and high = $2) limit $4",
    &[Type::INT4, Type::TEXT, Type::INT4_ARRAY, Type::INT8],
);
const OLDEST_MARKS: Statement = Statement::new(
    "select member, removed_time, other from removal_mark where lane = $1 and member = $2 order by removed_time, other limit $3",
    &[Type::INT4, Type::TEXT, Type::INT8],
);
// Lane by lane, for within one they lie in order.
const MARKS_UNTIL: Statement = Statement::new(
    "select m.member, m.removed_time, m.other from unnest($1::integer[]) as l (lane) cross join lateral
         (select member, removed_time, other from removal_mark where lane = l.lane and removed_time <= $2 order by removed_time limit $3) as m
     order by m.removed_time limit $3",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
const VERDICTS_UNTIL: Statement = Statement::new(
    "select v.invitation_id, v.position from unnest($1::integer[]) as l (lane) cross join lateral
         (select invitation_id, position, decide_time from verdict where lane = l.lane and decide_time <= $2 order by decide_time, position limit $3) as v
     order by v.decide_time, v.position limit $3",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
const OLDEST_FACTS: Statement = Statement::new(
    "select position, time from fact where lane = 0 order by position limit $1",
    &[Type::INT8],
);
/// A member's facts from a position back: each with the one before it.
const CHAIN: Statement = Statement::new(
    "with recursive chain (position, previous, number) as (
         select f.position, case when f.low = $1 then f.previous_low else f.previous_high end, 1::bigint
         from fact f where f.lane = 0 and f.position = $2 and (f.low = $1 or f.high = $1)
         union all
         select f.position, case when f.low = $1 then f.previous_low else f.previous_high end, chain.number + 1
         from chain join fact f on f.lane = 0 and f.position = chain.previous and (f.low = $1 or f.high = $1) where chain.number < $3
     )
     select position, previous from chain",
    &[Type::TEXT, Type::INT8, Type::INT8],
);
const LAST_ACKNOWLEDGEMENT: Statement = Statement::new(
    "select time from acknowledgement where lane = 0 order by time desc limit 1",
    &[],
);
pub(super) const ACKNOWLEDGED_BY: Statement = Statement::new(
    "select position from acknowledgement where lane = 0 and time <= $1 order by time desc limit 1",
    &[Type::INT8],
);
const LABELLED: Statement = Statement::new(
    "select connect_time, other from labelled where lane = $1 and member = $2 and label = $3 order by connect_time, other limit $4",
    &[Type::INT4, Type::TEXT, Type::INT4, Type::INT8],
);
const DROPPED_LABEL: Statement = Statement::new(
    "select d.member, d.id from unnest($1::integer[]) as l (lane) cross join lateral
         (select member, id from dropped_label where lane = l.lane order by member, id limit 1) as d
     limit 1",
    &[Type::INT4_ARRAY],
);
const DROPPED_LABELS_OF: Statement = Statement::new(
    "select member, id from dropped_label where lane = $1 and member = $2 order by id limit $3",
    &[Type::INT4, Type::TEXT, Type::INT8],
);
const DISMISSALS_AROUND: Statement = Statement::new(
    "(select member, other from dismissal where lane = $1 and member = $2)
     union all (select member, other from dismissal where lane = any($3) and other = $2) limit $4",
    &[Type::INT4, Type::TEXT, Type::INT4_ARRAY, Type::INT8],
);

/// Every statement of looking ranges up.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        PAIRS_OF,
        OLDEST_MARKS,
        MARKS_UNTIL,
        VERDICTS_UNTIL,
        OLDEST_FACTS,
        CHAIN,
        LAST_ACKNOWLEDGEMENT,
        ACKNOWLEDGED_BY,
        LABELLED,
        DROPPED_LABEL,
        DROPPED_LABELS_OF,
        DISMISSALS_AROUND,
    ]
}

fn rows_of<T>(
    rows: &[Row],
    read: impl Fn(&mut Columns<'_>) -> Result<T, Failure>,
) -> Result<Vec<T>, Failure> {
    rows.iter()
        .map(|row| read(&mut Columns::new(row)))
        .collect()
}

/// Looks a range up.
pub(super) async fn look_through(
    client: &Client,
    range: &Range,
    lanes: &[i32],
) -> Result<Found, Failure> {
    let count = u16::try_from(lanes.len()).unwrap_or(u16::MAX);
    let lane = |member: &MemberId| member_lane(member, count);
    let query = async |statement: Statement, parameters: &[&(dyn ToSql + Sync)]| {
        statement.query(client, parameters).await
    };
    match range {
        Range::PairsOf { member, limit } => {
            let limit = i64::from(*limit);
            let rows = query(PAIRS_OF, &[&lane(member), &member.as_str(), &lanes, &limit]).await?;
            Ok(Found::Pairs(rows_of(&rows, read_key)?))
        }
        Range::OldestMarks { member, limit } => {
            let limit = limit_number(*limit);
            let rows = query(OLDEST_MARKS, &[&lane(member), &member.as_str(), &limit]).await?;
            Ok(Found::Marks(rows_of(&rows, line)?))
        }
        Range::MarksUntil { until, limit } => {
            let rows = query(MARKS_UNTIL, &[&lanes, &until.millis(), &i64::from(*limit)]).await?;
            Ok(Found::Marks(rows_of(&rows, line)?))
        }
        Range::VerdictsUntil { until, limit } => {
            let rows = query(
                VERDICTS_UNTIL,
                &[&lanes, &until.millis(), &i64::from(*limit)],
            )
            .await?;
            let read = |columns: &mut Columns<'_>| Ok((columns.uuid()?, columns.position()?));
            Ok(Found::Verdicts(rows_of(&rows, read)?))
        }
        Range::OldestFacts { limit } => {
            let rows = query(OLDEST_FACTS, &[&i64::from(*limit)]).await?;
            let read = |columns: &mut Columns<'_>| Ok((columns.position()?, columns.time()?));
            Ok(Found::Facts(rows_of(&rows, read)?))
        }
        Range::Chain { member, from } => {
            let from = position_number(*from);
            let rows = query(CHAIN, &[&member.as_str(), &from, &CHAIN_MAX]).await?;
            let read = |columns: &mut Columns<'_>| Ok((columns.position()?, columns.position()?));
            let links: BTreeMap<u64, u64> = rows_of(&rows, read)?.into_iter().collect();
            Ok(Found::Chain(links))
        }
        Range::LastAcknowledgement => {
            let rows = query(LAST_ACKNOWLEDGEMENT, &[]).await?;
            let row = rows.first().map(|row| Columns::new(row).time());
            Ok(Found::Time(row.transpose()?))
        }
        Range::AcknowledgedBy { time } => {
            let rows = query(ACKNOWLEDGED_BY, &[&time.millis()]).await?;
            let row = rows.first().map(|row| Columns::new(row).position());
            Ok(Found::Position(row.transpose()?.unwrap_or(0)))
        }
        Range::Labelled {
            member,
            label,
            limit,
        } => {
            let (number, limit) = (int(label.0), i64::from(*limit));
            let rows = query(
                LABELLED,
                &[&lane(member), &member.as_str(), &number, &limit],
            )
            .await?;
            let read = |columns: &mut Columns<'_>| Ok((columns.time()?, columns.member_id()?));
            let found: Vec<(Time, MemberId)> = rows_of(&rows, read)?;
            Ok(Found::Labelled(found))
        }
        Range::DroppedLabel => {
            let rows = query(DROPPED_LABEL, &[&lanes]).await?;
            Ok(Found::Labels(rows_of(&rows, label)?))
        }
        Range::DroppedLabelsOf { member, limit } => {
            let limit = i64::from(*limit);
            let rows = query(
                DROPPED_LABELS_OF,
                &[&lane(member), &member.as_str(), &limit],
            )
            .await?;
            Ok(Found::Labels(rows_of(&rows, label)?))
        }
        Range::DismissalsAround { member, limit } => {
            let limit = i64::from(*limit);
            let rows = query(
                DISMISSALS_AROUND,
                &[&lane(member), &member.as_str(), &lanes, &limit],
            )
            .await?;
            let read = |columns: &mut Columns<'_>| Ok((columns.member_id()?, columns.member_id()?));
            Ok(Found::Dismissals(rows_of(&rows, read)?))
        }
    }
}

fn label(columns: &mut Columns<'_>) -> Result<(MemberId, LabelId), Failure> {
    Ok((columns.member_id()?, LabelId(columns.count()?)))
}
