//! Answers about the network around a member from the store itself, for as long as the graph in memory cannot give them.
//!
//! The plainest search, over whatever an engine can say of ties, bounded by the rows that it may read: each member's list of connections is
//! read once. Deliberately absent: SQL, and anything quick.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey};

use crate::domain::network::{
    Between, Degree, MutualPage, SHOWN_MAX, Suggested, Suggestion, SuggestionPage, Tie,
};

/// What an engine says of ties, all of one moment. Members who are being erased have none.
pub(super) trait Ties {
    /// Whom a member is connected to, in any order; no more than `limit`.
    fn connections(&self, member: &MemberId, limit: u32) -> Result<Vec<MemberId>, StoreError>;
    /// What two different members are to each other.
    fn tie(&self, one: &MemberId, other: &MemberId) -> Result<Tie, StoreError>;
}

/// Why a search has no answer.
enum Stop {
    /// More rows would have to be read than it may.
    TooFar,
    Store(StoreError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// `None` for a search that would have had to read too much.
fn ended<T>(found: Result<T, Stop>) -> Result<Option<T>, StoreError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Stop::TooFar) => Ok(None),
        Err(Stop::Store(error)) => Err(error),
    }
}

struct Search<'t> {
    ties: &'t dyn Ties,
    rows_left: u32,
    read: HashMap<MemberId, Rc<BTreeSet<MemberId>>>,
}

impl<'t> Search<'t> {
    fn new(ties: &'t dyn Ties, rows_max: u32) -> Self {
        Self {
            ties,
            rows_left: rows_max,
            read: HashMap::new(),
        }
    }

    fn take(&mut self, rows: usize) -> Result<(), Stop> {
        let rows = u32::try_from(rows).map_err(|_| Stop::TooFar)?;
        self.rows_left = self.rows_left.checked_sub(rows).ok_or(Stop::TooFar)?;
        Ok(())
    }

    fn tie(&mut self, one: &MemberId, other: &MemberId) -> Result<Tie, Stop> {
        self.take(1)?;
        Ok(self.ties.tie(one, other)?)
    }

    fn connections(&mut self, member: &MemberId) -> Result<Rc<BTreeSet<MemberId>>, Stop> {
        if let Some(read) = self.read.get(member) {
            return Ok(Rc::clone(read));
        }
        let found = self
            .ties
            .connections(member, self.rows_left.saturating_add(1))?;
        self.take(found.len().max(1))?;
        let found = Rc::new(found.into_iter().collect::<BTreeSet<_>>());
        self.read.insert(member.clone(), Rc::clone(&found));
        Ok(found)
    }

    fn mutual(&mut self, one: &MemberId, other: &MemberId) -> Result<Vec<MemberId>, Stop> {
        let (mine, theirs) = (self.connections(one)?, self.connections(other)?);
        Ok(mine.intersection(&theirs).cloned().collect())
    }

    fn between(
        &mut self,
        member: &MemberId,
        other: &MemberId,
        with_mutual_count: bool,
    ) -> Result<Between, Stop> {
        let tie = self.tie(member, other)?;
        if tie == Tie::Hidden {
            return Ok(Between::hidden(with_mutual_count));
        }
        if tie == Tie::Connected && !with_mutual_count {
            return Ok(Between {
                tie,
                degree: Degree::First,
                mutual_count: None,
            });
        }
        let mutual = self.mutual(member, other)?.len();
        let degree = if tie == Tie::Connected {
            Degree::First
        } else if mutual > 0 {
            Degree::Second
        } else if self.is_third(member, other)? {
            Degree::Third
        } else {
            Degree::Further
        };
        let mutual = u32::try_from(mutual).unwrap_or(u32::MAX);
        Ok(Between {
            tie,
            degree,
            mutual_count: with_mutual_count.then_some(mutual),
        })
    }

