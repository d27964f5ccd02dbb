//! The questions that the graph answers.
//!
//! An answer takes at most the steps that are allowed, else there is none: then it is asked again where it may take long, and where a
//! member's second degree is worked out first. A step is a look at a number, a nanosecond or two. Deliberately absent: where the
//! questions are asked (see `memory`), and answers from the store.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;

use hashbrown::HashSet;
use service_kit::id::MemberId;

use super::index::Index;
use super::list;
use super::network::Network;
use super::second_degree::SecondDegree;
use crate::domain::network::{
    Between, Degree, MutualPage, SHOWN_MAX, Suggested, Suggestion, SuggestionPage, Tie,
};

/// What reading one id costs, in steps.
const ID_STEPS: usize = 40;

/// The steps that are left.
struct Steps(usize);

impl Steps {
    /// Takes some; `None` when there are not so many.
    fn take(&mut self, steps: usize) -> Option<()> {
        self.0 = self.0.checked_sub(steps)?;
        Some(())
    }
}

impl Network {
    /// What there is between a member and each of `others`, in their order; `None` when it takes more than so many steps.
    pub fn between(
        &self,
        member: &MemberId,
        others: &[MemberId],
        with_mutual_counts: bool,
        steps_max: usize,
    ) -> Option<Vec<Between>> {
        let strangers = Between::strangers(with_mutual_counts);
        let Some(number) = self.index().number(member) else {
            return Some(vec![strangers; others.len()]);
        };
        let view = self.views().get(number);
        let counts = view.as_ref().map(|view| view.counts());
        let pair = Pair {
            index: self.index(),
            number,
            counts: counts.as_deref().filter(|counts| counts.is_complete()),
            with_mutual_counts,
        };
        let mut steps = Steps(steps_max);
        let each = others.iter().map(|other| {
            steps.take(ID_STEPS)?;
            match self.index().number(other) {
                Some(other) => pair.between(other, &mut steps),
                None => Some(strangers),
            }
        });
        each.collect()
    }

    /// Whether two members have a connection in common and no block between them; `None` when it takes more than so many steps.
    pub fn have_mutual(&self, one: &MemberId, other: &MemberId, steps_max: usize) -> Option<bool> {
        let index = self.index();
        let (Some(one), Some(other)) = (index.number(one), index.number(other)) else {
            return Some(false);
        };
        if index.tie(one, other) == Tie::Hidden {
            return Some(false);
        }
        let (a, b) = (index.connections(one), index.connections(other));
        Steps(steps_max).take(list::steps(a.len(), b.len()))?;
        Some(list::meet(a, b))
    }

    /// The connections that two members have in common, by id, from after one of them; `None` when it takes more than so many steps.
    pub fn mutual_page(
        &self,
        one: &MemberId,
        other: &MemberId,
        after: Option<&MemberId>,
        limit: usize,
        steps_max: usize,
    ) -> Option<MutualPage> {
        let index = self.index();
        let (Some(one), Some(other)) = (index.number(one), index.number(other)) else {
            return Some(MutualPage::default());
        };
        if index.tie(one, other) == Tie::Hidden {
            return Some(MutualPage::default());
        }
        let (a, b) = (index.connections(one), index.connections(other));
        let mut steps = Steps(steps_max);
        steps.take(list::steps(a.len(), b.len()))?;
        let common = common(a, b);
        steps.take(common.len().saturating_mul(ID_STEPS))?;
        let after = after.map_or("", MemberId::as_str);
        let ids = common.iter().filter_map(|number| index.id(*number));
        let following: Vec<&str> = ids.filter(|id| *id > after).collect();
        let more = following.len() > limit;
        Some(MutualPage {
            members: parsed(first(following, limit)),
            more,
            total: u32::try_from(common.len()).unwrap_or(u32::MAX),
        })
    }

    /// Whom a member may know, but for some, from after one suggestion. `None` when it takes more than so many steps, or when the
    /// member's second degree has not been worked out.
    pub fn suggestions(
        &self,
        member: &MemberId,
        but_for: &[MemberId],
        after: Option<&Suggested>,
        limit: usize,
        steps_max: usize,
    ) -> Option<SuggestionPage> {
        let index = self.index();
        let Some(number) = index.number(member) else {
            return Some(SuggestionPage::default());
        };
        let view = self.views().get(number)?;
        let counts = view.counts();
        let mut steps = Steps(steps_max);
        steps.take(if counts.is_complete() {
            counts.steps()
        } else {
            usize::MAX
        })?;
        steps.take(but_for.len().saturating_mul(ID_STEPS))?;
        let but_for: HashSet<u32> = but_for.iter().filter_map(|id| index.number(id)).collect();
        let excluded = |other: u32| {
            other == number || index.tie(number, other) != Tie::None || but_for.contains(&other)
        };
        let mut best = best(index, &counts, after, limit.saturating_add(1), excluded);
        drop(counts);
        let more = best.len() > limit;
        best.truncate(limit);
        let mine = index.connections(number);
        let suggestions = best.into_iter().filter_map(|(mutual_count, id)| {
            let member = MemberId::parse(id).ok()?;
            let theirs = index.connections(index.number(&member)?);
            let cost = list::steps(mine.len(), theirs.len());
            Some((member, mutual_count, theirs, cost))
        });
        let mut page = SuggestionPage {
            suggestions: Vec::new(),
            more,
        };
        for (member, mutual_count, theirs, cost) in suggestions {
            steps.take(cost.saturating_add(ID_STEPS * mutual_count as usize))?;
            let ids = common(mine, theirs)
                .into_iter()
                .filter_map(|number| index.id(number));
            page.suggestions.push(Suggestion {
                member,
                mutual_count,
                shown: parsed(first(ids.collect(), SHOWN_MAX)),
            });
        }
        Some(page)
    }
}

