//! A member's list of connections as it is asked for: in which order, which of them, and the page after a place.
//!
//! The one place where it is decided whether a connection is in a list and where it stands there; stores offer what they have, one after
//! the other, in any order. A page begins after a place and not after so many lines, so what is in the list throughout, and keeps its
//! name, is seen once, whatever comes and goes meanwhile. Deliberately absent: reading, and tokens.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use service_kit::id::MemberId;
use service_kit::time::Time;

use super::label::Label;
use super::search::Search;

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The newest connection first.
    #[default]
    Recent,
    /// By the first name, then the last; whoever has no name comes last. The same names are in the order of the members' ids.
    FirstName,
    /// By the last name, then the first.
    LastName,
}

/// Which connections are in a list: those for which all that is given holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// With this label of the member whose list it is.
    pub label: Option<Label>,
    /// Who is found by this.
    pub search: Option<Search>,
    /// Connected later than this.
    pub connected_after: Option<Time>,
    /// Connected earlier than this.
    pub connected_before: Option<Time>,
}

impl Filter {
    /// Whether every connection is in the list.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether nothing but a label is given.
    pub fn is_label_alone(&self) -> bool {
        self.label.is_some() && self.search.is_none() && !self.is_bounded_in_time()
    }

    /// Whether it matters since when two are connected.
    pub fn is_bounded_in_time(&self) -> bool {
        self.connected_after.is_some() || self.connected_before.is_some()
    }

    /// Whether the connection is in the list. A candidate has the label: only those are offered that do.
    pub fn takes(&self, candidate: &Candidate<'_>) -> bool {
        let since = candidate.connect_time;
        self.connected_after.is_none_or(|after| since > after)
            && self.connected_before.is_none_or(|before| since < before)
            && self
                .search
                .as_ref()
                .is_none_or(|search| search.finds(candidate.words))
    }
}

/// What is asked of a list, but for the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Its order.
    pub order: Order,
    /// What is in it.
    pub filter: Filter,
}

impl ListQuery {
    /// Whether the list lies in its order, so that a page is a range of it: labels and times bound it, and only cards cannot.
    pub fn is_a_range(&self) -> bool {
        !self.looks_at_cards()
    }

    /// Whether cards decide what is in the list or in which order, so that they must be read for it.
    pub fn looks_at_cards(&self) -> bool {
        self.order != Order::Recent || self.filter.search.is_some()
    }
}

/// A connection that may be in the list.
#[derive(Clone, Copy)]
pub struct Candidate<'a> {
    /// The other member's id.
    pub other: &'a str,
    /// Since when the two are connected.
    pub connect_time: Time,
    /// As [`CardKeys`](super::card::CardKeys) has it; empty without a card.
    pub by_first_name: &'a str,
    /// As [`CardKeys`](super::card::CardKeys) has it; empty without a card.
    pub by_last_name: &'a str,
    /// As [`Words::as_str`](super::folding::Words::as_str); empty without a card.
    pub words: &'a str,
}

/// Where a connection stands in an order. Places of different orders are not compared.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place<'a> {
    Recent {
        connect_time: Reverse<Time>,
        other: Reverse<&'a str>,
    },
    Named {
        /// Last.
        unnamed: bool,
        key: &'a str,
        other: &'a str,
    },
}

impl<'a> Place<'a> {
    fn of(order: Order, candidate: &Candidate<'a>) -> Self {
        match order {
            Order::Recent => Self::recent(candidate.connect_time, candidate.other),
            Order::FirstName => Self::named(candidate.by_first_name, candidate.other),
            Order::LastName => Self::named(candidate.by_last_name, candidate.other),
        }
    }

    fn recent(connect_time: Time, other: &'a str) -> Self {
        Self::Recent {
            connect_time: Reverse(connect_time),
            other: Reverse(other),
        }
    }

    fn named(key: &'a str, other: &'a str) -> Self {
        Self::Named {
            unnamed: key.is_empty(),
            key,
            other,
        }
    }
}

/// The place that a page begins after.
#[derive(Clone, PartialEq, Eq)]
pub enum Cursor {
    /// In the order of time.
    Recent {
        /// Since when the two are connected.
        connect_time: Time,
        /// The other member.
        other: MemberId,
    },
    /// In an order by name.
    Named {
        /// What it is sorted by; empty without a name.
        key: String,
        /// The other member.
        other: MemberId,
    },
}

impl Cursor {
    fn place(&self) -> Place<'_> {
        match self {
            Self::Recent {
                connect_time,
                other,
            } => Place::recent(*connect_time, other.as_str()),
            Self::Named { key, other } => Place::named(key, other.as_str()),
        }
    }
}

