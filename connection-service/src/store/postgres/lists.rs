//! Lists of connections: all that a member has, offered to the choice of a page.
//!
//! A member with few connections is read in one snapshot, a chunk at a time, each connection with what is looked at of its card; one with many
//! from a [roster](crate::store::roster), which is first built where there is none. Deliberately absent: what is in a list and in which order
//! (see `domain::connection_list`). The times of a filter bound what is looked at at all; whether a connection is in the list is decided there
//! all the same.

mod rostered;
mod stored;

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use prometheus_client::registry::Registry;
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::postgres::types::Type;
use service_kit::postgres::{Columns, Failure, Row, Statement};

use self::stored::Wanted;
use super::reads::Snapshot;
use super::{PostgresStore, read};
use crate::domain::connection_list::{Filter, Oldest, Order, Total};
use crate::domain::policy::Policy;
use crate::store::lists::{
    NotedBytes, Part, after_line, chosen_page, cursor_of, no_page, page_of, plain, ranged_page,
    selected, selection,
};
use crate::store::roster::{Build, Keys, Roster, Rosters};
use crate::store::{ConnectionLine, ConnectionPage, ListPage, ListRequest, Selected};

static CONNECTIONS: Statement = Statement::new(
    "select other, connect_time from connection
     where lane = $1 and member = $2 and (connect_time, other) < ($3, $4) and connect_time > $5
     order by connect_time desc, other desc limit $6",
    &[
        Type::INT4,
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
    ],
);
const LABELLED: Statement = Statement::new(
    "select other, connect_time from labelled
     where lane = $1 and member = $2 and label = $7 and (connect_time, other) < ($3, $4) and connect_time > $5
     order by connect_time desc, other desc limit $6",
    &[
        Type::INT4,
        Type::TEXT,
        Type::INT8,
        Type::TEXT,
        Type::INT8,
        Type::INT8,
        Type::INT4,
    ],
);

/// Every statement of reading lists of connections.
pub(super) fn statements() -> Vec<Statement> {
    [vec![CONNECTIONS.clone(), LABELLED], stored::statements()].concat()
}

/// What reads of lists keep in memory.
pub(super) struct Lists {
    rosters: Rosters,
    /// Held by whoever builds a roster: one at a time, so that those who wait for the same one find it.
    building: tokio::sync::Mutex<()>,
}

/// What one read did for an answer.
pub(super) enum Step<T> {
    /// It was the last.
    Done(T),
    /// A roster is being built; the next read goes on with it.
    Building(Build),
}

impl Lists {
    /// Nothing yet.
    pub(super) fn new(policy: &Policy) -> Self {
        Self {
            rosters: Rosters::new(policy.roster_bytes_max),
            building: tokio::sync::Mutex::new(()),
        }
    }

    /// Hands in the figures.
    pub(super) fn register(&self, registry: &mut Registry) {
        self.rosters.register(registry);
    }

    /// Reads as often as it takes to build a roster, a chunk at a time, where the answer needs one.
    async fn read<T, R>(&self, read: impl Fn(Option<Build>) -> R) -> Result<T, StoreError>
    where
        R: Future<Output = Result<Step<T>, StoreError>>,
    {
        let (mut build, mut turn) = (None, None);
        loop {
            match read(build.take()).await? {
                Step::Done(done) => return Ok(done),
                // Somebody else may be building the same one: looked at again when it is this caller's turn.
                Step::Building(_) if turn.is_none() => turn = Some(self.building.lock().await),
                Step::Building(begun) => build = Some(begun),
            }
        }
    }
}

/// What has been built so far, for the attempt that takes it: one after a connection that was lost begins anew.
struct Begun(Mutex<Option<Build>>);

impl Begun {
    fn new(build: Option<Build>) -> Self {
        Self(Mutex::new(build))
    }

