//! Queries over many rows: lists, counts, and what is due. Each costs what it returns, never what the store holds.

use rusqlite::{Connection, params};
use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey, uuid_floor},
    time::{Span, Time},
};
use uuid::Uuid;

use super::{
    codec::{self, Columns},
    tables::{self, entry_columns},
};
use crate::{
    domain::{
        invitation::{Place, Role},
        policy::Policy,
        view::{View, view},
    },
    store::{
        Barred, Counts, ListOrder, ListQuery, Selected, Selection,
        reading::{in_order, state_of},
        rows::{OldEntry, UnseenRange},
    },
};

const LOWEST_ID: [u8; 16] = [0; 16];
const HIGHEST_ID: [u8; 16] = [0xff; 16];

/// See [`crate::store::rows::Rows::oldest_entries`].
pub(super) fn oldest_entries(
    conn: &Connection,
    member: &MemberId,
    place: Place,
    sent_before: Time,
    limit: usize,
) -> Result<Vec<OldEntry>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select invitation_id, other, create_time, expire_time from invitation
         where member = ?1 and place = ?2 and invitation_id < ?3 order by invitation_id limit ?4",
    )?;
    let mut rows = statement.query(params![
        member.as_str(),
        codec::place_number(place),
        uuid_floor(sent_before).as_bytes(),
        limit_number(limit),
    ])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new(row);
        entries.push(OldEntry {
            invitation_id: columns.uuid()?,
            other: columns.member_id()?,
            create_time: columns.time()?,
            expire_time: columns.time()?,
        });
    }
    Ok(entries)
}

/// See [`crate::store::rows::Rows::unseen_range`].
pub(super) fn unseen_range(
    conn: &Connection,
    member: &MemberId,
    after: &Uuid,
    before: Time,
) -> Result<UnseenRange, StoreError> {
    let before = uuid_floor(before);
    let latest = |place: Place| -> Result<Option<Uuid>, StoreError> {
        let mut statement = conn.prepare_cached(
            "select max(invitation_id) from invitation
                 where member = ?1 and place = ?2 and invitation_id > ?3 and invitation_id < ?4",
        )?;
        let mut rows = statement.query(params![
            member.as_str(),
            codec::place_number(place),
            after.as_bytes(),
            before.as_bytes()
        ])?;
        let latest = rows.next()?.map(|row| Columns::new(row).optional_uuid());
        Ok(latest.transpose()?.flatten())
    };
    let latest = latest(Place::Received)?.max(latest(Place::Filtered)?);
    let received = match latest {
        None => 0,
        Some(latest) => conn
            .prepare_cached(
                "select count(*) from invitation
                 where member = ?1 and place = ?2 and invitation_id > ?3 and invitation_id <= ?4",
            )?
            .query_row(
                params![
                    member.as_str(),
                    codec::place_number(Place::Received),
                    after.as_bytes(),
                    latest.as_bytes()
                ],
                |row| row.get(0),
            )?,
    };
    Ok(UnseenRange { latest, received })
}

/// See [`crate::store::rows::Rows::some_pairs`].
pub(super) fn some_pairs(
    conn: &Connection,
    member: &MemberId,
    limit: usize,
) -> Result<Vec<PairKey>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select low, high from pair where low = ?1 union all select low, high from pair_of_high where high = ?1 limit ?2",
    )?;
    read_keys(&mut statement.query(params![member.as_str(), limit_number(limit)])?)
}

/// See [`crate::store::rows::Rows::pairs_between`].
pub(super) fn pairs_between(
    conn: &Connection,
    after: Option<&PairKey>,
    until: Option<&PairKey>,
    limit: usize,
) -> Result<Vec<PairKey>, StoreError> {
    // Empty sorts before, and the last character in use before a tilde.
    let (after_low, after_high) =
        after.map_or(("", ""), |key| (key.low().as_str(), key.high().as_str()));
    let (until_low, until_high) =
        until.map_or(("~", "~"), |key| (key.low().as_str(), key.high().as_str()));
    let mut statement = conn.prepare_cached(
        "select low, high from pair where (low, high) > (?1, ?2) and (low, high) <= (?3, ?4) order by low, high limit ?5",
    )?;
    read_keys(&mut statement.query(params![
        after_low,
        after_high,
        until_low,
        until_high,
        limit_number(limit)
    ])?)
}

/// The pairs that are due at `now`, the longest due first.
pub(super) fn due_pairs(
    conn: &Connection,
    now: Time,
    limit: usize,
) -> Result<Vec<PairKey>, StoreError> {
    let mut statement = conn
        .prepare_cached("select low, high from pair_due where due <= ?1 order by due limit ?2")?;
    read_keys(&mut statement.query(params![now.millis(), limit_number(limit)])?)
}

