//! The keys of the rules' numbers, and which of them go badly together.

use service_kit::{
    config::{Findings, Key, Unit},
    time::Span,
};

use crate::domain::{plan::WEEKLY_CAP_MAX, policy::Policy};

/// The keys of the policy.
pub(super) fn keys() -> Vec<Key<Policy>> {
    let mut keys = limits();
    keys.extend(times());
    keys
}

fn limits() -> Vec<Key<Policy>> {
    vec![
        Key::count(
            "limits.weekly_cap",
            "invitations",
            0..=u64::from(WEEKLY_CAP_MAX),
            |p: &mut Policy| &mut p.weekly_cap,
            "invitations that a member may send within the window, as far as their standing allows as many; 0 stops sending",
        ),
        Key::span(
            "limits.weekly_window_days",
            Unit::Days,
            1..=31,
            |p: &mut Policy| &mut p.weekly_window,
            "rolling window of the weekly cap",
        ),
        Key::count(
            "limits.pending_sent_max",
            "invitations",
            1..=1_000_000,
            |p: &mut Policy| &mut p.pending_sent_max,
            "unanswered invitations that an inviter may have, as far as their standing allows as many",
        ),
        Key::count(
            "limits.pending_received_soft_max",
            "invitations",
            0..=10_000_000,
            |p: &mut Policy| &mut p.pending_received_soft_max,
            "unanswered invitations that an invitee has before further ones are filtered",
        ),
        Key::count(
            "limits.connections_max",
            "connections",
            1..=10_000_000,
            |p: &mut Policy| &mut p.connections_max,
            "connections of a member with which sending makes no sense any more; give both services the same value",
        ),
        Key::count(
            "limits.probe_refusals_max",
            "refusals",
            1..=1_000,
            |p: &mut Policy| &mut p.probe_refusals_max,
            "masked refusals that a member may meet within the probe window before every send is refused openly",
        ),
        Key::span(
            "limits.probe_window_hours",
            Unit::Hours,
            1..=168,
            |p: &mut Policy| &mut p.probe_window,
            "rolling window of the probe limit",
        ),
        // What is stored stays as it is when these change; the message of a call has room for the longest.
        Key::count(
            "invitation.note_chars_max",
            "characters",
            1..=2_000,
            |p: &mut Policy| &mut p.note_chars_max,
            "characters of a note (Unicode, after NFC and trimming); a longer one is refused",
        ),
        Key::count(
            "invitation.source_chars_max",
            "characters",
            1..=256,
            |p: &mut Policy| &mut p.source_chars_max,
            "characters of a source; a longer one is refused",
        ),
        Key::count(
            "watch.member_backlog_max",
            "events",
            1..=1_000_000,
            |p: &mut Policy| &mut p.member_backlog_max,
            "events of one member that a watch catches up on; a token further behind is too old",
        ),
    ]
}

