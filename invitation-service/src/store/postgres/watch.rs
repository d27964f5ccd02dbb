//! What watchers read, each in one snapshot.

use std::collections::{BTreeMap, BTreeSet};

use service_kit::{
    id::{MemberId, PairKey},
    postgres::{Columns, Failure, Statement, limit_number, types::ToSql, types::Type},
};
use uuid::Uuid;

use super::{
    reads::Snapshot,
    tables::{
        event::{self, event_columns},
        pair::{self, pair_columns},
    },
};
use crate::{
    domain::{member::Member, pair::Pair},
    store::{
        catch_up::{Missed, Touched, notified, to_notify},
        codec,
        feed::{MemberEvent, Reached, ServiceEvent, Stretch},
        rows::EventKind,
    },
};

const FIRST_KEPT: Statement = Statement::new(
    "select position from event where lane = 0 order by position limit 1",
    &[],
);
const EVENTS: Statement = Statement::new(
    concat!(
        "select ",
        event_columns!(),
        " from event where lane = 0 and position > $1 order by position limit $2"
    ),
    &[Type::INT8, Type::INT8],
);
const PAIRS: Statement = Statement::new(
    concat!(
        "select ",
        pair_columns!(),
        " from unnest($2::text[], $3::text[]) as k (low, high) join pair t on t.lane = $1 and t.low = k.low and t.high = k.high"
    ),
    &[Type::INT4, Type::TEXT_ARRAY, Type::TEXT_ARRAY],
);
/// A member's events from a link back to a position, the latest first, each with the member's role and the link before it.
const MISSED: Statement = Statement::new(
    concat!(
        "with recursive missed (link) as (
             select $1::bigint
             union all
             select case when missed.link % 2 = 0 then e.previous_of_inviter else e.previous_of_invitee end
             from missed join event e on e.lane = 0 and e.position = missed.link / 2 where missed.link / 2 > $2
         )
         select ",
        event_columns!(),
        ", missed.link from missed join event on lane = 0 and position = missed.link / 2 where missed.link / 2 > $2 limit $3"
    ),
    &[Type::INT8, Type::INT8, Type::INT8],
);
/// Whom events concern.
pub(super) const CONCERNED: Statement = Statement::new(
    "select position, inviter, invitee from event where lane = 0 and position > $1 order by position limit $2",
    &[Type::INT8, Type::INT8],
);

/// Every statement of watching.
pub(super) fn statements() -> Vec<Statement> {
    vec![FIRST_KEPT, EVENTS, PAIRS, MISSED, CONCERNED]
}

impl Snapshot {
    /// The position of the first event that is still kept, or the one that the next will have.
    async fn first_kept(&self) -> Result<u64, Failure> {
        let rows = FIRST_KEPT.query(self.client()?, &[]).await?;
        match rows.first() {
            Some(row) => Columns::new(row).position(),
            None => Ok(self.begun().await?.head.position.saturating_add(1)),
        }
    }

    /// The events after a position, for services; `None` when some of them are no longer kept.
    pub(super) async fn service_events(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Option<Stretch<ServiceEvent>>, Failure> {
        if after.saturating_add(1) < self.first_kept().await? {
            return Ok(None);
        }
        let rows = EVENTS
            .query(
                self.client()?,
                &[&codec::position_number(after), &limit_number(limit)],
            )
            .await?;
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            let event = event::read(row)?;
            let between = to_notify(&event)?;
            events.push((event, between));
        }
        let keys = events.iter().filter_map(|(_, key)| key.as_ref());
        let pairs = self.pairs(keys.collect()).await?;
        let now = self.begun().await?.now;
        let mut stretch = Stretch {
            events: Vec::new(),
            until: after,
        };
        for (event, between) in events {
            stretch.until = event.position;
            if let EventKind::Step(_) = event.kind {
                let pair = between.and_then(|key| pairs.get(&key).cloned());
                let notify = pair.and_then(|pair| notified(&event, pair, now));
                stretch.events.push(ServiceEvent { event, notify });
            }
        }
        Ok(Some(stretch))
    }

    async fn pairs(&self, keys: BTreeSet<&PairKey>) -> Result<BTreeMap<PairKey, Pair>, Failure> {
        let mut by_lane = BTreeMap::<i32, (Vec<&str>, Vec<&str>)>::new();
        for key in keys {
            let (lows, highs) = by_lane.entry(self.lane(key.low())).or_default();
            lows.push(key.low().as_str());
            highs.push(key.high().as_str());
        }
        let mut pairs = BTreeMap::new();
        for (lane, (lows, highs)) in by_lane {
            for row in PAIRS.query(self.client()?, &[&lane, &lows, &highs]).await? {
                let pair = pair::read(&row)?.row.pair;
                pairs.insert(pair.key.clone(), pair);
            }
        }
        Ok(pairs)
    }

    /// What became of a member's lists beyond what a watch has reached; `None` when that can no longer be said.
    pub(super) async fn member_events(
        &self,
        id: &MemberId,
        reached: Reached,
    ) -> Result<Option<Stretch<MemberEvent>>, Failure> {
        if reached.from.saturating_add(1) < self.first_kept().await? {
            return Ok(None);
        }
        let begun = self.begun().await?;
        let until = begun.head.position;
        let Some(member) = self.member(id).await? else {
            return Ok(Some(Stretch {
                events: Vec::new(),
                until,
            }));
        };
        let Some(missed) = self.missed(&member, reached).await? else {
            return Ok(None);
        };
        let touched = Touched::by(missed, reached);
        let ids: Vec<Uuid> = touched.invitations(reached).copied().collect();
        let mut entries = self.entries(id, &ids).await?;
        let entry = |id: &Uuid| Ok(entries.remove(id));
        let (whose, told) = ((id, &member.seen_until), (reached, until));
        Ok(Some(touched.tell(
            whose,
            told,
            &self.policy,
            begun.now,
            entry,
        )?))
    }

    /// What a member has missed; `None` where it is too much, or no longer kept.
    async fn missed(&self, member: &Member, reached: Reached) -> Result<Option<Missed>, Failure> {
        // Whoever missed more lists anew.
        let missed_max = usize::try_from(self.policy.member_backlog_max).unwrap_or(usize::MAX);
        let parameters: [&(dyn ToSql + Sync); 3] = [
            &codec::link_number(member.last_event),
            &codec::position_number(reached.from),
            &limit_number(missed_max.saturating_add(1)),
        ];
        let rows = MISSED.query(self.client()?, &parameters).await?;
        if rows.len() > missed_max {
            return Ok(None);
        }
        let mut missed = Missed::new();
        for row in &rows {
            let event = event::read(row)?;
            let mut columns = Columns::new(row);
            columns.skip(10);
            let link = codec::link(columns.get()?)?;
            let link = link.ok_or_else(|| Failure::corrupt("an event of nobody"))?;
            missed.insert(event.position, (link.role, event));
        }
        // The list must lead from the member's row to where the watch has come.
        let mut next = member.last_event;
        while let Some(link) = next.filter(|link| link.position > reached.from) {
            let Some((role, event)) = missed.get(&link.position) else {
                return Ok(None);
            };
            next = event.previous_of(*role);
        }
        Ok(Some(missed))
    }
}