    fn take(&self) -> Option<Build> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PostgresStore {
    /// A page of a member's connections.
    pub(super) async fn list_connections(
        &self,
        member: &MemberId,
        request: &ListRequest,
    ) -> Result<ConnectionPage, StoreError> {
        let (lists, rosters) = (&self.lists, &self.lists.rosters);
        let page = |build| async move {
            let begun = Begun::new(build);
            read!(self, |snapshot| {
                snapshot
                    .connections(rosters, member, request, begun.take())
                    .await
            })
        };
        lists.read(page).await
    }

    /// The `limit` oldest of a member's connections that a filter takes; up to `count_max` of those that match are counted.
    pub(super) async fn oldest_connections(
        &self,
        member: &MemberId,
        filter: &Filter,
        bounds: (u32, u32),
    ) -> Result<Selected, StoreError> {
        let (lists, rosters) = (&self.lists, &self.lists.rosters);
        let oldest = |build| async move {
            let begun = Begun::new(build);
            read!(self, |snapshot| {
                snapshot
                    .select_connections(rosters, member, filter, bounds, begun.take())
                    .await
            })
        };
        lists.read(oldest).await
    }
}

impl Snapshot {
    /// Goes on with a page.
    async fn connections(
        &self,
        rosters: &Rosters,
        member: &MemberId,
        request: &ListRequest,
        build: Option<Build>,
    ) -> Result<Step<ConnectionPage>, Failure> {
        let mut page = if request.query.is_a_range() {
            self.newest(member, request).await?
        } else {
            match self.chosen(rosters, member, request, build).await? {
                Step::Done(page) => page,
                building @ Step::Building(_) => return Ok(building),
            }
        };
        self.note_page(member, request, &mut page).await?;
        if request.with_cards {
            let others = page.lines.iter().map(|line| &line.other);
            let mut cards = self.cards(others).await?;
            for line in &mut page.lines {
                line.card = cards.remove(&line.other).map(Box::new);
            }
        }
        Ok(Step::Done(page))
    }

