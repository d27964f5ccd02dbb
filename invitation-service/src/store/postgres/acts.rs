//! What operators did.

use service_kit::{
    id::MemberId,
    postgres::{Columns, Failure, Row, Statement, limit_number, types::Type},
};

use super::{reads::Snapshot, tables::act};
use crate::store::{RecordedAct, codec};

const ACTS: Statement = Statement::new(
    "select number, time, author, member, kind, plan, weekly_cap, until from standing_act
     where lane = 0 and number < $1 order by number desc limit $2",
    &[Type::INT8, Type::INT8],
);
const ACTS_OF_MEMBER: Statement = Statement::new(
    "select number, time, author, member, kind, plan, weekly_cap, until from standing_act
     where lane = 0 and member = $3 and number < $1 order by number desc limit $2",
    &[Type::INT8, Type::INT8, Type::TEXT],
);
// From one name to the next, so it does not matter how many acts there are.
const ASSIGNED_PLANS: Statement = Statement::new(
    "with recursive assigned (plan) as (
         (select min(plan) from standing_act where lane = 0)
         union all
         select (select min(plan) from standing_act where lane = 0 and plan > assigned.plan) from assigned where assigned.plan is not null
     )
     select plan from assigned where plan is not null",
    &[],
);

/// Every statement about what operators did.
pub(super) fn statements() -> Vec<Statement> {
    vec![ACTS, ACTS_OF_MEMBER, ASSIGNED_PLANS]
}

impl Snapshot {
    /// The acts before one of this number (if given), newest first, of a member or of all; and whether more follow.
    pub(super) async fn acts(
        &self,
        member: Option<&MemberId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<RecordedAct>, bool), Failure> {
        let before = before.map_or(i64::MAX, codec::position_number);
        let one_more = limit_number(limit.saturating_add(1));
        let rows = match member {
            None => ACTS.query(self.client()?, &[&before, &one_more]).await?,
            Some(member) => {
                let member = member.as_str();
                ACTS_OF_MEMBER
                    .query(self.client()?, &[&before, &one_more, &member])
                    .await?
            }
        };
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            Ok(RecordedAct {
                number: columns.position()?,
                time: columns.time()?,
                author: columns.get()?,
                member: columns.optional_member_id()?,
                act: act::read(&mut columns)?,
            })
        };
        let acts: Result<_, Failure> = rows.iter().take(limit).map(read).collect();
        Ok((acts?, rows.len() > limit))
    }

    /// Every plan that was ever assigned, in order.
    pub(super) async fn assigned_plans(&self) -> Result<Vec<String>, Failure> {
        let rows = ASSIGNED_PLANS.query(self.client()?, &[]).await?;
        rows.iter().map(|row| Columns::new(row).get()).collect()
    }
}
