//! Lists of connections: all that a member has, offered to the choice of a page.
//!
//! A member with few connections is read in one snapshot, each connection with its card; one with many from a [roster](crate::store::roster),
//! which
//! is first built where there is none. Deliberately absent: what is in a list and in which order (see `domain::connection_list`). The
//! times of a filter bound what is looked at at all; whether a connection is in the list is decided there all the same.

mod rostered;
mod stored;

use std::ops::ControlFlow;

use rusqlite::Connection;
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::secret::StoreSecret;

use super::reads::Shown;
use super::{cards, labels, read_member, reads};
use crate::domain::connection_list::{Filter, Oldest, Order, Selection, Total};
use crate::domain::policy::Policy;
use crate::store::lists::{
    NotedBytes, Part, after_line, chosen_page, cursor_of, plain, ranged_page, selected, selection,
};
use crate::store::roster::{Build, Keys, Roster, Rosters};
use crate::store::{ConnectionPage, ListRequest, Selected};

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
        let searches = filter.search.is_some();
        if Roster::is_used(self.policy, filter, searches, counted.connections) {
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
        let after = after_line(request)?;
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
        Ok(ranged_page(page, total))
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
        let mut room = NotedBytes::up_to(request.noted_bytes_max);
        for line in &mut page.lines {
            let noted = notes.about(line)?;
            if !room.take(noted.as_ref()) {
                break;
            }
            line.noted = noted.map(Box::new);
        }
        if room.kept() < page.lines.len() {
            page.lines.truncate(room.kept());
            if let Some(last) = page.lines.last() {
                let keys = match request.query.order {
                    Order::Recent => Keys::default(),
                    Order::FirstName | Order::LastName => cards::read_keys(self.conn, &last.other)?,
                };
                page.next = Some(cursor_of(request.query.order, last, keys));
            }
        }
        Ok(())
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
        if !Roster::is_used(self.policy, &query.filter, query.looks_at_cards(), total) {
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
        let mut selection = selection(request, self.policy);
        offer(&mut selection)?;
        chosen_page(selection, request, connections)
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
