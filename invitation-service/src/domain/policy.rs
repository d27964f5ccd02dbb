//! The numbers that the rules are made of, with their defaults.
//!
//! Deliberately absent: where the numbers come from (`config.rs`), and anything that is decided with them.

use std::collections::BTreeMap;

use service_kit::time::Span;

use super::{plan::Limits, standing::StandingPolicy};

/// Every limit and length of time that a rule names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How many invitations may be charged to a member in any `weekly_window`; a plan may say otherwise, as for the next two.
    pub weekly_cap: u32,
    /// The rolling window of the weekly cap.
    pub weekly_window: Span,
    /// How many unanswered invitations an inviter may have; further sends are refused.
    pub pending_sent_max: u32,
    /// How many unanswered invitations an invitee has before further ones are filtered.
    pub pending_received_soft_max: u32,
    /// What members are granted who have a plan, by its name. The plan of the others is not among them: its limits are the three above.
    pub plans: BTreeMap<String, Limits>,
    /// How inviters are judged, and what that allows them: of their plan's limits and those of their standing the lower are in force.
    pub standing: StandingPolicy,
    /// How many connections a member may have for a send to make sense; connection-service holds the limit itself.
    pub connections_max: u32,
    /// How many masked refusals a member meets in any `probe_window` before every further one is refused openly.
    pub probe_refusals_max: u32,
    /// The rolling window of the probe limit.
    pub probe_window: Span,
    /// How many Unicode scalar values a note may have. Those stored before a change stay as they are.
    pub note_chars_max: usize,
    /// How many characters a source may have; as with notes.
    pub source_chars_max: usize,
    /// The shortest time, in whole days, after which a member may have their own invitations withdrawn. A wish of before a change holds.
    pub auto_withdraw_min: Span,
    /// The longest such time, in whole days.
    pub auto_withdraw_max: Span,
    /// How long an invitation stays pending before it expires.
    pub invitation_lifetime: Span,
    /// How long an inviter cannot invite a member who declined.
    pub decline_cooldown: Span,
    /// How long an inviter cannot invite a member again after withdrawing; at most 30 days.
    pub withdraw_cooldown: Span,
    /// How long whoever ended an invitation still sees it, can repeat the ending, strengthen or undo a decline.
    pub ended_kept: Span,
    /// How long an accepted invitation is kept.
    pub accepted_kept: Span,
    /// How long a `request_id` is remembered.
    pub request_kept: Span,
    /// How long events are kept for watchers to resume.
    pub events_kept: Span,
    /// How many events of one member a watch catches up on; a token further behind is too old.
    pub member_backlog_max: u32,
    /// How soon a worker takes up an acceptance that its caller did not see through.
    pub acceptance_first_retry: Span,
    /// The longest wait between two attempts to see an acceptance through.
    pub acceptance_retry_max: Span,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            weekly_cap: 200,
            weekly_window: Span::days(7),
            pending_sent_max: 3_000,
            pending_received_soft_max: 10_000,
            plans: BTreeMap::new(),
            standing: StandingPolicy::default(),
            connections_max: 30_000,
            probe_refusals_max: 30,
            probe_window: Span::hours(24),
            note_chars_max: 300,
            source_chars_max: 32,
            auto_withdraw_min: Span::days(7),
            auto_withdraw_max: Span::days(180),
            invitation_lifetime: Span::days(180),
            decline_cooldown: Span::days(21),
            withdraw_cooldown: Span::ZERO,
            ended_kept: Span::hours(24),
            accepted_kept: Span::days(90),
            request_kept: Span::hours(24),
            events_kept: Span::days(7),
            member_backlog_max: 10_000,
            acceptance_first_retry: Span::seconds(1),
            acceptance_retry_max: Span::seconds(30),
        }
    }
}