    /// Goes on with the choice of the `limit` oldest connections that a filter takes; up to `count_max` of those that match are counted.
    async fn select_connections(
        &self,
        rosters: &Rosters,
        member: &MemberId,
        filter: &Filter,
        (limit, count_max): (u32, u32),
        build: Option<Build>,
    ) -> Result<Step<Selected>, Failure> {
        // Someone who is being erased has no row any more, but may have lines left.
        let Some(counted) = self.member(member).await? else {
            rosters.drop_of(member);
            return Ok(Step::Done(Selected::default()));
        };
        let searches = filter.search.is_some();
        if Roster::is_used(&self.policy, filter, searches, counted.connections) {
            let choose = |roster: &Roster| {
                let mut oldest = Oldest::new(filter, limit, count_max);
                roster.each(|candidate| oldest.offer(candidate));
                Ok(selected(oldest)?)
            };
            match self.with_roster(rosters, member, build, choose).await? {
                Step::Done(Some(selected)) => return Ok(Step::Done(selected)),
                Step::Done(None) => {}
                Step::Building(build) => return Ok(Step::Building(build)),
            }
        }
        let wanted = Wanted {
            filter,
            cards: searches,
            newest_first: false,
        };
        let mut oldest = Oldest::new(filter, limit, count_max);
        self.offer(member, &wanted, |candidate| {
            oldest.offer(candidate);
            if oldest.is_settled_oldest_first() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await?;
        Ok(Step::Done(selected(oldest)?))
    }

    /// Lies in this order, so that nothing but the page is looked at, and what is counted.
    async fn newest(
        &self,
        member: &MemberId,
        request: &ListRequest,
    ) -> Result<ConnectionPage, Failure> {
        let after = after_line(request)?;
        let filter = &request.query.filter;
        let part = Part {
            after: after.as_ref(),
            later_than: filter.connected_after,
            earlier_than: filter.connected_before,
            limit: request.limit,
        };
        let page = self.newest_lines(member, filter, &part).await?;
        let total = if filter.is_bounded_in_time() && page.total > 0 {
            self.count_between(member, filter).await?
        } else {
            Total {
                number: page.total,
                is_minimum: false,
            }
        };
        Ok(ranged_page(page, total))
    }

    /// A part of all connections, or of those with the filter's label: as many rows are read as the page has lines.
    async fn newest_lines(
        &self,
        member: &MemberId,
        filter: &Filter,
        part: &Part<'_>,
    ) -> Result<ListPage<ConnectionLine>, Failure> {
        // Someone who is being erased has no row any more, but may have lines and labels left.
        let (rows, total) = match &filter.label {
            None => {
                let rows = self.part(&CONNECTIONS, member, part, &[]);
                match futures::try_join!(self.member(member), rows)? {
                    (Some(counted), rows) => (rows, counted.connections),
                    (None, _) => return Ok(no_page()),
                }
            }
            Some(label) => {
                let found = futures::try_join!(self.member(member), self.label(member, label))?;
                let (Some(_), Some((id, total))) = found else {
                    return Ok(no_page());
                };
                let id = stored::label_number(id);
                (self.part(&LABELLED, member, part, &[&id]).await?, total)
            }
        };
        let line = |row: &Row| {
            let mut columns = Columns::new(row);
            Ok(plain(columns.member_id()?, columns.time()?))
        };
        page_of(rows.iter().map(line), part.limit, total)
    }

    /// Adds what the member has noted about each connection. The page ends where that has as many bytes as it may.
    async fn note_page(
        &self,
        member: &MemberId,
        request: &ListRequest,
        page: &mut ConnectionPage,
    ) -> Result<(), Failure> {
        let room = NotedBytes::up_to(request.noted_bytes_max);
        let kept = self.note(member, &mut page.lines, room).await?;
        if kept == page.lines.len() {
            return Ok(());
        }
        page.lines.truncate(kept);
        let Some(last) = page.lines.last() else {
            return Ok(());
        };
        let keys = match request.query.order {
            Order::Recent => None,
            Order::FirstName | Order::LastName => {
                self.keys([&last.other]).await?.remove(&last.other)
            }
        };
        page.next = Some(cursor_of(
            request.query.order,
            last,
            keys.unwrap_or_else(Keys::default),
        ));
        Ok(())
    }

    async fn chosen(
        &self,
        rosters: &Rosters,
        member: &MemberId,
        request: &ListRequest,
        build: Option<Build>,
    ) -> Result<Step<ConnectionPage>, Failure> {
        // Someone who is being erased has no row any more, but may have lines left.
        let Some(counted) = self.member(member).await? else {
            rosters.drop_of(member);
            return Ok(Step::Done(ConnectionPage::default()));
        };
        let (total, query) = (counted.connections, &request.query);
        if !Roster::is_used(&self.policy, &query.filter, query.looks_at_cards(), total) {
            let total = match &query.filter.label {
                None => total,
                Some(label) => {
                    let found = self.label(member, label).await?;
                    found.map_or(0, |(_, connections)| connections)
                }
            };
            return self.read_all(member, request, total).await.map(Step::Done);
        }
        let choose = |roster: &Roster| {
            let mut selection = selection(request, &self.policy);
            roster.each(|candidate| selection.offer(candidate));
            Ok(chosen_page(selection, request, total)?)
        };
        match self.with_roster(rosters, member, build, choose).await? {
            Step::Done(Some(page)) => Ok(Step::Done(page)),
            Step::Done(None) => self.read_all(member, request, total).await.map(Step::Done),
            Step::Building(build) => Ok(Step::Building(build)),
        }
    }

    /// Offers what lies between the times of the filter, newest first, until nothing can change any more.
    async fn read_all(
        &self,
        member: &MemberId,
        request: &ListRequest,
        connections: u32,
    ) -> Result<ConnectionPage, Failure> {
        let query = &request.query;
        let wanted = Wanted {
            filter: &query.filter,
            cards: query.looks_at_cards(),
            newest_first: true,
        };
        let mut selection = selection(request, &self.policy);
        self.offer(member, &wanted, |candidate| {
            selection.offer(candidate);
            if selection.is_settled_newest_first() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .await?;
        Ok(chosen_page(selection, request, connections)?)
    }
}
