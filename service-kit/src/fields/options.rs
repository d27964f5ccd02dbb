//! How much one request may ask for.
//!
//! Deliberately absent: what only one service is asked for, and the sizes of messages (see [`crate::server::ServerOptions`]).

use crate::config::{Findings, Key};

/// The sizes of the pages of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pages {
    /// The page that is meant by 0. 1 to `max`.
    pub default: u32,
    /// The largest page; whoever asks for more is given this.
    pub max: u32,
}

/// How much one batch is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchOptions {
    /// How many items one call takes. Default 100.
    pub items_max: usize,
    /// How many items that match a filter are counted. At least `items_max`. Default 10,000.
    pub matched_max: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            items_max: 100,
            matched_max: 10_000,
        }
    }
}

/// How much one request may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestOptions {
    /// The pages of members' lists. Default 50, and 1,000 at most.
    pub pages: Pages,
    /// How many others one call may ask about. Default 500.
    pub lookup_members_max: usize,
    /// How much one batch is.
    pub batches: BatchOptions,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            pages: Pages {
                default: 50,
                max: 1_000,
            },
            lookup_members_max: 500,
            batches: BatchOptions::default(),
        }
    }
}

impl RequestOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "page.size_default",
                "entries",
                1..=10_000,
                |o: &mut Self| &mut o.pages.default,
                "entries of a page whose caller does not say how many",
            ),
            Key::count(
                "page.size_max",
                "entries",
                1..=10_000,
                |o: &mut Self| &mut o.pages.max,
                "entries of the largest page; whoever asks for more is given these",
            ),
            Key::count(
                "lookup.members_max",
                "members",
                1..=10_000,
                |o: &mut Self| &mut o.lookup_members_max,
                "other members whom one look-up may ask about",
            ),
            Key::count(
                "batch.items_max",
                "items",
                1..=1_000,
                |o: &mut Self| &mut o.batches.items_max,
                "invitations or connections that one batch takes, by name or by filter",
            ),
            Key::count(
                "batch.matched_max",
                "items",
                1..=1_000_000,
                |o: &mut Self| &mut o.batches.matched_max,
                "items that match the filter of a batch and are counted, which is for as long as the call reads",
            ),
        ]
    }

    /// What does not fit together, or should be known, where the store's queue holds `queue_commands_max`.
    pub fn check(&self, queue_commands_max: usize, findings: &mut Findings) {
        if self.pages.default > self.pages.max {
            findings.wrong(
                &["page.size_default", "page.size_max"],
                "must be at most page.size_max, the largest page",
            );
        }
        if self.batches.matched_max < self.batches.items_max {
            findings.wrong(
                &["batch.matched_max", "batch.items_max"],
                "must be at least batch.items_max, since all that a batch takes are counted",
            );
        }
        if self.batches.items_max > queue_commands_max {
            findings.risky(
                &["batch.items_max", "group_commit.queue_commands_max"],
                "each item of a batch is a command of its own, and no more than the queue holds can wait: some of a full batch are always \
                 refused as OVERLOADED",
            );
        }
    }
}
