//! One row at a time: the statements that load and save each kind of row.
//!
//! Deliberately absent: what a transaction keeps in memory (`batch.rs`), and queries for lists (`reads.rs`).

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey, Sides},
    time::Time,
};
use uuid::Uuid;

use super::codec;
use crate::{
    domain::{
        invitation::{Invitation, Place},
        member::{Member, Preferences, Quota},
        note::{Note, Source},
        pair::{self, Facts, Live, Pair},
        view::Entry,
    },
    store::rows::{Remembered, RememberedOutcome},
};

/// A pair's row and when it is due; `None` where there is no row.
pub(super) fn load_pair(
    conn: &Connection,
    key: &PairKey,
) -> Result<Option<(Pair, Option<Time>)>, StoreError> {
    let mut statement = conn.prepare_cached("select * from pair where low = ?1 and high = ?2")?;
    let mut rows = statement.query(params![key.low().as_str(), key.high().as_str()])?;
    rows.next()?.map(|row| read_pair(key, row)).transpose()
}

fn read_pair(key: &PairKey, row: &Row<'_>) -> Result<(Pair, Option<Time>), StoreError> {
    let mut pair = Pair::new(key.clone());
    if let Some(id) = codec::optional_uuid(row.get("invitation_id")?)? {
        let invitation = Invitation {
            id,
            inviter: codec::side(row.get("inviter")?)?,
            filtered: row.get("filtered")?,
            create_time: codec::time(row, "create_time")?,
            expire_time: codec::time(row, "expire_time")?,
            decided_at: codec::position(row.get("decided_at")?)?,
            acceptances: codec::count(row.get("acceptances")?)?,
            last_event: codec::position(row.get("last_event")?)?,
        };
        let acceptance = match codec::optional_time(row, "accept_time")? {
            None => None,
            Some(time) => Some(pair::Acceptance {
                time,
                attempts: codec::count(row.get("accept_attempts")?)?,
                next_attempt: codec::time(row, "accept_next_attempt")?,
                request_id: codec::optional_uuid(row.get("accept_request_id")?)?,
            }),
        };
        pair.live = Some(Live {
            invitation,
            acceptance,
        });
    }
    let connection = match codec::optional_time(row, "connect_time")? {
        None => None,
        Some(connect_time) => Some(pair::Connection {
            connect_time,
            invitation_id: codec::optional_uuid(row.get("connect_invitation_id")?)?,
        }),
    };
    pair.facts = Facts {
        connection,
        blocked_by: Sides {
            low: row.get("blocked_by_low")?,
            high: row.get("blocked_by_high")?,
        },
    };
    pair.facts_position = codec::position(row.get("facts_position")?)?;
    codec::read_remains(
        &mut pair,
        row.get_ref("remains")?
            .as_str_or_null()
            .map_err(rusqlite::Error::from)?,
    )?;
    Ok((pair, codec::optional_time(row, "due")?))
}

/// Saves a pair's row. `was_due`, `due`: when it was and is due.
pub(super) fn save_pair(
    conn: &Connection,
    pair: &Pair,
    was_due: Option<Time>,
    due: Option<Time>,
) -> Result<(), StoreError> {
    let (low, high) = (pair.key.low().as_str(), pair.key.high().as_str());
    let invitation = pair.live.as_ref().map(|live| &live.invitation);
    let acceptance = pair.live.as_ref().and_then(|live| live.acceptance.as_ref());
    let connection = pair.facts.connection.as_ref();
    conn.prepare_cached(
        "insert or replace into pair (low, high, invitation_id, inviter, filtered, create_time, expire_time, decided_at, acceptances,
             last_event, accept_time, accept_attempts, accept_next_attempt, accept_request_id, connect_time, connect_invitation_id,
             blocked_by_low, blocked_by_high, facts_position, remains, due)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21)",
    )?
    .execute(params![
        low,
        high,
        invitation.map(|i| i.id.as_bytes()),
        invitation.map(|i| codec::side_number(i.inviter)),
        invitation.map(|i| i.filtered),
        invitation.map(|i| i.create_time.millis()),
        invitation.map(|i| i.expire_time.millis()),
        invitation.map(|i| codec::position_number(i.decided_at)),
        invitation.map(|i| i.acceptances),
        invitation.map(|i| codec::position_number(i.last_event)),
        acceptance.map(|a| a.time.millis()),
        acceptance.map(|a| a.attempts),
        acceptance.map(|a| a.next_attempt.millis()),
        acceptance.and_then(|a| a.request_id).map(Uuid::into_bytes),
        connection.map(|c| c.connect_time.millis()),
        connection.and_then(|c| c.invitation_id).map(Uuid::into_bytes),
        pair.facts.blocked_by.low,
        pair.facts.blocked_by.high,
        codec::position_number(pair.facts_position),
        codec::remains_text(pair)?,
        due.map(Time::millis),
    ])?;
    save_due(conn, &pair.key, was_due, due)
}