/// The members whose auto-withdrawal is due at `now`, the longest due first.
pub(super) fn due_members(
    conn: &Connection,
    now: Time,
    limit: usize,
) -> Result<Vec<MemberId>, StoreError> {
    let mut statement =
        conn.prepare_cached("select member from member_due where due <= ?1 order by due limit ?2")?;
    let mut rows = statement.query(params![now.millis(), limit_number(limit)])?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(Columns::new(row).member_id()?);
    }
    Ok(members)
}

fn read_keys(rows: &mut rusqlite::Rows<'_>) -> Result<Vec<PairKey>, StoreError> {
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new(row);
        let (low, high) = (columns.member_id()?, columns.member_id()?);
        keys.push(PairKey::new(&low, &high).ok_or_else(|| StoreError::corrupt("a pair of one"))?);
    }
    Ok(keys)
}

/// What a member is shown of one invitation.
pub(super) fn get(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    member: &MemberId,
    id: &Uuid,
) -> Result<Option<View>, StoreError> {
    let Some(entry) =
        tables::load_entry(conn, member, id)?.filter(|entry| entry.is_kept(policy, now))
    else {
        return Ok(None);
    };
    Ok(Some(view(member, &seen_until(conn, member)?, *id, entry)))
}

pub(super) fn seen_until(conn: &Connection, member: &MemberId) -> Result<Uuid, StoreError> {
    let mut statement = conn.prepare_cached("select seen_until from member where member = ?1")?;
    let mut rows = statement.query([member.as_str()])?;
    let row = rows.next()?;
    row.map_or_else(|| Ok(Uuid::nil()), |row| Columns::new(row).uuid())
}

/// A page of one of a member's lists, and whether more follow.
pub(super) fn list(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    query: &ListQuery,
) -> Result<(Vec<View>, bool), StoreError> {
    let seen_until = seen_until(conn, &query.member)?;
    let mut views = list_place(conn, policy, now, query, query.list, &seen_until)?;
    if query.include_recently_withdrawn {
        views.extend(list_place(
            conn,
            policy,
            now,
            query,
            Place::Withdrawn,
            &seen_until,
        )?);
        in_order(&mut views, query.order);
    }
    let more = views.len() > query.limit;
    views.truncate(query.limit);
    Ok((views, more))
}

/// One more than the page holds, if there are so many.
fn list_place(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    query: &ListQuery,
    place: Place,
    seen_until: &Uuid,
) -> Result<Vec<View>, StoreError> {
    let before = query
        .sent_before
        .map_or(HIGHEST_ID, |before| uuid_floor(before).into_bytes());
    let (above, below) = match (query.after.map(Uuid::into_bytes), query.order) {
        (None, _) => (LOWEST_ID, before),
        (Some(after), ListOrder::Newest) => (LOWEST_ID, before.min(after)),
        (Some(after), ListOrder::Oldest) => (after, before),
    };
    // Those that are over but were not swept yet are left out here as everywhere.
    let mut statement = conn.prepare_cached(match query.order {
        ListOrder::Newest => {
            concat!(
            "select ",
            entry_columns!(),
            " from invitation where member = ?1 and place = ?2 and invitation_id > ?3 and invitation_id < ?4
                 and (shown <> 0 or expire_time > ?5) and (shown <> 4 or update_time > ?6)
             order by invitation_id desc limit ?7"
        )
        }
        ListOrder::Oldest => {
            concat!(
            "select ",
            entry_columns!(),
            " from invitation where member = ?1 and place = ?2 and invitation_id > ?3 and invitation_id < ?4
                 and (shown <> 0 or expire_time > ?5) and (shown <> 4 or update_time > ?6)
             order by invitation_id limit ?7"
        )
        }
    })?;
    let mut rows = statement.query(params![
        query.member.as_str(),
        codec::place_number(place),
        above,
        below,
        now.millis(),
        now.minus(policy.ended_kept).millis(),
        limit_number(query.limit.saturating_add(1)),
    ])?;
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, entry) = tables::read_entry(row)?;
        views.push(view(&query.member, seen_until, id, entry));
    }
    Ok(views)
}

