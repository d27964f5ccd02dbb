//! Every limit and every length of time that the rules know, with its default.
//!
//! Deliberately absent: where the values come from (see `config`) and the sizes of queues, pages and messages, which are no rules.

use service_kit::time::Span;

/// The numbers of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many connections a member may have. Default 30,000.
    pub connections_max: u32,
    /// How many others a member may block. Default 100,000.
    pub blocks_max: u32,
    /// How many labels a member may have. Default 500.
    pub member_labels_max: u32,
    /// How many labels one connection may have. Default 20.
    pub connection_labels_max: u32,
    /// How many Unicode scalar values a label may have. At least 1. Default 50.
    pub label_chars_max: usize,
    /// How many Unicode scalar values a private note may have. Default 2,000.
    pub private_note_chars_max: usize,
    /// How many removal marks a member may have; beyond, the oldest is dropped. At least 1. Default 1,000.
    pub removal_marks_max: u32,
    /// How many Unicode scalar values a first or last name may have. Default 100.
    pub name_chars_max: usize,
    /// How many Unicode scalar values a headline may have. Default 220.
    pub headline_chars_max: usize,
    /// How many Unicode scalar values the query of a list may have. Default 100.
    pub query_chars_max: usize,
    /// Up to how many connections that match a filter are counted. Default 1,000.
    pub listed_counted_max: u32,
    /// How many bytes of memory the rosters of members with many connections take together at most. Default 64 MiB; 0 for none.
    pub roster_bytes_max: usize,
    /// From how many connections on a list by name is read from a roster. Default 2,000.
    pub roster_connections_min: u32,
    /// How many suggestions a member may have dismissed; beyond, the oldest is forgotten. Default 1,000.
    pub dismissals_max: u32,
    /// How long a removal stands against acceptances made before it. Default 24 hours.
    pub removal_mark_kept: Span,
    /// How long facts stay in the feed. Default 7 days.
    pub facts_kept: Span,
    /// How long a verdict stays after the facts it was given with were acknowledged. Default 30 days.
    pub verdicts_kept: Span,
    /// How long a removal, a block and an erasure wait for the acknowledgement of their fact. Default 200 ms.
    pub acknowledgement_wait: Span,
    /// How many pairs, facts, marks or labels one command of a long job touches at most. At least 1. Default 200.
    pub job_chunk: u32,
    /// How many facts of one member a watch reads at once; a token further behind is too old. Default 10,000.
    pub member_backlog_max: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            connections_max: 30_000,
            blocks_max: 100_000,
            member_labels_max: 500,
            connection_labels_max: 20,
            label_chars_max: 50,
            private_note_chars_max: 2_000,
            removal_marks_max: 1_000,
            name_chars_max: 100,
            headline_chars_max: 220,
            query_chars_max: 100,
            listed_counted_max: 1_000,
            roster_bytes_max: 64 << 20,
            roster_connections_min: 2_000,
            dismissals_max: 1_000,
            removal_mark_kept: Span::hours(24),
            facts_kept: Span::days(7),
            verdicts_kept: Span::days(30),
            acknowledgement_wait: Span::millis(200),
            job_chunk: 200,
            member_backlog_max: 10_000,
        }
    }
}
