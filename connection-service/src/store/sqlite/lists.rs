//! Lists of connections: all that a member has, offered to the choice of a page.
//!
//! Deliberately absent: what is in a list and in which order (see `domain::connection_list`). The times of a filter bound what is looked at
//! at all; whether a connection is in the list is decided there all the same.

use rusqlite::{Connection, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::reads::Shown;
use super::{cards, codec, read_member, reads};
use crate::domain::connection_list::{Candidate, Cursor, Filter, ListQuery, Selection, Total};
use crate::store::lists::cursor;
use crate::store::{ConnectionLine, ConnectionPage, Line, ListRequest};

type Found<T> = Result<T, StoreError>;

/// A page; what a filter takes is counted up to `counted_max`.
pub(super) fn connections(
    conn: &Connection,
    member: &MemberId,
    request: &ListRequest,
    counted_max: u32,
) -> Found<ConnectionPage> {
    let mut page = if request.query == ListQuery::default() {
        newest(conn, member, request)?
    } else {
        chosen(conn, member, request, counted_max)?
    };
    if request.with_cards {
        for line in &mut page.lines {
            line.card = cards::read(conn, &line.other)?;
        }
    }
    Ok(page)
}

/// Lies in this order; nothing but the page is looked at.
fn newest(conn: &Connection, member: &MemberId, request: &ListRequest) -> Found<ConnectionPage> {
    let after = match &request.after {
        None => None,
        Some(Cursor::Recent {
            connect_time,
            other,
        }) => Some(Line {
            other: other.clone(),
            time: *connect_time,
        }),
        Some(Cursor::Named { .. }) => {
            return Err(StoreError::internal("a place is of another order"));
        }
    };
    let page = reads::list(
        conn,
        Shown::Connections,
        member,
        after.as_ref(),
        request.limit,
    )?;
    let last = page.lines.last().filter(|_| page.more);
    Ok(ConnectionPage {
        next: last.map(|line| Cursor::Recent {
            connect_time: line.time,
            other: line.other.clone(),
        }),
        lines: page.lines.into_iter().map(plain).collect(),
        total: Total {
            number: page.total,
            is_minimum: false,
        },
    })
}

fn plain(line: Line) -> ConnectionLine {
    ConnectionLine {
        other: line.other,
        connect_time: line.time,
        card: None,
    }
}

fn chosen(
    conn: &Connection,
    member: &MemberId,
    request: &ListRequest,
    counted_max: u32,
) -> Found<ConnectionPage> {
    // Someone who is being erased has no row any more, but may have lines left.
    let Some(counted) = read_member(conn, member)? else {
        return Ok(ConnectionPage::default());
    };
    let query = &request.query;
    let mut selection = Selection::new(query, request.after.as_ref(), request.limit, counted_max);
    offer(conn, member, request, &mut selection)?;
    let (chosen, more, in_list) = selection.finish();
    let mut page = ConnectionPage {
        total: if query.filter.is_empty() {
            Total {
                number: counted.connections,
                is_minimum: false,
            }
        } else {
            in_list
        },
        ..ConnectionPage::default()
    };
    let last = chosen.last().filter(|_| more).cloned();
    for one in chosen {
        page.lines.push(ConnectionLine {
            other: codec::parse_id(&one.other)?,
            connect_time: one.connect_time,
            card: None,
        });
    }
    if let (Some(last), Some(line)) = (last, page.lines.last()) {
        page.next = Some(cursor(query.order, last, line.other.clone()));
    }
    Ok(page)
}

/// Offers what lies between the times of the filter, newest first, until nothing can change any more.
fn offer(
    conn: &Connection,
    member: &MemberId,
    request: &ListRequest,
    selection: &mut Selection<'_>,
) -> Found<()> {
    let sql = if request.query.looks_at_cards() {
        "select other, connect_time, by_first_name, by_last_name, words
         from connection left join card on card.member = connection.other
         where connection.member = ?1 and connect_time > ?2 and connect_time < ?3
         order by connect_time desc, other desc"
    } else {
        "select other, connect_time, null, null, null from connection
         where member = ?1 and connect_time > ?2 and connect_time < ?3
         order by connect_time desc, other desc"
    };
    let (after, before) = bounds(&request.query.filter);
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![member.as_str(), after, before])?;
    while let Some(row) = rows.next()? {
        let text = |column| -> Found<&str> {
            let text = row.get_ref(column)?.as_str_or_null();
            Ok(text.map_err(StoreError::corrupt)?.unwrap_or_default())
        };
        selection.offer(&Candidate {
            other: text(0)?,
            connect_time: codec::time(row, 1)?,
            by_first_name: text(2)?,
            by_last_name: text(3)?,
            words: text(4)?,
        });
        if selection.is_settled_newest_first() {
            break;
        }
    }
    Ok(())
}

fn bounds(filter: &Filter) -> (i64, i64) {
    (
        filter.connected_after.map_or(i64::MIN, Time::millis),
        filter.connected_before.map_or(i64::MAX, Time::millis),
    )
}