/// A connection of a page.
#[derive(Clone, PartialEq, Eq)]
pub struct Chosen {
    order: Order,
    /// What it is sorted by in an order by name.
    pub key: String,
    /// Since when the two are connected.
    pub connect_time: Time,
    /// The other member's id.
    pub other: String,
}

impl Chosen {
    fn place(&self) -> Place<'_> {
        match self.order {
            Order::Recent => Place::recent(self.connect_time, &self.other),
            Order::FirstName | Order::LastName => Place::named(&self.key, &self.other),
        }
    }
}

impl PartialOrd for Chosen {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Chosen {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.place().cmp(&other.place())
    }
}

/// How many connections are in a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// How many.
    pub number: u32,
    /// Whether there are more than that.
    pub is_minimum: bool,
}

/// The choice of a page among all that a member has. Keeps no more than the page.
pub struct Selection<'q> {
    query: &'q ListQuery,
    after: Option<&'q Cursor>,
    limit: usize,
    counted_max: u32,
    counted: u32,
    /// The first of those after the cursor, one more than the page has; the last of them on top.
    chosen: BinaryHeap<Chosen>,
}

impl<'q> Selection<'q> {
    /// Of at most `limit` connections after a place; those in the list are counted up to `counted_max`.
    pub fn new(
        query: &'q ListQuery,
        after: Option<&'q Cursor>,
        limit: u32,
        counted_max: u32,
    ) -> Self {
        Self {
            query,
            after,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            counted_max,
            counted: 0,
            chosen: BinaryHeap::new(),
        }
    }

    /// Looks at a connection. Each must be offered once.
    pub fn offer(&mut self, candidate: &Candidate<'_>) {
        if !self.query.filter.takes(candidate) {
            return;
        }
        self.counted = self.counted.saturating_add(1);
        let place = Place::of(self.query.order, candidate);
        if self.after.is_some_and(|after| place <= after.place()) {
            return;
        }
        if self.is_full() {
            let last = self.chosen.peek();
            if last.is_some_and(|last| place >= last.place()) {
                return;
            }
            self.chosen.pop();
        }
        let key = match self.query.order {
            Order::Recent => "",
            Order::FirstName => candidate.by_first_name,
            Order::LastName => candidate.by_last_name,
        };
        self.chosen.push(Chosen {
            order: self.query.order,
            key: key.to_owned(),
            connect_time: candidate.connect_time,
            other: candidate.other.to_owned(),
        });
    }

    /// Whether nothing that is offered later can change anything, if it is offered newest first.
    pub fn is_settled_newest_first(&self) -> bool {
        self.query.order == Order::Recent && self.is_full() && self.counted > self.counted_max
    }

    fn is_full(&self) -> bool {
        self.chosen.len() > self.limit
    }

    /// The page in its order, whether more follow, and how many are in the list.
    pub fn finish(self) -> (Vec<Chosen>, bool, Total) {
        let total = Total {
            number: self.counted.min(self.counted_max),
            is_minimum: self.counted > self.counted_max,
        };
        let more = self.is_full();
        let mut chosen = self.chosen.into_sorted_vec();
        chosen.truncate(self.limit);
        (chosen, more, total)
    }
}

/// The choice of the oldest connections that a filter takes. Keeps no more than those.
pub struct Oldest<'q> {
    filter: &'q Filter,
    limit: usize,
    counted_max: u32,
    counted: u32,
    /// The youngest of them on top.
    chosen: BinaryHeap<(Time, String)>,
}

impl<'q> Oldest<'q> {
    /// Of at most `limit` connections; those that the filter takes are counted up to `counted_max`.
    pub fn new(filter: &'q Filter, limit: u32, counted_max: u32) -> Self {
        let limit = limit.min(counted_max);
        Self {
            filter,
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            counted_max,
            counted: 0,
            chosen: BinaryHeap::new(),
        }
    }

    /// Looks at a connection. Each must be offered once.
    pub fn offer(&mut self, candidate: &Candidate<'_>) {
        if !self.filter.takes(candidate) {
            return;
        }
        self.counted = self.counted.saturating_add(1);
        let place = (candidate.connect_time, candidate.other);
        if self.chosen.len() >= self.limit {
            let youngest = self.chosen.peek();
            if youngest.is_none_or(|(time, other)| place >= (*time, other.as_str())) {
                return;
            }
            self.chosen.pop();
        }
        let (time, other) = place;
        self.chosen.push((time, other.to_owned()));
    }

    /// Whether nothing that is offered later can change anything, if it is offered oldest first.
    pub fn is_settled_oldest_first(&self) -> bool {
        self.counted >= self.counted_max
    }

    /// Since when and with whom, the oldest first, and how many the filter takes.
    pub fn finish(self) -> (Vec<(Time, String)>, u32) {
        let counted = self.counted.min(self.counted_max);
        (self.chosen.into_sorted_vec(), counted)
    }
}

#[cfg(test)]
mod tests;
