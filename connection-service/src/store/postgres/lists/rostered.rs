//! The rosters that lists are chosen from: when there is one, how it is built, and how it is brought up to date.
//!
//! A roster is locked only while it is looked at: what has changed is read before, for the moment that it showed then. Deliberately absent:
//! what is chosen, and the rosters themselves (see [`roster`](crate::store::roster)).

use service_kit::id::MemberId;
use service_kit::postgres::Failure;

use super::Step;
use super::stored::Chunk;
use crate::store::MemberFeed;
use crate::store::postgres::reads::Snapshot;
use crate::store::roster::figures::Came;
use crate::store::roster::{Build, Keys, Moment, News, Roster, Rosters};

impl Snapshot {
    /// Works with the member's roster as of this snapshot, or of a later one that it was brought up to meanwhile, and goes on building it first
    /// where there is none. Done with `None`: too much has changed while it was built.
    pub(super) async fn with_roster<T>(
        &self,
        rosters: &Rosters,
        member: &MemberId,
        build: Option<Build>,
        work: impl Fn(&Roster) -> Result<T, Failure>,
    ) -> Result<Step<Option<T>>, Failure> {
        let mut build = match build {
            Some(build) => build,
            None => match self.of_kept_roster(rosters, member, &work).await? {
                Some(worked) => return Ok(Step::Done(Some(worked))),
                None => Build::begin(self.moment().await?),
            },
        };
        if !self.read_on(member, &mut build).await? {
            return Ok(Step::Building(build));
        }
        let figures = rosters.figures();
        let news = self.news(member, build.as_of()).await?;
        let Some((roster, begun)) = news.and_then(|news| build.finish(news)) else {
            figures.count(Came::Outrun);
            return Ok(Step::Done(None));
        };
        let worked = work(&roster)?;
        rosters.keep(member.clone(), roster);
        figures.built(begun.elapsed());
        Ok(Step::Done(Some(worked)))
    }

    /// What comes of the roster that is kept of a member, brought up to date; `None` where there is none, or none that can be.
    async fn of_kept_roster<T>(
        &self,
        rosters: &Rosters,
        member: &MemberId,
        work: impl Fn(&Roster) -> Result<T, Failure>,
    ) -> Result<Option<T>, Failure> {
        let Some(since) = rosters.as_of(member) else {
            return Ok(None);
        };
        let news = self.news(member, since).await?;
        rosters.with(member, |roster| {
            let current = news.is_some_and(|news| roster.take_in(news));
            current.then(|| work(roster)).transpose()
        })
    }

    /// The moment of this snapshot.
    async fn moment(&self) -> Result<Moment, Failure> {
        let head = self.begun().await?.head;
        Ok(Moment {
            position: head.seen.position,
            cards: head.cards,
        })
    }

    /// Reads a chunk more; says whether it was the last.
    async fn read_on(&self, member: &MemberId, build: &mut Build) -> Result<bool, Failure> {
        let limit = self.policy.roster_connections_min;
        let chunk = Chunk {
            newest_first: true,
            label: None,
            between: (None, None),
            after: build.after(),
            limit,
        };
        let lines = self.chunk(member, &chunk).await?;
        let mut keys = self.keys(lines.iter().map(|line| &line.other)).await?;
        let whole = lines.len() < limit as usize;
        for line in lines {
            let keys = keys.remove(&line.other).unwrap_or_default();
            build.add(line.other, line.time, keys);
        }
        Ok(whole)
    }

    /// What has changed for the member's roster since a moment, up to this snapshot. `None` where that is too much.
    async fn news(&self, member: &MemberId, since: Moment) -> Result<Option<News>, Failure> {
        let until = self.moment().await?;
        if since.is_too_long_before(until) {
            return Ok(None);
        }
        let (steps, cards, severing) = futures::try_join!(
            self.member_feed(member, since.position),
            self.cards_changed_after(since.cards),
            self.severing(),
        )?;
        let MemberFeed::Steps { steps, .. } = steps else {
            return Ok(None);
        };
        let connected = steps.iter().filter(|step| step.connected.is_some());
        let keys = self.keys(connected.map(|step| &step.other)).await?;
        let with_keys = steps.into_iter().map(|step| {
            let of_other = step.connected.and_then(|_| keys.get(&step.other));
            let of_other = of_other.cloned().unwrap_or_else(Keys::default);
            (step, of_other)
        });
        Ok(Some(News {
            since,
            until,
            steps: with_keys.collect(),
            cards,
            severing,
        }))
    }
}