fn times() -> Vec<Key<Policy>> {
    vec![
        Key::span(
            "invitation.lifetime_days",
            Unit::Days,
            1..=3_650,
            |p: &mut Policy| &mut p.invitation_lifetime,
            "time after which an unanswered invitation expires",
        ),
        Key::span(
            "invitation.ended_kept_hours",
            Unit::Hours,
            1..=168,
            |p: &mut Policy| &mut p.ended_kept,
            "time for which whoever ended an invitation still sees it, and can take a decline back or strengthen it",
        ),
        Key::span(
            "invitation.accepted_kept_days",
            Unit::Days,
            1..=3_650,
            |p: &mut Policy| &mut p.accepted_kept,
            "time for which an accepted invitation is kept",
        ),
        Key::span(
            "invitation.request_kept_hours",
            Unit::Hours,
            1..=168,
            |p: &mut Policy| &mut p.request_kept,
            "time for which a repeated `request_id` is answered as the first was",
        ),
        Key::span(
            "auto_withdraw.min_days",
            Unit::Days,
            1..=3_650,
            |p: &mut Policy| &mut p.auto_withdraw_min,
            "shortest time after which a member may have their own unanswered invitations withdrawn; wishes of before a change stay",
        ),
        Key::span(
            "auto_withdraw.max_days",
            Unit::Days,
            1..=3_650,
            |p: &mut Policy| &mut p.auto_withdraw_max,
            "longest such time",
        ),
        Key::span(
            "decline.cooldown_days",
            Unit::Days,
            0..=365,
            |p: &mut Policy| &mut p.decline_cooldown,
            "time after a decline for which the inviter cannot invite that member",
        ),
        Key::span(
            "resend.cooldown_after_withdraw_days",
            Unit::Days,
            0..=30,
            |p: &mut Policy| &mut p.withdraw_cooldown,
            "time after a withdrawal for which the inviter cannot invite that member",
        ),
        Key::span(
            "acceptance.first_retry_millis",
            Unit::Millis,
            10..=60_000,
            |p: &mut Policy| &mut p.acceptance_first_retry,
            "time after which the worker takes up an acceptance that its caller did not see through",
        ),
        Key::span(
            "acceptance.retry_max_millis",
            Unit::Millis,
            10..=3_600_000,
            |p: &mut Policy| &mut p.acceptance_retry_max,
            "longest time between two attempts to see an acceptance through",
        ),
        Key::span(
            "events.kept_days",
            Unit::Days,
            1..=90,
            |p: &mut Policy| &mut p.events_kept,
            "time for which watchers can resume",
        ),
    ]
}

/// What does not fit together, or should be known.
pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    if policy.acceptance_retry_max < policy.acceptance_first_retry {
        findings.wrong(
            &[
                "acceptance.retry_max_millis",
                "acceptance.first_retry_millis",
            ],
            "must be at least acceptance.first_retry_millis, which is the shortest of the waits that it bounds",
        );
    }
    if policy.weekly_cap == 0 {
        findings.risky(
            &["limits.weekly_cap"],
            "nobody can send an invitation; those that wait can still be answered",
        );
    }
    if policy.weekly_window != Span::days(7) {
        findings.risky(
            &["limits.weekly_window_days"],
            "callers are told of a weekly cap, and clients say \"this week\" to members, but the cap holds for another time",
        );
    }
    if policy.pending_sent_max < policy.weekly_cap {
        findings.risky(
            &["limits.pending_sent_max", "limits.weekly_cap"],
            "an inviter meets the cap on unanswered invitations before the weekly cap, though the quota still shows places for the week",
        );
    }
    if policy.invitation_lifetime < policy.decline_cooldown {
        findings.risky(
            &["invitation.lifetime_days", "decline.cooldown_days"],
            "an ignored invitation can be sent again after its lifetime, a declined one only after the longer cool-down: from the refusal an \
             inviter who comes back learns that it was declined",
        );
    }
    if policy.auto_withdraw_max < policy.auto_withdraw_min {
        findings.wrong(
            &["auto_withdraw.max_days", "auto_withdraw.min_days"],
            "must be at least auto_withdraw.min_days, or there is no time that a member could choose",
        );
    }
    if policy.invitation_lifetime < policy.auto_withdraw_min {
        findings.risky(
            &["invitation.lifetime_days", "auto_withdraw.min_days"],
            "an invitation expires before the time after which a member may at the earliest have their own withdrawn, so that preference does \
             nothing",
        );
    }
    if policy.decline_cooldown == Span::ZERO {
        findings.risky(
            &["decline.cooldown_days"],
            "whoever was declined can invite again at once, any number of times within the caps, and members will report as spam what a \
             cool-down would have stopped",
        );
    }
    if policy.ended_kept > Span::hours(24) {
        findings.risky(
            &["invitation.ended_kept_hours"],
            "members are promised that 24 hours after a withdrawal nothing names the two together; it now takes longer",
        );
    }
    if policy.request_kept < Span::hours(24) {
        findings.risky(
            &["invitation.request_kept_hours"],
            "callers are promised that a repeat within 24 hours is answered as the first request was; a later one is decided anew, and may \
             be charged again",
        );
    }
}
