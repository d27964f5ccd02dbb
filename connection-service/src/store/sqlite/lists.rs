//! Lists of connections: all that a member has, offered to the choice of a page.
//!
//! A member with few connections is read in one snapshot, each connection with its card; one with many from a [roster](super::roster), which
//! is first built where there is none. Deliberately absent: what is in a list and in which order (see `domain::connection_list`). The
//! times of a filter bound what is looked at at all; whether a connection is in the list is decided there all the same.

mod rostered;
mod stored;

use std::ops::ControlFlow;

use rusqlite::Connection;
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::secret::StoreSecret;
use service_kit::time::Time;

use super::reads::{Part, Shown};
use super::roster::{Roster, Rosters};
use super::{cards, codec, labels, read_member, reads};
use crate::domain::connection_list::{Cursor, Filter, Oldest, Order, Selection, Total};
use crate::domain::policy::Policy;
use crate::store::lists::cursor;
use crate::store::{ConnectionLine, ConnectionPage, Line, ListRequest, Noted, Selected};

pub(super) use rostered::Build;
use stored::Wanted;
#[cfg(test)]
pub(super) use stored::count_sql;

type Found<T> = Result<T, StoreError>;

/// What one read did for an answer.
pub(super) enum Step<T> {
    /// It was the last.
    Done(T),
    /// A roster is being built; the next read goes on with it.
    Building(Build),
}

/// Reads lists in one snapshot.
pub(super) struct Lists<'a> {
    pub(super) conn: &'a Connection,
    pub(super) rosters: &'a Rosters,
    pub(super) policy: &'a Policy,
    pub(super) secret: &'a StoreSecret,
}

