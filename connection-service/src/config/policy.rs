//! The keys of the rules' numbers, and which of them go badly together.

use service_kit::config::{Findings, Key, Unit};
use service_kit::time::Span;

use crate::domain::policy::Policy;

/// The keys of the policy.
pub(super) fn keys() -> Vec<Key<Policy>> {
    let mut keys = limits();
    keys.extend(labels());
    keys.extend(times());
    keys
}

fn limits() -> Vec<Key<Policy>> {
    vec![
        Key::count(
            "limits.connections_max",
            "connections",
            1..=10_000_000,
            |p: &mut Policy| &mut p.connections_max,
            "connections that a member may have; give both services the same value",
        ),
        Key::count(
            "limits.blocks_max",
            "members",
            0..=10_000_000,
            |p: &mut Policy| &mut p.blocks_max,
            "members whom a member may block",
        ),
        Key::count(
            "card.name_chars_max",
            "characters",
            1..=1_000,
            |p: &mut Policy| &mut p.name_chars_max,
            "characters of a first or last name (Unicode, after NFC and trimming); a longer one is refused",
        ),
        Key::count(
            "card.headline_chars_max",
            "characters",
            1..=2_000,
            |p: &mut Policy| &mut p.headline_chars_max,
            "characters of a headline (Unicode, after NFC and trimming); a longer one is refused",
        ),
        Key::count(
            "list.query_chars_max",
            "characters",
            1..=1_000,
            |p: &mut Policy| &mut p.query_chars_max,
            "characters of what is looked for in a list of connections; more are refused",
        ),
        Key::count(
            "list.counted_max",
            "connections",
            1..=10_000_000,
            |p: &mut Policy| &mut p.listed_counted_max,
            "connections that match a filter and are counted exactly; of more this many are told, and that there are more",
        ),
        Key::count(
            "roster.bytes_max",
            "bytes",
            0..=1 << 40,
            |p: &mut Policy| &mut p.roster_bytes_max,
            "memory of the rosters, which keep what lists by name and searches of members with many connections look at; 0 keeps none, and each \
             such list reads all of the member's connections at once",
        ),
        Key::count(
            "roster.connections_min",
            "connections",
            1..=10_000_000,
            |p: &mut Policy| &mut p.roster_connections_min,
            "connections from which on a member has a roster; rosters are built so many connections at a time",
        ),
        Key::count(
            "removal.marks_max",
            "removals",
            1..=1_000_000,
            |p: &mut Policy| &mut p.removal_marks_max,
            "remembered removals of a member; beyond, the oldest is forgotten",
        ),
        Key::count(
            "suggestions.dismissals_max",
            "members",
            0..=100_000,
            |p: &mut Policy| &mut p.dismissals_max,
            "dismissed suggestions of a member that are remembered; beyond, the oldest is forgotten and may be suggested again",
        ),
        Key::count(
            "jobs.chunk",
            "rows",
            1..=10_000,
            |p: &mut Policy| &mut p.job_chunk,
            "pairs, facts, marks or labels that one command of a long job touches",
        ),
        Key::count(
            "watch.member_backlog_max",
            "facts",
            1..=1_000_000,
            |p: &mut Policy| &mut p.member_backlog_max,
            "facts of one member that a watch catches up on; a token further behind is too old",
        ),
    ]
}

fn labels() -> Vec<Key<Policy>> {
    vec![
        Key::count(
            "labels.member_max",
            "labels",
            0..=10_000,
            |p: &mut Policy| &mut p.member_labels_max,
            "labels that a member may have",
        ),
        Key::count(
            "labels.connection_max",
            "labels",
            0..=100,
            |p: &mut Policy| &mut p.connection_labels_max,
            "labels that a member may give one connection",
        ),
        Key::count(
            "labels.chars_max",
            "characters",
            1..=100,
            |p: &mut Policy| &mut p.label_chars_max,
            "characters of a label",
        ),
        Key::count(
            "private_note.chars_max",
            "characters",
            0..=10_000,
            |p: &mut Policy| &mut p.private_note_chars_max,
            "characters of a member's private note about a connection",
        ),
    ]
}

fn times() -> Vec<Key<Policy>> {
    vec![
        Key::span(
            "removal.mark_hours",
            Unit::Hours,
            1..=8_760,
            |p: &mut Policy| &mut p.removal_mark_kept,
            "time for which a removal stands against earlier acceptances",
        ),
        Key::span(
            "facts.kept_days",
            Unit::Days,
            1..=3_650,
            |p: &mut Policy| &mut p.facts_kept,
            "time for which the feed is kept",
        ),
        Key::span(
            "verdicts.kept_days",
            Unit::Days,
            1..=3_650,
            |p: &mut Policy| &mut p.verdicts_kept,
            "time for which verdicts on acceptances are kept once acknowledged",
        ),
        Key::span(
            "acknowledgement.wait_millis",
            Unit::Millis,
            1..=60_000,
            |p: &mut Policy| &mut p.acknowledgement_wait,
            "time for which removals, blocks and erasures wait for invitation-service before they are answered",
        ),
    ]
}

/// What does not fit together, or should be known.
pub(super) fn check(policy: &Policy, findings: &mut Findings) {
    if policy.verdicts_kept < policy.facts_kept {
        findings.risky(
            &["verdicts.kept_days", "facts.kept_days"],
            "an invitation-service that is restored from a backup can resume the feed and ask again for verdicts that are forgotten: such an \
             acceptance is decided anew, and may connect two who have since removed each other",
        );
    }
    if policy.removal_mark_kept < Span::hours(24) {
        findings.risky(
            &["removal.mark_hours"],
            "an acceptance that waits for a service that is away longer than this connects two members although one of them has removed \
             the other since",
        );
    }
    if policy.acknowledgement_wait > Span::seconds(1) {
        findings.risky(
            &["acknowledgement.wait_millis"],
            "while invitation-service is away every removal, block and erasure takes this long to answer",
        );
    }
}
