//! The rosters that lists are chosen from: when there is one, how it is built, and how it is brought up to date.
//!
//! Deliberately absent: what is chosen, and the rosters themselves (see [`roster`](crate::store::roster)).

use rusqlite::params;
use service_kit::id::MemberId;

use super::{Found, Lists, Step};
use crate::store::MemberFeed;
use crate::store::lists::place_after;
use crate::store::roster::figures::Came;
use crate::store::roster::{Build, Keys, Moment, News, Roster};
use crate::store::sqlite::{cards, codec, erased_hash, feed, read_head, reads};

impl Lists<'_> {
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
                let news = self.news(member, roster.as_of())?;
                let current = news.is_some_and(|news| roster.take_in(news));
                current.then(|| work(roster)).transpose()
            })?;
            if worked.is_some() {
                return Ok(Step::Done(worked));
            }
            Build::begin(self.now()?)
        };
        if !self.read_on(member, &mut build)? {
            return Ok(Step::Building(build));
        }
        let figures = self.rosters.figures();
        let news = self.news(member, build.as_of())?;
        let Some((roster, begun)) = news.and_then(|news| build.finish(news)) else {
            figures.count(Came::Outrun);
            return Ok(Step::Done(None));
        };
        let worked = work(&roster)?;
        self.rosters.keep(member.clone(), roster);
        figures.built(begun.elapsed());
        Ok(Step::Done(Some(worked)))
    }

    /// The moment of this snapshot.
    fn now(&self) -> Found<Moment> {
        Ok(Moment {
            position: read_head(self.conn)?.position,
            cards: cards::last_change(self.conn)?,
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
        let (time, other) = place_after(build.after());
        let mut rows = statement.query(params![member.as_str(), time, other, chunk])?;
        let mut read = 0;
        while let Some(row) = rows.next()? {
            let (other, time) = (codec::member_id(row, 0)?, codec::time(row, 1)?);
            build.add(other, time, cards::decode_keys(row, 2)?);
            read += 1;
        }
        Ok(read < chunk)
    }

    /// What has changed for the member's roster since a moment, up to what this snapshot holds. `None` where that is too much.
    fn news(&self, member: &MemberId, since: Moment) -> Found<Option<News>> {
        let hash = erased_hash(self.secret, member);
        let most = self.policy.member_backlog_max;
        let steps = feed::member_steps(self.conn, member, &hash, since.position, most)?;
        let MemberFeed::Steps { steps, through } = steps else {
            return Ok(None);
        };
        let until = Moment {
            position: through,
            cards: cards::last_change(self.conn)?,
        };
        if since.is_too_long_before(until) {
            return Ok(None);
        }
        let with_keys = steps.into_iter().map(|step| {
            let keys = match step.connected {
                Some(_) => cards::read_keys(self.conn, &step.other)?,
                None => Keys::default(),
            };
            Ok((step, keys))
        });
        Ok(Some(News {
            since,
            until,
            steps: with_keys.collect::<Found<_>>()?,
            cards: cards::changed_after(self.conn, since.cards)?,
            severing: reads::severing(self.conn)?,
        }))
    }
}
