//! Queries, each in one snapshot. Each costs what it returns, never what the store holds.

use std::{collections::BTreeMap, ops::Deref, sync::Arc};

use service_kit::{
    id::{MemberId, PairKey, uuid_floor},
    postgres::{
        Columns, Failure, ReadSnapshot, Row, Statement, limit_number, small, types::ToSql,
        types::Type,
    },
    time::Span,
};
use uuid::Uuid;

use super::{
    batch::Batch,
    load::ENTRIES,
    tables::{
        invitation::{self, entry_columns},
        member::{self, member_columns},
        pair::{self, live_columns},
    },
};
use crate::{
    domain::{
        invitation::{Place, Role},
        member::Member,
        pair::Live,
        policy::Policy,
        standing::told::Known,
        view::{Entry, View, view},
    },
    store::{
        Barred, Counts, ListOrder, ListQuery, OwnQuota, Selected, Selection, codec,
        reading::{in_order, own_quota, state_of},
    },
};

const HIGHEST_ID: Uuid = Uuid::max();

const MEMBER: Statement = Statement::new(
    concat!(
        "select ",
        member_columns!(),
        " from member t where t.lane = $1 and t.member = $2"
    ),
    &[Type::INT4, Type::TEXT],
);
// Those that are over but were not swept yet are left out here as everywhere.
macro_rules! list_sql {
    ($order:literal) => {
        Statement::new(
            concat!(
                "select ",
                entry_columns!(),
                " from invitation t where t.lane = $1 and t.member = $2 and t.place = $3 and t.invitation_id > $4 and t.invitation_id < $5
                     and (t.shown <> 0 or t.expire_time > $6) and (t.shown <> 4 or t.update_time > $7)
                 order by t.invitation_id ",
                $order,
                " limit $8"
            ),
            &[
                Type::INT4,
                Type::TEXT,
                Type::INT2,
                Type::UUID,
                Type::UUID,
                Type::INT8,
                Type::INT8,
                Type::INT8,
            ],
        )
    };
}
const NEWEST: Statement = list_sql!("desc");
const OLDEST: Statement = list_sql!("asc");
// In each place by itself: all of a list can be long, what is as old as that is not.
const OVERDUE: Statement = Statement::new(
    "select p.place, count(*), count(*) filter (where t.invitation_id > $5)
     from unnest('{0,1,2}'::smallint[]) as p (place) cross join lateral
         (select invitation_id from invitation
          where lane = $1 and member = $2 and place = p.place and invitation_id < $3 and shown = 0 and expire_time <= $4 offset 0) as t
     group by p.place",
    &[Type::INT4, Type::TEXT, Type::UUID, Type::INT8, Type::UUID],
);
const LIVE: Statement = Statement::new(
    concat!(
        "select ",
        live_columns!(),
        " from unnest($2::text[], $3::text[]) as k (low, high)
         join pair t on t.lane = $1 and t.low = k.low and t.high = k.high and t.invitation_id is not null"
    ),
    &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
);
const SELECT: Statement = Statement::new(
    "select invitation_id from invitation where lane = $1 and member = $2 and place = $3 and invitation_id < $4
         and (shown <> 0 or expire_time > $5) and shown <> 1 and (not $6 or note = '')
     order by invitation_id limit $7",
    &[
        Type::INT4,
        Type::TEXT,
        Type::INT2,
        Type::UUID,
        Type::INT8,
        Type::BOOL,
        Type::INT8,
    ],
);
const BARS: Statement = Statement::new(
    "select inviter, reason, bar_time from bar where lane = $1 and member = $2 and inviter > $3 order by inviter limit $4",
    &[Type::INT4, Type::TEXT, Type::TEXT, Type::INT8],
);
/// Every statement of reading.
pub(super) fn statements() -> Vec<Statement> {
    vec![MEMBER, NEWEST, OLDEST, OVERDUE, LIVE, SELECT, BARS]
}

/// What is committed at one moment, and the policy to see it by.
pub(super) struct Snapshot {
    pub(super) committed: ReadSnapshot<Batch>,
    pub(super) policy: Arc<Policy>,
}

impl Deref for Snapshot {
    type Target = ReadSnapshot<Batch>;

    fn deref(&self) -> &Self::Target {
        &self.committed
    }
}

impl Snapshot {
    /// A member's row, if there is one.
    pub(super) async fn member(&self, id: &MemberId) -> Result<Option<Member>, Failure> {
        let rows = MEMBER
            .query(self.client()?, &[&self.lane(id), &id.as_str()])
            .await?;
        let stored = rows.first().map(member::read).transpose()?;
        Ok(stored.map(|stored| stored.row))
    }

