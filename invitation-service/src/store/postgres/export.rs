//! What is read to export a member, beside what their lists, figures and preferences are read for too (see `reads`).

use service_kit::{
    id::MemberId,
    postgres::{Failure, Statement, limit_number, types::ToSql, types::Type},
};
use uuid::Uuid;

use super::{
    reads::Snapshot,
    tables::invitation::{self, entry_columns},
};
use crate::{domain::view::View, store::reading::kept_views};

const KEPT: Statement = Statement::new(
    concat!(
        "select ",
        entry_columns!(),
        " from unnest('{0,1,2,3,4,5}'::smallint[]) as p (place) cross join lateral
             (select * from invitation where lane = $1 and member = $2 and place = p.place and invitation_id > $3
              order by invitation_id limit $4) t"
    ),
    &[Type::INT4, Type::TEXT, Type::UUID, Type::INT8],
);

/// Every statement of exporting.
pub(super) fn statements() -> Vec<Statement> {
    vec![KEPT]
}

impl Snapshot {
    /// Up to `limit` of the invitations that a member keeps, in the order of their ids, from after one; and whether more may follow.
    pub(super) async fn kept_invitations(
        &self,
        member: &MemberId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<View>, Option<Uuid>), Failure> {
        let after = after.unwrap_or_default();
        let parameters: [&(dyn ToSql + Sync); 4] = [
            &self.lane(member),
            &member.as_str(),
            &after,
            &limit_number(limit),
        ];
        let kept = async { KEPT.query(self.client()?, &parameters).await };
        let (row, rows) = futures::try_join!(self.member(member), kept)?;
        let now = self.begun().await?.now;
        let seen_until = row.map_or(Uuid::nil(), |row| row.seen_until);
        let read = |row| invitation::read(row).map(|((_, id), entry)| (id, entry));
        let kept = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(kept_views(
            member,
            &seen_until,
            kept,
            limit,
            &self.policy,
            now,
        ))
    }
}