    fn is_third(&mut self, member: &MemberId, other: &MemberId) -> Result<bool, Stop> {
        let (mine, theirs) = (self.connections(member)?, self.connections(other)?);
        let (from, to) = if mine.len() <= theirs.len() {
            (mine, theirs)
        } else {
            (theirs, mine)
        };
        for near in &*from {
            if !self.connections(near)?.is_disjoint(&to) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn suggestions(
        &mut self,
        member: &MemberId,
        but_for: &BTreeSet<MemberId>,
        after: Option<&Suggested>,
        limit: usize,
    ) -> Result<SuggestionPage, Stop> {
        let mine = self.connections(member)?;
        let mut counts: HashMap<MemberId, u32> = HashMap::new();
        for near in &*mine {
            for reached in &*self.connections(near)? {
                if reached != member && !mine.contains(reached) && !but_for.contains(reached) {
                    *counts.entry(reached.clone()).or_default() += 1;
                }
            }
        }
        let mut found: Vec<_> = counts.into_iter().collect();
        found.retain(|(other, count)| {
            after.is_none_or(|after| after.is_before(*count, other.as_str()))
        });
        found
            .sort_unstable_by(|(a, fewer), (b, more)| (Reverse(fewer), a).cmp(&(Reverse(more), b)));
        let mut page = SuggestionPage::default();
        for (other, mutual_count) in found {
            if self.tie(member, &other)? == Tie::Hidden {
                continue;
            }
            if page.suggestions.len() >= limit {
                page.more = true;
                break;
            }
            // All of them have been read.
            let knows = |near: &&MemberId| {
                let theirs = self.read.get(*near);
                theirs.is_some_and(|theirs| theirs.contains(&other))
            };
            let shown = mine.iter().filter(knows).take(SHOWN_MAX).cloned().collect();
            page.suggestions.push(Suggestion {
                member: other,
                mutual_count,
                shown,
            });
        }
        Ok(page)
    }
}

/// What there is between a member and each of `others`, in their order. `None` when more than `rows_max` rows would have to be read, as
/// with each of these.
pub(super) fn between(
    ties: &dyn Ties,
    member: &MemberId,
    others: &[MemberId],
    with_mutual_counts: bool,
    rows_max: u32,
) -> Result<Option<Vec<Between>>, StoreError> {
    let mut search = Search::new(ties, rows_max);
    let each = others
        .iter()
        .map(|other| search.between(member, other, with_mutual_counts));
    ended(each.collect())
}

/// Whether the two of each pair have a connection in common and no block between them; `rows_max` is for all together.
pub(super) fn have_mutual(
    ties: &dyn Ties,
    keys: &[PairKey],
    rows_max: u32,
) -> Result<Vec<Option<bool>>, StoreError> {
    let mut search = Search::new(ties, rows_max);
    let each = keys.iter().map(|key| {
        let (low, high) = (key.low(), key.high());
        let found = search
            .tie(low, high)
            .and_then(|tie| Ok(tie != Tie::Hidden && !search.mutual(low, high)?.is_empty()));
        ended(found)
    });
    each.collect()
}

/// The connections that two members have in common, by id, from after one of them.
pub(super) fn mutual_page(
    ties: &dyn Ties,
    key: &PairKey,
    after: Option<&MemberId>,
    limit: u32,
    rows_max: u32,
) -> Result<Option<MutualPage>, StoreError> {
    let mut search = Search::new(ties, rows_max);
    let found = search.tie(key.low(), key.high()).and_then(|tie| match tie {
        Tie::Hidden => Ok(Vec::new()),
        Tie::None | Tie::Connected => search.mutual(key.low(), key.high()),
    });
    let Some(mut members) = ended(found)? else {
        return Ok(None);
    };
    let total = u32::try_from(members.len()).unwrap_or(u32::MAX);
    members.retain(|id| after.is_none_or(|after| id > after));
    let more = members.len() > limit as usize;
    members.truncate(limit as usize);
    Ok(Some(MutualPage {
        members,
        more,
        total,
    }))
}

/// Whom a member may know, but for some, from after one suggestion.
pub(super) fn suggestions(
    ties: &dyn Ties,
    member: &MemberId,
    but_for: Vec<MemberId>,
    after: Option<&Suggested>,
    limit: u32,
    rows_max: u32,
) -> Result<Option<SuggestionPage>, StoreError> {
    let but_for = but_for.into_iter().collect();
    let mut search = Search::new(ties, rows_max);
    ended(search.suggestions(member, &but_for, after, limit as usize))
}