/// A member as somebody who is asked about others.
struct Pair<'a> {
    index: &'a Index,
    number: u32,
    /// The member's second degree, if it has been worked out.
    counts: Option<&'a SecondDegree>,
    with_mutual_counts: bool,
}

impl Pair<'_> {
    fn between(&self, other: u32, steps: &mut Steps) -> Option<Between> {
        let tie = self.index.tie(self.number, other);
        if tie == Tie::Hidden {
            return Some(Between::hidden(self.with_mutual_counts));
        }
        let connected = tie == Tie::Connected;
        let mutual_count = match self.counts {
            Some(counts) => counts.mutual_count(other),
            None if connected && !self.with_mutual_counts => 0,
            None => self.mutual_count(other, steps)?,
        };
        let degree = if connected {
            Degree::First
        } else if mutual_count > 0 {
            Degree::Second
        } else if self.is_third(other, steps)? {
            Degree::Third
        } else {
            Degree::Further
        };
        Some(Between {
            tie,
            degree,
            mutual_count: self.with_mutual_counts.then_some(mutual_count),
        })
    }

    /// How many connections the two have in common; where only that there are some matters, no more than 1.
    fn mutual_count(&self, other: u32, steps: &mut Steps) -> Option<u32> {
        let (mine, theirs) = (
            self.index.connections(self.number),
            self.index.connections(other),
        );
        steps.take(list::steps(mine.len(), theirs.len()))?;
        if !self.with_mutual_counts {
            return Some(u32::from(list::meet(mine, theirs)));
        }
        Some(u32::try_from(list::count_common(mine, theirs)).unwrap_or(u32::MAX))
    }

    /// Whether a connection of one is connected to a connection of the other.
    fn is_third(&self, other: u32, steps: &mut Steps) -> Option<bool> {
        let (mine, theirs) = (
            self.index.connections(self.number),
            self.index.connections(other),
        );
        if let Some(counts) = self.counts {
            steps.take(theirs.len())?;
            return Some(theirs.iter().any(|&number| counts.mutual_count(number) > 0));
        }
        let (from, to) = if mine.len() <= theirs.len() {
            (mine, theirs)
        } else {
            (theirs, mine)
        };
        for &number in from {
            let reached = self.index.connections(number);
            steps.take(list::steps(reached.len(), to.len()).max(1))?;
            if list::meet(reached, to) {
                return Some(true);
            }
        }
        Some(false)
    }
}

/// Those with most connections in common after a suggestion, in order.
fn best<'i>(
    index: &'i Index,
    counts: &SecondDegree,
    after: Option<&Suggested>,
    limit: usize,
    excluded: impl Fn(u32) -> bool,
) -> Vec<(u32, &'i str)> {
    // The greatest is the worst, which makes place for a better one.
    let mut best: BinaryHeap<(Reverse<u32>, &str)> = BinaryHeap::new();
    counts.for_each(|number, count| {
        let full = best.len() >= limit;
        if full && best.peek().is_none_or(|(Reverse(least), _)| count < *least) {
            return;
        }
        let Some(id) = index.id(number) else { return };
        let candidate = (Reverse(count), id);
        if full && best.peek().is_some_and(|worst| candidate >= *worst)
            || after.is_some_and(|after| !after.is_before(count, id))
            || excluded(number)
        {
            return;
        }
        if full {
            best.pop();
        }
        best.push(candidate);
    });
    let ordered = best.into_sorted_vec().into_iter();
    ordered.map(|(Reverse(count), id)| (count, id)).collect()
}

fn common(a: &[u32], b: &[u32]) -> Vec<u32> {
    let mut found = Vec::new();
    list::for_common(a, b, |number| {
        found.push(number);
        ControlFlow::Continue(())
    });
    found
}

/// The first of `ids`, in order.
fn first(mut ids: Vec<&str>, limit: usize) -> Vec<&str> {
    if ids.len() > limit {
        if limit == 0 {
            return Vec::new();
        }
        ids.select_nth_unstable(limit - 1);
        ids.truncate(limit);
    }
    ids.sort_unstable();
    ids
}

fn parsed(ids: Vec<&str>) -> Vec<MemberId> {
    // They are members' ids, so none is lost.
    ids.into_iter()
        .filter_map(|id| MemberId::parse(id).ok())
        .collect()
}