    /// What a member keeps of invitations.
    pub(super) async fn entries(
        &self,
        member: &MemberId,
        ids: &[Uuid],
    ) -> Result<BTreeMap<Uuid, Entry>, Failure> {
        let members = vec![member.as_str(); ids.len()];
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.lane(member), &members, &ids];
        let rows = ENTRIES.query(self.client()?, &parameters).await?;
        let read = |row| invitation::read(row).map(|((_, id), entry)| (id, entry));
        rows.iter().map(read).collect()
    }

    /// What a member is shown of one invitation.
    pub(super) async fn get(
        &self,
        id: &MemberId,
        invitation: Uuid,
    ) -> Result<Option<View>, Failure> {
        let ids = [invitation];
        let (mut entries, row) = futures::try_join!(self.entries(id, &ids), self.member(id))?;
        let entry = entries.remove(&invitation);
        let now = self.begun().await?.now;
        let kept = entry.filter(|entry| entry.is_kept(&self.policy, now));
        let seen_until = row.map_or(Uuid::nil(), |row| row.seen_until);
        Ok(kept.map(|entry| view(id, &seen_until, invitation, entry)))
    }

    /// A page of one of a member's lists, and whether more follow.
    pub(super) async fn list(&self, query: &ListQuery) -> Result<(Vec<View>, bool), Failure> {
        let withdrawn = async {
            if query.include_recently_withdrawn {
                self.list_place(query, Place::Withdrawn).await
            } else {
                Ok(Vec::new())
            }
        };
        let (member, listed, withdrawn) = futures::try_join!(
            self.member(&query.member),
            self.list_place(query, query.list),
            withdrawn
        )?;
        let seen_until = member.map_or(Uuid::nil(), |member| member.seen_until);
        let entries = listed.into_iter().chain(withdrawn);
        let mut views: Vec<_> = entries
            .map(|(id, entry)| view(&query.member, &seen_until, id, entry))
            .collect();
        in_order(&mut views, query.order);
        let more = views.len() > query.limit;
        views.truncate(query.limit);
        Ok((views, more))
    }

    /// One more than the page holds, if there are so many.
    async fn list_place(
        &self,
        query: &ListQuery,
        place: Place,
    ) -> Result<Vec<(Uuid, Entry)>, Failure> {
        let before = query.sent_before.map_or(HIGHEST_ID, uuid_floor);
        let (above, below) = match (query.after, query.order) {
            (None, _) => (Uuid::nil(), before),
            (Some(after), ListOrder::Newest) => (Uuid::nil(), before.min(after)),
            (Some(after), ListOrder::Oldest) => (after, before),
        };
        let statement = match query.order {
            ListOrder::Newest => NEWEST,
            ListOrder::Oldest => OLDEST,
        };
        let now = self.begun().await?.now;
        let parameters: [&(dyn ToSql + Sync); 8] = [
            &self.lane(&query.member),
            &query.member.as_str(),
            &small(codec::place_number(place)),
            &above,
            &below,
            &now.millis(),
            &now.minus(self.policy.ended_kept).millis(),
            &limit_number(query.limit.saturating_add(1)),
        ];
        let rows = statement.query(self.client()?, &parameters).await?;
        let read = |row| invitation::read(row).map(|((_, id), entry)| (id, entry));
        rows.iter().map(read).collect()
    }

    /// How many invitations a member's lists hold.
    pub(super) async fn counts(&self, id: &MemberId) -> Result<Counts, Failure> {
        match self.member(id).await? {
            None => Ok(Counts::default()),
            Some(row) => self.counts_of(&row).await,
        }
    }

    /// [`counts`](Self::counts) of a member with this row.
    pub(super) async fn counts_of(&self, row: &Member) -> Result<Counts, Failure> {
        // Only those at least as old as an invitation's lifetime can have expired, and the sweeper takes them away: few at most.
        let now = self.begun().await?.now;
        let border = now.minus(self.policy.invitation_lifetime);
        let parameters: [&(dyn ToSql + Sync); 5] = [
            &self.lane(&row.id),
            &row.id.as_str(),
            &uuid_floor(border.plus(Span::millis(1))),
            &now.millis(),
            &row.seen_until,
        ];
        let rows = OVERDUE.query(self.client()?, &parameters).await?;
        let mut counts = Counts {
            sent_pending: row.sent_pending,
            received_pending: row.received_pending,
            received_unseen: row.received_unseen,
            filtered_pending: row.filtered_pending,
        };
        for found in &rows {
            let mut columns = Columns::new(found);
            let place = codec::place(columns.small()?)?;
            let overdue = codec::count(columns.get()?)?;
            let unseen = codec::count(columns.get()?)?;
            let less = |count: &mut u32, by| *count = count.saturating_sub(by);
            match place {
                Place::Sent => less(&mut counts.sent_pending, overdue),
                Place::Received => {
                    less(&mut counts.received_pending, overdue);
                    less(&mut counts.received_unseen, unseen);
                }
                _ => less(&mut counts.filtered_pending, overdue),
            }
        }
        Ok(counts)
    }

    /// What a member has used of their limits.
    pub(super) async fn quota(&self, id: MemberId) -> Result<OwnQuota, Failure> {
        let row = self.member(&id).await?;
        let counts = match &row {
            None => Counts::default(),
            Some(row) => self.counts_of(row).await?,
        };
        let sent_pending = counts.sent_pending;
        let now = self.begun().await?.now;
        Ok(own_quota(row, id, sent_pending, &self.policy, now))
    }

    /// All that there is to know of a member's standing.
    pub(super) async fn standing(&self, id: MemberId) -> Result<Known, Failure> {
        let row = self.member(&id).await?;
        let row = row.unwrap_or_else(|| Member::new(id));
        let now = self.begun().await?.now;
        Ok(row.standing.known(now, &row.terms(&self.policy)))
    }

    /// Whose invitation is live between a member and each of the others.
    pub(super) async fn states(
        &self,
        member: &MemberId,
        others: &[MemberId],
    ) -> Result<Vec<Option<(Role, Uuid)>>, Failure> {
        let keys: Vec<Option<PairKey>> = others
            .iter()
            .map(|other| PairKey::new(member, other))
            .collect();
        let live = self.live(keys.iter().flatten()).await?;
        let now = self.begun().await?.now;
        let state = |key: &Option<PairKey>| {
            let key = key.as_ref()?;
            state_of(live.get(key)?, key.side_of(member)?, now)
        };
        Ok(keys.iter().map(state).collect())
    }

    async fn live(
        &self,
        keys: impl Iterator<Item = &PairKey>,
    ) -> Result<BTreeMap<PairKey, Live>, Failure> {
        let mut by_lane = BTreeMap::<i32, (Vec<&str>, Vec<&str>)>::new();
        for key in keys {
            let (lows, highs) = by_lane.entry(self.lane(key.low())).or_default();
            lows.push(key.low().as_str());
            highs.push(key.high().as_str());
        }
        let mut live = BTreeMap::new();
        for (lane, (lows, highs)) in by_lane {
            for row in LIVE.query(self.client()?, &[&lane, &lows, &highs]).await? {
                if let (key, Some(found)) = pair::read_live(&row)? {
                    live.insert(key, found);
                }
            }
        }
        Ok(live)
    }

    /// The oldest entries of a list that match, and how many match.
    pub(super) async fn select(&self, selection: &Selection) -> Result<Selected, Failure> {
        let now = self.begun().await?.now;
        let parameters: [&(dyn ToSql + Sync); 7] = [
            &self.lane(&selection.member),
            &selection.member.as_str(),
            &small(codec::place_number(selection.list)),
            &selection.sent_before.map_or(HIGHEST_ID, uuid_floor),
            &now.millis(),
            &selection.without_note,
            &limit_number(selection.count_max),
        ];
        let rows = SELECT.query(self.client()?, &parameters).await?;
        let ids = rows.iter().take(selection.limit);
        let ids: Result<_, Failure> = ids.map(|row| Columns::new(row).uuid()).collect();
        Ok(Selected {
            invitation_ids: ids?,
            matched: u32::try_from(rows.len()).unwrap_or(u32::MAX),
        })
    }

    /// Whom a member has barred, in the order of ids, after one of them; and whether more follow.
    pub(super) async fn bars(
        &self,
        member: &MemberId,
        after: Option<&MemberId>,
        limit: usize,
    ) -> Result<(Vec<Barred>, bool), Failure> {
        let parameters: [&(dyn ToSql + Sync); 4] = [
            &self.lane(member),
            &member.as_str(),
            &after.map_or("", MemberId::as_str),
            &limit_number(limit.saturating_add(1)),
        ];
        let rows = BARS.query(self.client()?, &parameters).await?;
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            Ok(Barred {
                inviter: columns.member_id()?,
                reason: codec::reason(columns.small()?)?,
                time: columns.time()?,
            })
        };
        let barred: Result<_, Failure> = rows.iter().take(limit).map(read).collect();
        Ok((barred?, rows.len() > limit))
    }
}