/// Deletes a pair's row.
pub(super) fn delete_pair(
    conn: &Connection,
    key: &PairKey,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached("delete from pair where low = ?1 and high = ?2")?
        .execute(params![key.low().as_str(), key.high().as_str()])?;
    save_due(conn, key, was_due, None)
}

fn save_due(
    conn: &Connection,
    key: &PairKey,
    was: Option<Time>,
    is: Option<Time>,
) -> Result<(), StoreError> {
    if was == is {
        return Ok(());
    }
    let (low, high) = (key.low().as_str(), key.high().as_str());
    if let Some(was) = was {
        conn.prepare_cached("delete from pair_due where due = ?1 and low = ?2 and high = ?3")?
            .execute(params![was.millis(), low, high])?;
    }
    if let Some(is) = is {
        conn.prepare_cached(
            "insert or replace into pair_due (due, low, high) values (?1, ?2, ?3)",
        )?
        .execute(params![is.millis(), low, high])?;
    }
    Ok(())
}

/// Makes the list of a member's bars say what the pair says.
pub(super) fn save_bars(conn: &Connection, before: &Pair, after: &Pair) -> Result<(), StoreError> {
    for side in service_kit::id::Side::BOTH {
        let (was, is) = (before.bars.get(side), after.bars.get(side));
        if was == is {
            continue;
        }
        let (member, inviter) = (
            after.key.member(side.other()).as_str(),
            after.key.member(side).as_str(),
        );
        match is {
            Some(bar) => conn
                .prepare_cached("insert or replace into bar (member, inviter, reason, bar_time) values (?1, ?2, ?3, ?4)")?
                .execute(params![member, inviter, codec::reason_number(bar.reason), bar.time.millis()])?,
            None => conn
                .prepare_cached("delete from bar where member = ?1 and inviter = ?2")?
                .execute(params![member, inviter])?,
        };
    }
    Ok(())
}