impl Lists<'_> {
    /// Goes on with a page.
    pub(super) fn page(
        &self,
        member: &MemberId,
        request: &ListRequest,
        build: Option<Build>,
    ) -> Found<Step<ConnectionPage>> {
        let mut page = if request.query.is_a_range() {
            self.newest(member, request)?
        } else {
            match self.chosen(member, request, build)? {
                Step::Done(page) => page,
                building @ Step::Building(_) => return Ok(building),
            }
        };
        self.note(member, request, &mut page)?;
        if request.with_cards {
            for line in &mut page.lines {
                line.card = cards::read(self.conn, &line.other)?.map(Box::new);
            }
        }
        Ok(Step::Done(page))
    }

    /// Goes on with the choice of the `limit` oldest connections that a filter takes; up to `count_max` of those that match are counted.
    pub(super) fn oldest(
        &self,
        member: &MemberId,
        filter: &Filter,
        (limit, count_max): (u32, u32),
        build: Option<Build>,
    ) -> Found<Step<Selected>> {
        // Someone who is being erased has no row any more, but may have lines left.
        let Some(counted) = read_member(self.conn, member)? else {
            self.rosters.drop_of(member);
            return Ok(Step::Done(Selected::default()));
        };
        let mut oldest = Oldest::new(filter, limit, count_max);
        if self.has_roster(filter, filter.search.is_some(), counted.connections) {
            let offered = self.with_roster(member, build, |roster| {
                roster.each(|candidate| oldest.offer(candidate));
                Ok(())
            })?;
            match offered {
                Step::Done(Some(())) => return selected(oldest).map(Step::Done),
                Step::Done(None) => {}
                Step::Building(build) => return Ok(Step::Building(build)),
            }
        }
        let wanted = Wanted {
            filter,
            cards: filter.search.is_some(),
            newest_first: false,
        };
        wanted.each(self.conn, member, |candidate| {
            oldest.offer(candidate);
            Ok(if oldest.is_settled_oldest_first() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            })
        })?;
        selected(oldest).map(Step::Done)
    }

    /// Lies in this order, so that nothing but the page is looked at, and what is counted.
    fn newest(&self, member: &MemberId, request: &ListRequest) -> Found<ConnectionPage> {
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
        let filter = &request.query.filter;
        let part = Part {
            after: after.as_ref(),
            later_than: filter.connected_after,
            earlier_than: filter.connected_before,
            limit: request.limit,
        };
        let page = match &filter.label {
            None => reads::list(self.conn, Shown::Connections, member, part, plain)?,
            Some(label) => labels::list(self.conn, member, label, part, plain)?,
        };
        let total = if filter.is_bounded_in_time() && page.total > 0 {
            self.count_between(member, filter)?
        } else {
            Total {
                number: page.total,
                is_minimum: false,
            }
        };
        let last = page.lines.last().filter(|_| page.more);
        Ok(ConnectionPage {
            next: last.map(|line| Cursor::Recent {
                connect_time: line.connect_time,
                other: line.other.clone(),
            }),
            lines: page.lines,
            total,
        })
    }

    /// Adds what the member has noted about each connection. The page ends where that has as many bytes as it may.
    fn note(
        &self,
        member: &MemberId,
        request: &ListRequest,
        page: &mut ConnectionPage,
    ) -> Found<()> {
        let Some(mut notes) = labels::Notes::of(self.conn, member)? else {
            return Ok(());
        };
        let (mut kept, mut bytes) = (0, 0_usize);
        for line in &mut page.lines {
            let noted = notes.about(line)?;
            bytes = bytes.saturating_add(noted.as_ref().map_or(0, Noted::bytes));
            if bytes > request.noted_bytes_max && kept > 0 {
                break;
            }
            line.noted = noted.map(Box::new);
            kept += 1;
        }
        if kept < page.lines.len() {
            page.lines.truncate(kept);
            if let Some(last) = page.lines.last() {
                page.next = Some(self.place(request.query.order, last)?);
            }
        }
        Ok(())
    }

    /// Where a connection stands in an order.
    fn place(&self, order: Order, line: &ConnectionLine) -> Found<Cursor> {
        let (connect_time, other) = (line.connect_time, line.other.clone());
        let key = match order {
            Order::Recent => {
                return Ok(Cursor::Recent {
                    connect_time,
                    other,
                });
            }
            Order::FirstName => cards::read_keys(self.conn, &other)?.by_first_name,
            Order::LastName => cards::read_keys(self.conn, &other)?.by_last_name,
        };
        Ok(Cursor::Named {
            key: key.into(),
            other,
        })
    }

    fn chosen(
        &self,
        member: &MemberId,
        request: &ListRequest,
        build: Option<Build>,
    ) -> Found<Step<ConnectionPage>> {
        // Someone who is being erased has no row any more, but may have lines left.
        let Some(counted) = read_member(self.conn, member)? else {
            self.rosters.drop_of(member);
            return Ok(Step::Done(ConnectionPage::default()));
        };
        let (total, query) = (counted.connections, &request.query);
        if !self.has_roster(&query.filter, query.looks_at_cards(), total) {
            let total = match &query.filter.label {
                None => total,
                Some(label) => labels::count(self.conn, member, label)?,
            };
            return self.read_all(member, request, total).map(Step::Done);
        }
        let page = |roster: &Roster| self.page_of(roster, request, total);
        match self.with_roster(member, build, page)? {
            Step::Done(Some(page)) => Ok(Step::Done(page)),
            Step::Done(None) => self.read_all(member, request, total).map(Step::Done),
            Step::Building(build) => Ok(Step::Building(build)),
        }
    }

    fn page_of(
        &self,
        roster: &Roster,
        request: &ListRequest,
        connections: u32,
    ) -> Found<ConnectionPage> {
        self.choose(request, connections, |selection| {
            roster.each(|candidate| selection.offer(candidate));
            Ok(())
        })
    }

    /// The choice of a page among what `offer` offers, of `connections` in all, or with the label.
    fn choose(
        &self,
        request: &ListRequest,
        connections: u32,
        offer: impl FnOnce(&mut Selection<'_>) -> Found<()>,
    ) -> Found<ConnectionPage> {
        let query = &request.query;
        let counted_max = self.policy.listed_counted_max;
        let mut selection =
            Selection::new(query, request.after.as_ref(), request.limit, counted_max);
        offer(&mut selection)?;
        let (chosen, more, in_list) = selection.finish();
        let all = Total {
            number: connections,
            is_minimum: false,
        };
        let mut page = ConnectionPage {
            total: if query.filter.is_empty() || query.filter.is_label_alone() {
                all
            } else {
                in_list
            },
            ..ConnectionPage::default()
        };
        let last = chosen.last().filter(|_| more).cloned();
        for one in chosen {
            let other = codec::parse_id(&one.other)?;
            page.lines.push(plain(other, one.connect_time));
        }
        if let (Some(last), Some(line)) = (last, page.lines.last()) {
            page.next = Some(cursor(query.order, last, line.other.clone()));
        }
        Ok(page)
    }

    /// Offers what lies between the times of the filter, newest first, until nothing can change any more.
    fn read_all(
        &self,
        member: &MemberId,
        request: &ListRequest,
        connections: u32,
    ) -> Found<ConnectionPage> {
        let query = &request.query;
        let wanted = Wanted {
            filter: &query.filter,
            cards: query.looks_at_cards(),
            newest_first: true,
        };
        self.choose(request, connections, |selection| {
            wanted.each(self.conn, member, |candidate| {
                selection.offer(candidate);
                Ok(if selection.is_settled_newest_first() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                })
            })
        })
    }
}

/// Nothing but who and since when.
fn plain(other: MemberId, connect_time: Time) -> ConnectionLine {
    ConnectionLine {
        other,
        connect_time,
        card: None,
        noted: None,
    }
}

fn selected(oldest: Oldest<'_>) -> Found<Selected> {
    let (chosen, matched) = oldest.finish();
    let line =
        |(time, other): (Time, String)| codec::parse_id(&other).map(|other| Line { other, time });
    let lines = chosen.into_iter().map(line).collect::<Found<_>>()?;
    Ok(Selected { lines, matched })
}
