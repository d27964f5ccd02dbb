//! What is due, for the worker and for those who look how it fares.
//!
//! Every lane is looked into, each at the beginning of an index. Deliberately absent: doing it.

use service_kit::id::MemberId;
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{Begun, Columns, Failure, Row, Statement};
use service_kit::stored;
use service_kit::time::Time;

use super::ranges::ACKNOWLEDGED_BY;
use super::reads::Snapshot;
use crate::store::Due;

/// How many erasures are worked on in one round.
const ERASURES_AT_ONCE_MAX: i64 = 100;

static FIRST_MARK: Statement = Statement::new(
    "select min(m.removed_time) from unnest($1::integer[]) as l (lane) cross join lateral
         (select removed_time from removal_mark where lane = l.lane order by removed_time limit 1) as m",
    &[Type::INT4_ARRAY],
);
// In the order of time positions only grow, so looking at the oldest of each lane is enough.
const OLD_VERDICT: Statement = Statement::new(
    "select 1 from unnest($1::integer[]) as l (lane) cross join lateral
         (select decide_time, position from verdict where lane = l.lane order by decide_time, position limit 1) as v
     where v.decide_time <= $2 and v.position <= $3 limit 1",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
const FIRST_FACT: Statement = Statement::new(
    "select time from fact where lane = 0 and position > $1 order by position limit 1",
    &[Type::INT8],
);
static DROPPED_LABEL: Statement = Statement::new(
    "select 1 from unnest($1::integer[]) as l (lane) cross join lateral
         (select 1 from dropped_label where lane = l.lane limit 1) as d
     limit 1",
    &[Type::INT4_ARRAY],
);
const ERASURES: Statement = Statement::new(
    "select e.member from unnest($1::integer[]) as l (lane) cross join unnest('{1,2,3}'::smallint[]) as s (stage) cross join lateral
         (select member, position from erasure where lane = l.lane and stage = s.stage and (s.stage <> 2 or position <= $2)
          order by position limit $3) as e
     order by e.position limit $3",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
static COUNT_ERASURES: Statement = Statement::new(
    "select count(*), min(e.position) from
         (select o.position from unnest($1::integer[]) as l (lane) cross join unnest('{1,2,3}'::smallint[]) as s (stage) cross join lateral
              (select position from erasure where lane = l.lane and stage = s.stage order by position limit $2) as o
          order by o.position limit $2) as e",
    &[Type::INT4_ARRAY, Type::INT8],
);

/// Every statement about what is due.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        FIRST_MARK.clone(),
        OLD_VERDICT,
        FIRST_FACT,
        DROPPED_LABEL.clone(),
        ERASURES,
        COUNT_ERASURES.clone(),
    ]
}

/// What waits, and since when the first of it.
pub(super) struct Waiting {
    /// Erasures that are not complete, as far as they are counted.
    pub(super) erasures: u32,
    /// Since when the first of them is.
    pub(super) first_erasure: Option<Time>,
    /// Since when the first fact is that the other service has not stored.
    pub(super) first_unstored: Option<Time>,
}

impl Snapshot {
    /// Which jobs have something to do.
    pub(super) async fn due(&self) -> Result<Due, Failure> {
        let Begun { now, head } = self.begun().await?;
        let until = |kept| now.minus(kept);
        let (marks_until, facts_until) = (
            until(self.policy.removal_mark_kept),
            until(self.policy.facts_kept),
        );
        let (first_mark, verdicts, first_fact, dropped_label, erasures) = futures::try_join!(
            self.in_lanes(&FIRST_MARK, &[]),
            self.has_old_verdict(until(self.policy.verdicts_kept)),
            self.first_fact_after(head.seen.pruned),
            self.in_lanes(&DROPPED_LABEL, &[]),
            self.erasures_to_go_on(head.seen.acknowledged),
        )?;
        let first_mark = match first_mark.first() {
            Some(row) => Columns::new(row).optional_time()?,
            None => None,
        };
        Ok(Due {
            removal_marks: first_mark.is_some_and(|first| first <= marks_until),
            verdicts,
            facts: first_fact.is_some_and(|first| first <= facts_until),
            dropped_labels: !dropped_label.is_empty(),
            erasures,
        })
    }

    /// Whether there is a verdict as old as `until` whose facts were acknowledged by then.
    async fn has_old_verdict(&self, until: Time) -> Result<bool, Failure> {
        let rows = ACKNOWLEDGED_BY
            .query(self.client()?, &[&until.millis()])
            .await?;
        let acknowledged: i64 = match rows.first() {
            Some(row) => Columns::new(row).get()?,
            None => 0,
        };
        let others: [&(dyn ToSql + Sync); 2] = [&until.millis(), &acknowledged];
        Ok(!self.in_lanes(&OLD_VERDICT, &others).await?.is_empty())
    }

    /// The time of the first fact after a position, as long as it is kept.
    async fn first_fact_after(&self, position: u64) -> Result<Option<Time>, Failure> {
        let rows = FIRST_FACT
            .query(self.client()?, &[&stored::position_number(position)])
            .await?;
        let time = |row: &Row| Columns::new(row).time();
        rows.first().map(time).transpose()
    }

    /// Whose erasure can go on where facts up to a position were acknowledged, the oldest first.
    async fn erasures_to_go_on(&self, acknowledged: u64) -> Result<Vec<MemberId>, Failure> {
        let acknowledged = stored::position_number(acknowledged);
        let others: [&(dyn ToSql + Sync); 2] = [&acknowledged, &ERASURES_AT_ONCE_MAX];
        let rows = self.in_lanes(&ERASURES, &others).await?;
        let member = |row: &Row| Columns::new(row).member_id();
        rows.iter().map(member).collect()
    }

    /// What waits, counted up to a number.
    pub(super) async fn waiting(&self, max: u32) -> Result<Waiting, Failure> {
        let acknowledged = self.begun().await?.head.seen.acknowledged;
        let max = i64::from(max);
        let bound: [&(dyn ToSql + Sync); 1] = [&max];
        let (counted, first_unstored) = futures::try_join!(
            self.in_lanes(&COUNT_ERASURES, &bound),
            self.first_fact_after(acknowledged),
        )?;
        let row = counted
            .first()
            .ok_or_else(|| Failure::internal("no count"))?;
        let mut columns = Columns::new(row);
        let erasures = stored::count(columns.get()?)?;
        let first: Option<i64> = columns.get()?;
        let first_erasure = match first.map(stored::position).transpose()? {
            // The fact of the erasure, as long as it is kept.
            Some(position) => self.first_fact_after(position.saturating_sub(1)).await?,
            None => None,
        };
        Ok(Waiting {
            erasures,
            first_erasure,
            first_unstored,
        })
    }
}