/// How many invitations a member's lists hold.
pub(super) fn counts(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    member: &MemberId,
) -> Result<Counts, StoreError> {
    let Some(row) = tables::load_member(conn, member)? else {
        return Ok(Counts::default());
    };
    let (sent, _) = overdue(conn, policy, now, member, Place::Sent, &row.seen_until)?;
    let (received, unseen) = overdue(conn, policy, now, member, Place::Received, &row.seen_until)?;
    let (filtered, _) = overdue(conn, policy, now, member, Place::Filtered, &row.seen_until)?;
    Ok(Counts {
        sent_pending: row.sent_pending.saturating_sub(sent),
        received_pending: row.received_pending.saturating_sub(received),
        received_unseen: row.received_unseen.saturating_sub(unseen),
        filtered_pending: row.filtered_pending.saturating_sub(filtered),
    })
}

/// How many entries of a list have expired but were not swept yet, and how many of them sort after what was seen.
fn overdue(
    conn: &Connection,
    policy: &Policy,
    now: Time,
    member: &MemberId,
    place: Place,
    seen_until: &Uuid,
) -> Result<(u32, u32), StoreError> {
    // Only those at least as old as an invitation's lifetime can have expired, and the sweeper takes them away: few at most.
    let border = now.minus(policy.invitation_lifetime).plus(Span::millis(1));
    Ok(conn
        .prepare_cached(
            "select count(*), count(*) filter (where invitation_id > ?5) from invitation
             where member = ?1 and place = ?2 and invitation_id < ?3 and shown = 0 and expire_time <= ?4",
        )?
        .query_row(
            params![
                member.as_str(),
                codec::place_number(place),
                uuid_floor(border).as_bytes(),
                now.millis(),
                seen_until.as_bytes(),
            ],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?)
}

/// The oldest entries of a list that match, and how many match.
pub(super) fn select(
    conn: &Connection,
    now: Time,
    selection: &Selection,
) -> Result<Selected, StoreError> {
    let below = selection
        .sent_before
        .map_or(HIGHEST_ID, |before| uuid_floor(before).into_bytes());
    let mut statement = conn.prepare_cached(
        "select invitation_id from invitation where member = ?1 and place = ?2 and invitation_id < ?3
             and (shown <> 0 or expire_time > ?4) and shown <> 1 and (?5 = 0 or note = '')
         order by invitation_id limit ?6",
    )?;
    let mut rows = statement.query(params![
        selection.member.as_str(),
        codec::place_number(selection.list),
        below,
        now.millis(),
        selection.without_note,
        limit_number(selection.count_max),
    ])?;
    let mut selected = Selected {
        invitation_ids: Vec::new(),
        matched: 0,
    };
    while let Some(row) = rows.next()? {
        selected.matched += 1;
        if selected.invitation_ids.len() < selection.limit {
            selected.invitation_ids.push(Columns::new(row).uuid()?);
        }
    }
    Ok(selected)
}

/// Whom a member has barred, in the order of ids, after one of them; and whether more follow.
pub(super) fn bars(
    conn: &Connection,
    member: &MemberId,
    after: Option<&MemberId>,
    limit: usize,
) -> Result<(Vec<Barred>, bool), StoreError> {
    let mut statement = conn.prepare_cached(
        "select inviter, reason, bar_time from bar where member = ?1 and inviter > ?2 order by inviter limit ?3",
    )?;
    let mut rows = statement.query(params![
        member.as_str(),
        after.map_or("", MemberId::as_str),
        limit_number(limit.saturating_add(1)),
    ])?;
    let mut barred = Vec::new();
    while let Some(row) = rows.next()? {
        let mut columns = Columns::new(row);
        barred.push(Barred {
            inviter: columns.member_id()?,
            reason: codec::reason(columns.get()?)?,
            time: columns.time()?,
        });
    }
    let more = barred.len() > limit;
    barred.truncate(limit);
    Ok((barred, more))
}

pub(super) fn limit_number(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Whose invitation is live between a member and each of the others, as the member's lists show it.
pub(super) fn states(
    conn: &Connection,
    now: Time,
    member: &MemberId,
    others: &[MemberId],
) -> Result<Vec<Option<(Role, Uuid)>>, StoreError> {
    let mut live_pairs = tables::LivePairs::prepare(conn)?;
    let state = |other| state(&mut live_pairs, now, member, other);
    others.iter().map(state).collect()
}

fn state(
    live_pairs: &mut tables::LivePairs<'_>,
    now: Time,
    member: &MemberId,
    other: &MemberId,
) -> Result<Option<(Role, Uuid)>, StoreError> {
    let Some(key) = PairKey::new(member, other) else {
        return Ok(None);
    };
    let (Some(live), Some(side)) = (live_pairs.load(&key)?, key.side_of(member)) else {
        return Ok(None);
    };
    Ok(state_of(&live, side, now))
}