/// A member's row; `None` where there is none.
pub(super) fn load_member(conn: &Connection, id: &MemberId) -> Result<Option<Member>, StoreError> {
    let mut statement = conn.prepare_cached("select * from member where member = ?1")?;
    let mut rows = statement.query([id.as_str()])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    let days: Option<i64> = row.get("auto_withdraw_days")?;
    let days = days
        .map(|days| {
            u16::try_from(days).map_err(|_| StoreError::corrupt("a number of days out of range"))
        })
        .transpose()?;
    Ok(Some(Member {
        id: id.clone(),
        erased: row.get("erased")?,
        sent_pending: codec::count(row.get("sent_pending")?)?,
        received_pending: codec::count(row.get("received_pending")?)?,
        received_unseen: codec::count(row.get("received_unseen")?)?,
        filtered_pending: codec::count(row.get("filtered_pending")?)?,
        connections: codec::count(row.get("connections")?)?,
        charges: codec::log(
            row.get_ref("charges")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        probes: codec::log(
            row.get_ref("probes")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        preferences: Preferences {
            who_can_invite: codec::who_can_invite(row.get("who_can_invite")?)?,
            auto_withdraw_days: days,
        },
        seen_until: codec::uuid(
            row.get_ref("seen_until")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        auto_withdraw_at: codec::optional_time(row, "auto_withdraw_due")?,
        last_event: codec::link(row.get("last_event")?)?,
    }))
}

/// Saves a member's row. `was_due`: when their auto-withdrawal was due.
pub(super) fn save_member(
    conn: &Connection,
    member: &Member,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached(
        "insert or replace into member (member, erased, sent_pending, received_pending, received_unseen, filtered_pending, connections,
             charges, probes, who_can_invite, auto_withdraw_days, auto_withdraw_due, seen_until, last_event)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        member.id.as_str(),
        member.erased,
        member.sent_pending,
        member.received_pending,
        member.received_unseen,
        member.filtered_pending,
        member.connections,
        codec::log_bytes(&member.charges),
        codec::log_bytes(&member.probes),
        codec::who_can_invite_number(member.preferences.who_can_invite),
        member.preferences.auto_withdraw_days,
        member.auto_withdraw_at.map(Time::millis),
        member.seen_until.as_bytes(),
        codec::link_number(member.last_event),
    ])?;
    save_member_due(conn, &member.id, was_due, member.auto_withdraw_at)
}

/// Deletes a member's row and remembered requests.
pub(super) fn delete_member(
    conn: &Connection,
    id: &MemberId,
    was_due: Option<Time>,
) -> Result<(), StoreError> {
    conn.prepare_cached("delete from member where member = ?1")?
        .execute([id.as_str()])?;
    conn.prepare_cached("delete from request where inviter = ?1")?
        .execute([id.as_str()])?;
    save_member_due(conn, id, was_due, None)
}

fn save_member_due(
    conn: &Connection,
    id: &MemberId,
    was: Option<Time>,
    is: Option<Time>,
) -> Result<(), StoreError> {
    if was == is {
        return Ok(());
    }
    if let Some(was) = was {
        conn.prepare_cached("delete from member_due where due = ?1 and member = ?2")?
            .execute(params![was.millis(), id.as_str()])?;
    }
    if let Some(is) = is {
        conn.prepare_cached("insert or replace into member_due (due, member) values (?1, ?2)")?
            .execute(params![is.millis(), id.as_str()])?;
    }
    Ok(())
}

/// Whether an id was erased, by its keyed hash.
pub(super) fn is_erased(conn: &Connection, hash: &[u8; 16]) -> Result<bool, StoreError> {
    Ok(conn
        .prepare_cached("select 1 from erased where member_hash = ?1")?
        .exists([hash])?)
}

/// What a member keeps of an invitation, wherever it stands.
pub(super) fn load_entry(
    conn: &Connection,
    member: &MemberId,
    id: &Uuid,
) -> Result<Option<Entry>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select * from invitation where member = ?1 and place in (0, 1, 2, 3, 4, 5) and invitation_id = ?2",
    )?;
    let mut rows = statement.query(params![member.as_str(), id.as_bytes()])?;
    rows.next()?.map(read_entry).transpose()
}

/// An entry from a row of the table `invitation`.
pub(super) fn read_entry(row: &Row<'_>) -> Result<Entry, StoreError> {
    Ok(Entry {
        other: codec::member_id(
            row.get_ref("other")?
                .as_str()
                .map_err(rusqlite::Error::from)?,
        )?,
        role: codec::role(row.get("role")?)?,
        place: codec::place(row.get("place")?)?,
        shown: codec::shown(row.get("shown")?)?,
        note: Note::stored(row.get("note")?),
        source: Source::stored(row.get("source")?),
        create_time: codec::time(row, "create_time")?,
        update_time: codec::time(row, "update_time")?,
        expire_time: codec::time(row, "expire_time")?,
        connect_time: codec::optional_time(row, "connect_time")?,
    })
}

/// Saves an entry. `was_at`: where it stood before, if anywhere.
pub(super) fn save_entry(
    conn: &Connection,
    member: &MemberId,
    id: &Uuid,
    was_at: Option<Place>,
    entry: Option<&Entry>,
) -> Result<(), StoreError> {
    if let Some(was_at) = was_at.filter(|was_at| entry.is_none_or(|entry| entry.place != *was_at)) {
        conn.prepare_cached(
            "delete from invitation where member = ?1 and place = ?2 and invitation_id = ?3",
        )?
        .execute(params![
            member.as_str(),
            codec::place_number(was_at),
            id.as_bytes()
        ])?;
    }
    let Some(entry) = entry else { return Ok(()) };
    conn.prepare_cached(
        "insert or replace into invitation (member, place, invitation_id, other, role, shown, note, source, create_time, update_time,
             expire_time, connect_time)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?
    .execute(params![
        member.as_str(),
        codec::place_number(entry.place),
        id.as_bytes(),
        entry.other.as_str(),
        codec::role_number(entry.role),
        codec::shown_number(entry.shown),
        entry.note.as_str(),
        entry.source.as_str(),
        entry.create_time.millis(),
        entry.update_time.millis(),
        entry.expire_time.millis(),
        entry.connect_time.map(Time::millis),
    ])?;
    Ok(())
}

