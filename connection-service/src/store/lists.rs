//! A page of a member's connections, as it is asked for and as it is answered.
//!
//! Deliberately absent: what is in the list and in which order (see `domain::connection_list`).

mod choosing;
mod part;

use service_kit::id::MemberId;
use service_kit::time::Time;

pub(super) use choosing::{
    NotedBytes, after_line, chosen_page, cursor_of, plain, ranged_page, selected, selection,
};
pub(super) use part::{Part, no_page, page_of, place_after};

use crate::domain::card::Card;
use crate::domain::connection_list::{Cursor, ListQuery, Total};
use crate::domain::label::{Label, PrivateNote};

/// Which page of which list.
#[derive(Clone, PartialEq, Eq)]
pub struct ListRequest {
    /// The list.
    pub query: ListQuery,
    /// The place that the page begins after; `None` for the first. A place in the query's order.
    pub after: Option<Cursor>,
    /// How many connections at most.
    pub limit: u32,
    /// Whether the others' cards are wanted.
    pub with_cards: bool,
    /// How many bytes the labels and notes of a page may have in all, beyond those of the first connection: there the page ends.
    pub noted_bytes_max: usize,
}

impl ListRequest {
    /// The first page of all connections, newest first, without cards.
    pub fn newest(limit: u32) -> Self {
        Self {
            query: ListQuery::default(),
            after: None,
            limit,
            with_cards: false,
            noted_bytes_max: usize::MAX,
        }
    }
}

/// A connection of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionLine {
    /// The other member.
    pub other: MemberId,
    /// Since when the two are connected.
    pub connect_time: Time,
    /// The other's card, if it was wanted and there is one. Apart, so that pages without cards stay small.
    pub card: Option<Box<Card>>,
    /// What the member whose list it is has noted about it, if anything. Apart, so that pages without notes stay small.
    pub noted: Option<Box<Noted>>,
}

/// What one side has noted about a connection, as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Noted {
    /// The labels, in the order of their texts.
    pub labels: Vec<Label>,
    /// The private note.
    pub note: PrivateNote,
}

impl Noted {
    /// How many bytes it takes in a message.
    pub fn bytes(&self) -> usize {
        /// A tag and a length.
        const OF_EACH: usize = 6;
        let labels = self.labels.iter().map(Label::as_str);
        let texts = labels.chain([self.note.as_str()]);
        texts.map(|text| text.len() + OF_EACH).sum()
    }
}

/// A page of a member's connections.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConnectionPage {
    /// In the order of the list.
    pub lines: Vec<ConnectionLine>,
    /// Where the next page begins, when there is one.
    pub next: Option<Cursor>,
    /// How many connections are in the list: exactly, where there is no filter.
    pub total: Total,
}
