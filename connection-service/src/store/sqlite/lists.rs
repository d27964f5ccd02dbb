//! Lists of connections: all that a member has, offered to the choice of a page.
//!
//! A member with few connections is read in one snapshot, each connection with its card; one with many from a [roster](super::roster), which
//! is first built where there is none. Deliberately absent: what is in a list and in which order (see `domain::connection_list`). The
//! times of a filter bound what is looked at at all; whether a connection is in the list is decided there all the same.

use rusqlite::{Connection, params};
use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::secret::StoreSecret;
use service_kit::time::Time;

use super::reads::Shown;
use super::roster::{Keys, Roster, Rosters};
use super::{cards, codec, erased_hash, feed, read_head, read_member, reads};
use crate::domain::connection_list::{Candidate, Cursor, Filter, ListQuery, Selection, Total};
use crate::domain::policy::Policy;
use crate::store::lists::cursor;
use crate::store::{ConnectionLine, ConnectionPage, Line, ListRequest, MemberFeed};

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
        let mut page = if request.query == ListQuery::default() {
            self.newest(member, request)?
        } else {
            match self.chosen(member, request, build)? {
                Step::Page(page) => page,
                building @ Step::Building(_) => return Ok(building),
            }
        };
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
        let (shown, limit) = (Shown::Connections, request.limit);
        let page = reads::list(
            self.conn,
            shown,
            member,
            after.as_ref(),
            limit,
            |other, time| ConnectionLine {
                other,
                connect_time: time,
                card: None,
            },
        )?;
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
        let has_roster = request.query.looks_at_cards()
            && total >= self.policy.roster_connections_min
            && self.policy.roster_bytes_max > 0;
        if !has_roster {
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

    /// The choice of a page among what `offer` offers.
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
            total: if query.filter.is_empty() {
                all
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
    fn read_all(
        &self,
        member: &MemberId,
        request: &ListRequest,
        connections: u32,
    ) -> Found<ConnectionPage> {
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
        self.page(request, connections, |selection| {
            let mut statement = self.conn.prepare_cached(sql)?;
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
        let (time, other) = build.after.as_ref().map_or((i64::MAX, ""), |line| {
            (line.time.millis(), line.other.as_str())
        });
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

fn bounds(filter: &Filter) -> (i64, i64) {
    (
        filter.connected_after.map_or(i64::MIN, Time::millis),
        filter.connected_before.map_or(i64::MAX, Time::millis),
    )
}
