//! The rosters that lists are chosen from: when there is one, how it is built, and how it is brought up to date.
//!
//! Deliberately absent: what is chosen, and the rosters themselves (see [`roster`](super::super::roster)).

use rusqlite::params;
use service_kit::id::MemberId;
use tokio::time::Instant;

use super::{Found, Lists, Step};
use crate::domain::connection_list::Filter;
use crate::store::sqlite::reads::place_after;
use crate::store::sqlite::roster::figures::Came;
use crate::store::sqlite::roster::{Keys, Roster};
use crate::store::sqlite::{cards, codec, erased_hash, feed, read_head, reads};
use crate::store::{Line, MemberFeed};

/// How many changes of cards a roster catches up on; one that is further behind is built anew.
const CARDS_BEHIND_MAX: u64 = 2_000;

/// A roster of which a part has been read.
pub(in crate::store::sqlite) struct Build {
    roster: Roster,
    /// The last connection read, newest first.
    after: Option<Line>,
    begun: Instant,
}

impl Lists<'_> {
    /// Whether what a filter takes of a member's `connections` is looked for in their roster.
    pub(super) fn has_roster(
        &self,
        filter: &Filter,
        looks_at_cards: bool,
        connections: u32,
    ) -> bool {
        // Those with a label lie together, and are read alone.
        looks_at_cards
            && filter.label.is_none()
            && connections >= self.policy.roster_connections_min
            && self.policy.roster_bytes_max > 0
    }

    /// Works with the member's roster as of this snapshot, and goes on building it first where there is none. Done with `None`: too much has
    /// changed while it was built.
    pub(super) fn with_roster<T>(
        &self,
        member: &MemberId,
        build: Option<Build>,
        mut work: impl FnMut(&Roster) -> Found<T>,
    ) -> Found<Step<Option<T>>> {
        let mut build = if let Some(build) = build {
            build
        } else {
            let worked = self.rosters.with(member, |roster| {
                let current = self.refresh(member, roster)?;
                current.then(|| work(roster)).transpose()
            })?;
            if worked.is_some() {
                return Ok(Step::Done(worked));
            }
            self.begin()?
        };
        if !self.read_on(member, &mut build)? {
            return Ok(Step::Building(build));
        }
        let mut roster = build.roster;
        let figures = self.rosters.figures();
        if !self.refresh(member, &mut roster)? {
            figures.count(Came::Outrun);
            return Ok(Step::Done(None));
        }
        let worked = work(&roster)?;
        self.rosters.keep(member.clone(), roster);
        figures.built(build.begun.elapsed());
        Ok(Step::Done(Some(worked)))
    }

    /// A roster of nobody, as of now.
    fn begin(&self) -> Found<Build> {
        let position = read_head(self.conn)?.position;
        Ok(Build {
            roster: Roster::new(position, cards::last_change(self.conn)?),
            after: None,
            begun: Instant::now(),
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
