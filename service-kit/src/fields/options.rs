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

/// How much one request may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestOptions {
    /// The pages of members' lists. Default 50, and 1,000 at most.
    pub pages: Pages,
    /// How many others one call may ask about. Default 500.
    pub lookup_members_max: usize,
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            pages: Pages {
                default: 50,
                max: 1_000,
            },
            lookup_members_max: 500,
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
        ]
    }

    /// What does not fit together.
    pub fn check(&self, findings: &mut Findings) {
        if self.pages.default > self.pages.max {
            findings.wrong(
                &["page.size_default", "page.size_max"],
                "must be at most page.size_max, the largest page",
            );
        }
    }
}
