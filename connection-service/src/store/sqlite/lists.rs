//! Lists of connections: all that a member has, offered to the choice of a page.
//!
//! A member with few connections is read in one snapshot, each connection with its card; one with many from a [roster](super::roster), which
//! is first built where there is none. Deliberately absent: what is in a list and in which order (see `domain::connection_list`). The
//! times of a filter bound what is looked at at all; whether a connection is in the list is decided there all the same.

use std::ops::ControlFlow;

use rusqlite::{Connection, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::secret::StoreSecret;
use service_kit::time::Time;

use super::reads::{Shown, place_after};
use super::roster::{Keys, Roster, Rosters};
use super::{cards, codec, erased_hash, feed, labels, read_head, read_member, reads};
use crate::domain::connection_list::{Candidate, Cursor, Filter, Order, Selection, Total};
use crate::domain::policy::Policy;
use crate::store::lists::cursor;
use crate::store::{
    ConnectionLine, ConnectionPage, Line, ListRequest, MemberFeed, Noted, Selected,
};

/// How many changes of cards a roster catches up on; one that is further behind is built anew.
const CARDS_BEHIND_MAX: u64 = 2_000;

type Found<T> = Result<T, StoreError>;

/// What one read did for a page.
pub(super) enum Step {
    /// It was the last.
    Page(ConnectionPage),
    /// A roster is being built; the next read goes on with it.
    Building(Build),
}

/// A roster of which a part has been read.
pub(super) struct Build {
    roster: Roster,
    /// The last connection read, newest first.
    after: Option<Line>,
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
    pub(super) fn step(
        &self,
        member: &MemberId,
        request: &ListRequest,
        build: Option<Build>,
    ) -> Found<Step> {
        let mut page = if request.query.is_a_range() {
            self.newest(member, request)?
        } else {
            match self.chosen(member, request, build)? {
                Step::Page(page) => page,
                building @ Step::Building(_) => return Ok(building),
            }
        };
        self.note(member, request, &mut page)?;
        if request.with_cards {
            for line in &mut page.lines {
                line.card = cards::read(self.conn, &line.other)?.map(Box::new);
            }
        }
        Ok(Step::Page(page))
    }

    /// Lies in this order; nothing but the page is looked at.
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
        let (after, limit) = (after.as_ref(), request.limit);
        let page = match &request.query.filter.label {
            None => reads::list(self.conn, Shown::Connections, member, after, limit, plain)?,
            Some(label) => labels::list(self.conn, member, label, after, limit, plain)?,
        };
        let last = page.lines.last().filter(|_| page.more);
        Ok(ConnectionPage {
            next: last.map(|line| Cursor::Recent {
                connect_time: line.connect_time,
                other: line.other.clone(),
            }),
            lines: page.lines,
            total: Total {
                number: page.total,
                is_minimum: false,
            },
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
    ) -> Found<Step> {
        // Someone who is being erased has no row any more, but may have lines left.
        let Some(counted) = read_member(self.conn, member)? else {
            self.rosters.drop_of(member);
            return Ok(Step::Page(ConnectionPage::default()));
        };
        let total = counted.connections;
        // Those with a label lie together, and are read alone.
        let has_roster = request.query.looks_at_cards()
            && request.query.filter.label.is_none()
            && total >= self.policy.roster_connections_min
            && self.policy.roster_bytes_max > 0;
        if !has_roster {
            let total = match &request.query.filter.label {
                None => total,
                Some(label) => labels::count(self.conn, member, label)?,
            };
            return self.read_all(member, request, total).map(Step::Page);
        }
        let mut build = if let Some(build) = build {
            build
        } else if let Some(page) = self.page_from_roster(member, request, total)? {
            return Ok(Step::Page(page));
        } else {
            self.begin()?
        };
        if !self.read_on(member, &mut build)? {
            return Ok(Step::Building(build));
        }
        let mut roster = build.roster;
        if !self.refresh(member, &mut roster)? {
            // Too much has changed meanwhile.
            return self.read_all(member, request, total).map(Step::Page);
        }
        let page = self.page_of(&roster, request, total)?;
        self.rosters.keep(member.clone(), roster);
        Ok(Step::Page(page))
    }

    /// The page from the member's roster, if there is one that can be brought up to date.
    fn page_from_roster(
        &self,
        member: &MemberId,
        request: &ListRequest,
        connections: u32,
    ) -> Found<Option<ConnectionPage>> {
        self.rosters.with(member, |roster| {
            let current = self.refresh(member, roster)?;
            let page = || self.page_of(roster, request, connections);
            current.then(page).transpose()
        })
    }

    fn page_of(
        &self,
        roster: &Roster,
        request: &ListRequest,
        connections: u32,
    ) -> Found<ConnectionPage> {
        self.page(request, connections, |selection| {
            roster.offer(selection);
            Ok(())
        })
    }

    /// The choice of a page among what `offer` offers, of `connections` in all, or with the label.
    fn page(
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
        self.page(request, connections, |selection| {
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

    /// A roster of nobody, as of now.
    fn begin(&self) -> Found<Build> {
        let position = read_head(self.conn)?.position;
        Ok(Build {
            roster: Roster::new(position, cards::last_change(self.conn)?),
            after: None,
        })
    }

    /// Reads a chunk more; says whether it was the last.
    fn read_on(&self, member: &MemberId, build: &mut Build) -> Found<bool> {
        let chunk = self.policy.roster_connections_min;
        let mut statement = self.conn.prepare_cached(
            "select other, connect_time, by_first_name, by_last_name, words
             from connection left join card on card.member = connection.other
             where connection.member = ?1 and (connect_time, other) < (?2, ?3)
             order by connect_time desc, other desc limit ?4",
        )?;
        let (time, other) = place_after(build.after.as_ref());
        let mut rows = statement.query(params![member.as_str(), time, other, chunk])?;
        let (mut read, mut last) = (0, None);
        while let Some(row) = rows.next()? {
            let (other, time) = (codec::member_id(row, 0)?, codec::time(row, 1)?);
            let keys = cards::decode_keys(row, 2)?;
            build.roster.insert(other.clone(), time, keys);
            last = Some(Line { other, time });
            read += 1;
        }
        build.after = last.or_else(|| build.after.take());
        Ok(read < chunk)
    }

    /// Brings a roster up to what this snapshot holds. Says whether it could be done; what was done of it does no harm.
    fn refresh(&self, member: &MemberId, roster: &mut Roster) -> Found<bool> {
        let hash = erased_hash(self.secret, member);
        let (after, most) = (roster.position, self.policy.member_backlog_max);
        let steps = feed::member_steps(self.conn, member, &hash, after, most)?;
        let MemberFeed::Steps { steps, through } = steps else {
            return Ok(false);
        };
        let last = cards::last_change(self.conn)?;
        if last.saturating_sub(roster.cards) > CARDS_BEHIND_MAX {
            return Ok(false);
        }
        for step in steps {
            let keys = match step.connected {
                Some(_) => cards::read_keys(self.conn, &step.other)?,
                None => Keys::default(),
            };
            roster.follow(step, keys);
        }
        cards::changed_after(self.conn, roster.cards, |member, keys| {
            roster.put_card(member, keys);
        })?;
        for erased in reads::severing(self.conn)? {
            // Their card is gone at once, their connections are in steps.
            roster.put_card(&erased, Keys::default());
        }
        // Another reader may have brought it further already.
        roster.position = roster.position.max(through);
        roster.cards = roster.cards.max(last);
        Ok(true)
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

/// The oldest connections that a filter takes, and how many match, counted up to `count_max`.
pub(super) fn oldest(
    conn: &Connection,
    member: &MemberId,
    filter: &Filter,
    limit: u32,
    count_max: u32,
) -> Found<Selected> {
    let mut selected = Selected::default();
    // Someone who is being erased has no row any more, but may have lines left.
    if read_member(conn, member)?.is_none() {
        return Ok(selected);
    }
    let wanted = Wanted {
        filter,
        cards: filter.search.is_some(),
        newest_first: false,
    };
    wanted.each(conn, member, |candidate| {
        if selected.matched >= count_max {
            return Ok(ControlFlow::Break(()));
        }
        if filter.takes(candidate) {
            if selected.matched < limit {
                selected.lines.push(Line {
                    other: codec::parse_id(candidate.other)?,
                    time: candidate.connect_time,
                });
            }
            selected.matched += 1;
        }
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(selected)
}

/// Which of a member's connections are read, and what of them.
struct Wanted<'a> {
    filter: &'a Filter,
    /// Whether the others' cards are.
    cards: bool,
    newest_first: bool,
}

impl Wanted<'_> {
    /// Offers what lies between the times of the filter, of those with its label, until it is told to stop.
    fn each(
        &self,
        conn: &Connection,
        member: &MemberId,
        mut offer: impl FnMut(&Candidate<'_>) -> Found<ControlFlow<()>>,
    ) -> Found<()> {
        let label = match &self.filter.label {
            None => None,
            Some(label) => match labels::number(conn, member, label)? {
                Some(number) => Some(number),
                None => return Ok(()),
            },
        };
        let mut statement = conn.prepare_cached(&self.sql())?;
        let mut rows = statement.query(params![
            member.as_str(),
            self.filter.connected_after.map_or(i64::MIN, Time::millis),
            self.filter.connected_before.map_or(i64::MAX, Time::millis),
            label,
        ])?;
        while let Some(row) = rows.next()? {
            let text = |column| -> Found<&str> {
                let text = row.get_ref(column)?.as_str_or_null();
                Ok(text.map_err(StoreError::corrupt)?.unwrap_or_default())
            };
            let candidate = Candidate {
                other: text(0)?,
                connect_time: codec::time(row, 1)?,
                by_first_name: text(2)?,
                by_last_name: text(3)?,
                words: text(4)?,
            };
            if offer(&candidate)?.is_break() {
                break;
            }
        }
        Ok(())
    }

    fn sql(&self) -> String {
        // Both lists lie in the order of time.
        let (list, of_label) = match self.filter.label {
            None => ("connection", "?4 is null"),
            Some(_) => ("labelled", "label = ?4"),
        };
        let (columns, join) = if self.cards {
            (
                "by_first_name, by_last_name, words",
                "left join card on card.member = list.other",
            )
        } else {
            ("null, null, null", "")
        };
        let order = if self.newest_first { "desc" } else { "asc" };
        format!(
            "select other, connect_time, {columns} from {list} as list {join}
             where list.member = ?1 and {of_label} and connect_time > ?2 and connect_time < ?3
             order by connect_time {order}, other {order}"
        )
    }
}
