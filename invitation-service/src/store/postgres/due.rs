//! What is due, for the worker and for those who look how it fares.

use service_kit::{
    id::{MemberId, PairKey},
    postgres::{
        Columns, Failure, Row, Statement, lane_numbers, limit_number, types::ToSql, types::Type,
    },
    time::Time,
};

use super::{ranges::read_keys, reads::Snapshot};
use crate::store::codec;

// Lane by lane, for within one they lie in order.
const DUE_PAIRS: Statement = Statement::new(
    "select p.low, p.high from unnest($1::integer[]) as l (lane) cross join lateral
         (select low, high, due from pair where lane = l.lane and due <= $2 order by due limit $3) as p
     order by p.due limit $3",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
const DUE_MEMBERS: Statement = Statement::new(
    "select m.member from unnest($1::integer[]) as l (lane) cross join lateral
         (select member, auto_withdraw_due from member where lane = l.lane and auto_withdraw_due <= $2
          order by auto_withdraw_due limit $3) as m
     order by m.auto_withdraw_due limit $3",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
const COUNT_DUE_PAIRS: Statement = Statement::new(
    "select count(*), min(p.due) from unnest($1::integer[]) as l (lane) cross join lateral
         (select due from pair where lane = l.lane and due <= $2 order by due limit $3) as p",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
const COUNT_DUE_MEMBERS: Statement = Statement::new(
    "select count(*), min(m.auto_withdraw_due) from unnest($1::integer[]) as l (lane) cross join lateral
         (select auto_withdraw_due from member where lane = l.lane and auto_withdraw_due <= $2
          order by auto_withdraw_due limit $3) as m",
    &[Type::INT4_ARRAY, Type::INT8, Type::INT8],
);
/// Every statement about what is due.
pub(super) fn statements() -> Vec<Statement> {
    vec![DUE_PAIRS, DUE_MEMBERS, COUNT_DUE_PAIRS, COUNT_DUE_MEMBERS]
}

/// What waits, and since when the first of it.
pub(super) struct Due {
    pub(super) count: u32,
    pub(super) first: Option<Time>,
}

impl Snapshot {
    /// The pairs that are due, the longest due first.
    pub(super) async fn due_pairs(&self, limit: usize) -> Result<Vec<PairKey>, Failure> {
        read_keys(&self.due(&DUE_PAIRS, limit_number(limit)).await?)
    }

    /// The members whose auto-withdrawal is due, the longest due first.
    pub(super) async fn due_members(&self, limit: usize) -> Result<Vec<MemberId>, Failure> {
        let rows = self.due(&DUE_MEMBERS, limit_number(limit)).await?;
        let read = |row| Columns::new(row).member_id();
        rows.iter().map(read).collect()
    }

    async fn due(&self, statement: &Statement, limit: i64) -> Result<Vec<Row>, Failure> {
        let (lanes, now) = (lane_numbers(self.lanes()), self.begun().await?.now);
        let parameters: [&(dyn ToSql + Sync); 3] = [&lanes, &now.millis(), &limit];
        statement.query(self.client()?, &parameters).await
    }

    /// How many pairs, and how many members, are due, up to a number.
    pub(super) async fn counted_due(&self, max: u32) -> Result<(Due, Due), Failure> {
        let count = async |statement: &Statement| {
            let rows = self.due(statement, i64::from(max)).await?;
            let row = rows.first().ok_or_else(|| Failure::internal("no count"))?;
            let mut columns = Columns::new(row);
            Ok::<_, Failure>(Due {
                count: codec::count(columns.get()?)?,
                first: columns.optional_time()?,
            })
        };
        Ok((
            count(&COUNT_DUE_PAIRS).await?,
            count(&COUNT_DUE_MEMBERS).await?,
        ))
    }
}