/// What a request id was answered with.
pub(super) fn load_remembered(
    conn: &Connection,
    inviter: &MemberId,
    request_id: &Uuid,
) -> Result<Option<Remembered>, StoreError> {
    let mut statement =
        conn.prepare_cached("select * from request where inviter = ?1 and request_id = ?2")?;
    let mut rows = statement.query(params![inviter.as_str(), request_id.as_bytes()])?;
    rows.next()?.map(read_remembered).transpose()
}

fn read_remembered(row: &Row<'_>) -> Result<Remembered, StoreError> {
    let missing = || StoreError::corrupt("a remembered answer lacks a time");
    let outcome = match row.get("outcome")? {
        0 => RememberedOutcome::Sent {
            expire_time: codec::optional_time(row, "expire_time")?.ok_or_else(missing)?,
        },
        1 => RememberedOutcome::Accepting,
        2 => RememberedOutcome::Connected {
            connect_time: codec::optional_time(row, "connect_time")?.ok_or_else(missing)?,
            create_time: codec::optional_time(row, "create_time")?.ok_or_else(missing)?,
        },
        _ => return Err(StoreError::corrupt("no such outcome")),
    };
    let (weekly_cap, used) = (
        codec::count(row.get("weekly_cap")?)?,
        codec::count(row.get("used")?)?,
    );
    Ok(Remembered {
        content: codec::hash(
            row.get_ref("content")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        time: codec::time(row, "time")?,
        invitation_id: codec::uuid(
            row.get_ref("invitation_id")?
                .as_blob()
                .map_err(rusqlite::Error::from)?,
        )?,
        outcome,
        quota: Quota {
            weekly_cap,
            used,
            remaining: weekly_cap.saturating_sub(used),
            next_place_time: codec::optional_time(row, "next_place_time")?,
            pending_sent: codec::count(row.get("pending_sent")?)?,
            pending_cap: codec::count(row.get("pending_cap")?)?,
        },
    })
}

/// Saves what a request id was answered with, or deletes it.
pub(super) fn save_remembered(
    conn: &Connection,
    inviter: &MemberId,
    request_id: &Uuid,
    remembered: Option<&Remembered>,
) -> Result<(), StoreError> {
    let Some(remembered) = remembered else {
        conn.prepare_cached("delete from request where inviter = ?1 and request_id = ?2")?
            .execute(params![inviter.as_str(), request_id.as_bytes()])?;
        return Ok(());
    };
    let (outcome, expire_time, connect_time, create_time) = match remembered.outcome {
        RememberedOutcome::Sent { expire_time } => (0, Some(expire_time), None, None),
        RememberedOutcome::Accepting => (1, None, None, None),
        RememberedOutcome::Connected {
            connect_time,
            create_time,
        } => (2, None, Some(connect_time), Some(create_time)),
    };
    conn.prepare_cached(
        "insert or replace into request (inviter, request_id, content, time, invitation_id, outcome, expire_time, connect_time,
             create_time, weekly_cap, used, next_place_time, pending_sent, pending_cap)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        inviter.as_str(),
        request_id.as_bytes(),
        remembered.content,
        remembered.time.millis(),
        remembered.invitation_id.as_bytes(),
        outcome,
        expire_time.map(Time::millis),
        connect_time.map(Time::millis),
        create_time.map(Time::millis),
        remembered.quota.weekly_cap,
        remembered.quota.used,
        remembered.quota.next_place_time.map(Time::millis),
        remembered.quota.pending_sent,
        remembered.quota.pending_cap,
    ])?;
    Ok(())
}

/// Until when a cool-down stands.
pub(super) fn load_cooldown(
    conn: &Connection,
    ordered_pair: &[u8; 16],
) -> Result<Option<Time>, StoreError> {
    let until = conn
        .prepare_cached("select until from withdraw_cooldown where ordered_pair = ?1")?
        .query_row([ordered_pair], |row| row.get::<_, i64>(0))
        .optional()?;
    Ok(until.map(Time::from_millis))
}
