//! How many connections every member has in common with one member, kept right while connections are made and end.
//!
//! For each number x: how many of the member's connections are connected to x. That is the mutual count, and whoever has one above 0 and
//! is no connection is of the second degree. It is worked out in stretches, between which the index may change: what has been counted
//! are the connections below a number, and a change is counted when it concerns one of those.
//!
//! Deliberately absent: locks, and what is made of the counts.

use hashbrown::HashMap;

use super::index::Index;

/// Counts by number: a map as long as that is smaller than a list of all.
#[derive(Debug)]
enum Counts {
    Few(HashMap<u32, u32>),
    Many(Vec<u32>),
}

impl Counts {
    fn get(&self, number: u32) -> u32 {
        match self {
            Self::Few(counts) => counts.get(&number).copied(),
            Self::Many(counts) => counts.get(number as usize).copied(),
        }
        .unwrap_or(0)
    }

    fn add(&mut self, number: u32, numbers_end: usize) {
        match self {
            Self::Few(counts) => {
                *counts.entry(number).or_insert(0) += 1;
                if counts.allocation_size() > size_of::<u32>() * numbers_end.max(64) {
                    let mut many = vec![0; numbers_end];
                    for (&number, &count) in &*counts {
                        if let Some(slot) = many.get_mut(number as usize) {
                            *slot = count;
                        }
                    }
                    *self = Self::Many(many);
                }
            }
            Self::Many(counts) => {
                if let Some(count) = counts.get_mut(number as usize) {
                    *count += 1;
                    return;
                }
                counts.reserve_exact(numbers_end - counts.len() + numbers_end / 16);
                counts.resize(numbers_end, 0);
                if let Some(count) = counts.get_mut(number as usize) {
                    *count = 1;
                }
            }
        }
    }

    fn subtract(&mut self, number: u32) {
        match self {
            Self::Few(counts) => {
                let Some(count) = counts.get_mut(&number) else {
                    return;
                };
                *count -= 1;
                if *count == 0 {
                    counts.remove(&number);
                }
            }
            Self::Many(counts) => {
                if let Some(count) = counts.get_mut(number as usize) {
                    *count = count.saturating_sub(1);
                }
            }
        }
    }
}

/// One member's counts.
#[derive(Debug)]
pub(super) struct SecondDegree {
    of: u32,
    counts: Counts,
    /// Connections below this number have been counted; `None` when all have.
    next: Option<u32>,
}

impl SecondDegree {
    /// Of a member, with nothing counted yet.
    pub(super) fn of(number: u32) -> Self {
        Self {
            of: number,
            counts: Counts::Few(HashMap::new()),
            next: Some(0),
        }
    }

    /// Whether everything has been counted.
    pub(super) fn is_complete(&self) -> bool {
        self.next.is_none()
    }

    /// Counts on, some `steps` numbers or to the end of one connection's list beyond them. Says whether everything has been counted.
    pub(super) fn advance(&mut self, index: &Index, steps: usize) -> bool {
        let Some(next) = self.next else { return true };
        let connections = index.connections(self.of);
        let from = connections.partition_point(|&number| number < next);
        let mut left = steps;
        for &number in connections.get(from..).unwrap_or_default() {
            if left == 0 {
                self.next = Some(number);
                return false;
            }
            let theirs = index.connections(number);
            for &reached in theirs {
                self.counts.add(reached, index.numbers_end());
            }
            left = left.saturating_sub(theirs.len().max(1));
        }
        self.next = None;
        true
    }

    /// Takes into account that a connection was made or ended, of which the index knows.
    pub(super) fn changed(&mut self, index: &Index, one: u32, other: u32, connected: bool) {
        for (a, b) in [(one, other), (other, one)] {
            if !self.has_counted(b) {
                continue;
            }
            if a == self.of {
                for &reached in index.connections(b) {
                    self.change(index, reached, connected);
                }
                if !connected {
                    // In their list stood the member too, who has been taken out.
                    self.change(index, a, connected);
                }
            } else if b != self.of && index.connections(self.of).binary_search(&b).is_ok() {
                self.change(index, a, connected);
            }
        }
    }

    fn change(&mut self, index: &Index, number: u32, more: bool) {
        if more {
            self.counts.add(number, index.numbers_end());
        } else {
            self.counts.subtract(number);
        }
    }

    fn has_counted(&self, number: u32) -> bool {
        self.next.is_none_or(|next| number < next)
    }

    /// How many connections a number and the member have in common, among those that have been counted.
    pub(super) fn mutual_count(&self, number: u32) -> u32 {
        self.counts.get(number)
    }

    /// Tells `each` every number that has connections in common with the member, and how many; in no order.
    pub(super) fn for_each(&self, mut each: impl FnMut(u32, u32)) {
        match &self.counts {
            Counts::Few(counts) => {
                for (&number, &count) in counts {
                    each(number, count);
                }
            }
            Counts::Many(counts) => {
                for (number, &count) in (0..).zip(counts) {
                    if count > 0 {
                        each(number, count);
                    }
                }
            }
        }
    }

    /// How many steps [`Self::for_each`] takes.
    pub(super) fn steps(&self) -> usize {
        match &self.counts {
            Counts::Few(counts) => counts.capacity(),
            Counts::Many(counts) => counts.len(),
        }
    }

    /// How many bytes it takes, without what the allocator adds.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>()
            + match &self.counts {
                Counts::Few(counts) => counts.allocation_size(),
                Counts::Many(counts) => size_of::<u32>() * counts.capacity(),
            }
    }
}
