//! The index with the second degrees that are kept beside it: what changes, changes both.
//!
//! Deliberately absent: locks, the store, and the questions (see `questions`).

use service_kit::id::MemberId;

use super::ids::Full;
use super::index::{Index, Size};
use super::views::Views;
use crate::domain::network::Tie;

/// The network of all members.
#[derive(Debug)]
pub struct Network {
    index: Index,
    views: Views,
}

impl Network {
    /// Of nobody yet. Second degrees take `views_bytes_max` at most, and what one that is being worked out takes.
    pub fn new(views_bytes_max: usize) -> Self {
        Self {
            index: Index::default(),
            views: Views::new(views_bytes_max),
        }
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn views(&self) -> &Views {
        &self.views
    }

    /// How much there is of the index.
    pub fn size(&self) -> Size {
        self.index.size()
    }

    /// How many second degrees are kept, and in how many bytes.
    pub fn views_size(&self) -> (usize, usize) {
        (self.views.len(), self.views.bytes())
    }

    /// Makes it so between two members; nobody has a tie with themselves.
    pub fn set(&mut self, one: &MemberId, other: &MemberId, tie: Tie) -> Result<(), Full> {
        if one == other {
            return Ok(());
        }
        if tie == Tie::None {
            // Who is not known has no tie, and needs no number for that.
            if let (Some(one), Some(other)) = (self.index.number(one), self.index.number(other)) {
                self.change(one, other, tie);
            }
            return Ok(());
        }
        let (one, other) = self.index.numbers_or_new(one, other)?;
        self.change(one, other, tie);
        Ok(())
    }

    /// Takes some ties from a member who was erased; says whether more are left.
    pub fn erase_some(&mut self, member: &MemberId, ties_max: usize) -> bool {
        let Some(number) = self.index.number(member) else {
            return false;
        };
        let neighbours = self.index.neighbours(number);
        // From the end of the list, which is cheaper.
        let some: Vec<u32> = neighbours
            .iter()
            .rev()
            .take(ties_max.max(1))
            .copied()
            .collect();
        let more = some.len() < neighbours.len();
        for other in some {
            self.change(number, other, Tie::None);
        }
        more
    }

    fn change(&mut self, one: u32, other: u32, tie: Tie) {
        let was = self.index.tie(one, other);
        if was == tie {
            return;
        }
        self.index.set(one, other, tie);
        if (was == Tie::Connected) != (tie == Tie::Connected) {
            self.views
                .changed(&self.index, one, other, tie == Tie::Connected);
        }
        for number in [one, other] {
            if self.index.release_if_alone(number) {
                self.views.drop_of(number);
            }
        }
    }

    /// Whether a member's second degree is worked out, or need not be because they have no tie. When not, and there is none that has been
    /// begun, says so with `None`: then [`Self::begin`] must be called.
    pub fn advance(&self, member: &MemberId, steps: usize) -> Option<bool> {
        match self.index.number(member) {
            Some(number) => Some(self.views.get(number)?.advance(&self.index, steps)),
            None => Some(true),
        }
    }

    /// Begins to work out a member's second degree, unless that has been done.
    pub fn begin(&mut self, member: &MemberId) {
        if let Some(number) = self.index.number(member) {
            self.views.begin(number);
        }
    }

    /// Takes no more room for second degrees than is allowed.
    pub fn trim(&mut self) {
        self.views.trim();
    }
}

#[cfg(test)]
mod tests;
