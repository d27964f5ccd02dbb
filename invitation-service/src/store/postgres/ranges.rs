//! Looking up what commands ask for by what it is and not by its key.
//!
//! Deliberately absent: which of it earlier commands of the batch have changed (`batch_rows.rs`).

use service_kit::{
    id::{PairKey, uuid_floor},
    postgres::{
        Client, Columns, Failure, Row, Statement, limit_number, member_lane, types::ToSql,
        types::Type,
    },
};

use super::{
    batch::{Found, Range},
    tables::act,
};
use crate::store::{
    codec,
    rows::{OldEntry, UnseenRange},
};

const OLDEST: Statement = Statement::new(
    "select invitation_id, other, create_time, expire_time from invitation
     where lane = $1 and member = $2 and place = $3 and invitation_id < $4 order by invitation_id limit $5",
    &[Type::INT4, Type::TEXT, Type::INT2, Type::UUID, Type::INT8],
);
// Uuids have an order, but no max.
const UNSEEN: Statement = Statement::new(
    "with latest (id) as (
         (select invitation_id from invitation
          where lane = $1 and member = $2 and place = 1 and invitation_id > $3 and invitation_id < $4 order by invitation_id desc limit 1)
         union all
         (select invitation_id from invitation
          where lane = $1 and member = $2 and place = 2 and invitation_id > $3 and invitation_id < $4 order by invitation_id desc limit 1)
         order by 1 desc limit 1
     )
     select id, (select count(*) from invitation where lane = $1 and member = $2 and place = 1 and invitation_id > $3 and invitation_id <= id)
     from latest",
    &[Type::INT4, Type::TEXT, Type::UUID, Type::UUID],
);
const PAIRS_OF: Statement = Statement::new(
    "(select low, high from pair where lane = $1 and low = $2)
     union all (select low, high from pair where lane = any($3) and high = $2) limit $4",
    &[Type::INT4, Type::TEXT, Type::INT4_ARRAY, Type::INT8],
);
const PAIRS_BETWEEN: Statement = Statement::new(
    "select low, high from pair where lane = $1 and (low, high) > ($2, $3) and (low, high) <= ($4, $5) order by low, high limit $6",
    &[
        Type::INT4,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::TEXT,
        Type::INT8,
    ],
);
const CHAIN: Statement = Statement::new(
    "with recursive chain (link, number) as (
         select $1::bigint, 0::bigint
         union all
         select case when chain.link % 2 = 0 then e.previous_of_inviter else e.previous_of_invitee end, chain.number + 1
         from chain join event e on e.lane = 0 and e.position = chain.link / 2 where chain.link > 0 and chain.number < $2
     )
     select link from chain where link > 0 order by number",
    &[Type::INT8, Type::INT8],
);
const ACT_OF_REQUEST: Statement = Statement::new(
    "select member, kind, plan, weekly_cap, until from standing_act where lane = 0 and request_id = $1 and author = $2",
    &[Type::UUID, Type::TEXT],
);

/// Every statement of looking ranges up.
pub(super) fn statements() -> Vec<Statement> {
    vec![
        OLDEST,
        UNSEEN,
        PAIRS_OF,
        PAIRS_BETWEEN,
        CHAIN,
        ACT_OF_REQUEST,
    ]
}

/// Looks a range up.
pub(super) async fn look_through(
    client: &Client,
    range: &Range,
    lanes: &[i32],
) -> Result<Found, Failure> {
    let count = u16::try_from(lanes.len()).unwrap_or(u16::MAX);
    match range {
        Range::Oldest {
            member,
            place,
            before,
            limit,
        } => {
            let parameters: [&(dyn ToSql + Sync); 5] = [
                &member_lane(member, count),
                &member.as_str(),
                place,
                &uuid_floor(*before),
                &limit_number(*limit),
            ];
            let rows = OLDEST.query(client, &parameters).await?;
            let read = |row: &Row| {
                let mut columns = Columns::new(row);
                Ok(OldEntry {
                    invitation_id: columns.uuid()?,
                    other: columns.member_id()?,
                    create_time: columns.time()?,
                    expire_time: columns.time()?,
                })
            };
            let entries: Result<_, Failure> = rows.iter().map(read).collect();
            Ok(Found::Oldest(entries?))
        }
        Range::Unseen {
            member,
            after,
            before,
        } => {
            let lane = member_lane(member, count);
            let before = uuid_floor(*before);
            let rows = UNSEEN
                .query(client, &[&lane, &member.as_str(), after, &before])
                .await?;
            let Some(row) = rows.first() else {
                return Ok(Found::Unseen(UnseenRange {
                    latest: None,
                    received: 0,
                }));
            };
            let mut columns = Columns::new(row);
            Ok(Found::Unseen(UnseenRange {
                latest: Some(columns.uuid()?),
                received: codec::count(columns.get()?)?,
            }))
        }
        Range::PairsOf { member, limit } => {
            let lane = member_lane(member, count);
            let parameters: [&(dyn ToSql + Sync); 4] =
                [&lane, &member.as_str(), &lanes, &limit_number(*limit)];
            let rows = PAIRS_OF.query(client, &parameters).await?;
            Ok(Found::Pairs(read_keys(&rows)?))
        }
        Range::PairsBetween {
            after,
            until,
            limit,
        } => pairs_between(client, after.as_ref(), until.as_ref(), *limit, lanes).await,
        Range::Chain { link, limit } => {
            let rows = CHAIN.query(client, &[link, &limit_number(*limit)]).await?;
            let mut links = Vec::with_capacity(rows.len());
            for row in &rows {
                links.extend(codec::link(Columns::new(row).get()?)?);
            }
            Ok(Found::Chain(links))
        }
        Range::Act { author, request_id } => {
            let rows = ACT_OF_REQUEST.query(client, &[request_id, author]).await?;
            let Some(row) = rows.first() else {
                return Ok(Found::Act(None));
            };
            let mut columns = Columns::new(row);
            let member = columns.optional_member_id()?;
            Ok(Found::Act(Some((member, act::read(&mut columns)?))))
        }
    }
}

async fn pairs_between(
    client: &Client,
    after: Option<&PairKey>,
    until: Option<&PairKey>,
    limit: usize,
    lanes: &[i32],
) -> Result<Found, Failure> {
    // Empty sorts before, and the last character in use before a tilde.
    let texts = |key: Option<&PairKey>, none: &'static str| match key {
        None => (none.to_owned(), none.to_owned()),
        Some(key) => (
            key.low().as_str().to_owned(),
            key.high().as_str().to_owned(),
        ),
    };
    let ((after_low, after_high), (until_low, until_high)) = (texts(after, ""), texts(until, "~"));
    let at_most = limit_number(limit);
    let mut keys = Vec::new();
    for lane in lanes {
        let parameters: [&(dyn ToSql + Sync); 6] = [
            lane,
            &after_low,
            &after_high,
            &until_low,
            &until_high,
            &at_most,
        ];
        keys.extend(read_keys(&PAIRS_BETWEEN.query(client, &parameters).await?)?);
    }
    // Each lane is in order by itself.
    keys.sort_unstable();
    keys.truncate(limit);
    Ok(Found::Pairs(keys))
}

/// Pairs, from rows that begin with their two members.
pub(super) fn read_keys(rows: &[Row]) -> Result<Vec<PairKey>, Failure> {
    let read = |row: &Row| {
        let mut columns = Columns::new(row);
        let (low, high) = (columns.member_id()?, columns.member_id()?);
        PairKey::new(&low, &high).ok_or_else(|| Failure::corrupt("a pair of one"))
    };
    rows.iter().map(read).collect()
}
