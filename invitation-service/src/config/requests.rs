//! The keys of what one request may ask for, and whether full requests and answers fit their messages.

use service_kit::config::{Findings, Key};

use super::Config;
use crate::{grpc::size, usecase::batch::BatchOptions};

/// The keys of batches.
pub(super) fn keys() -> Vec<Key<BatchOptions>> {
    vec![
        Key::count(
            "batch.items_max",
            "invitations",
            1..=1_000,
            |o: &mut BatchOptions| &mut o.items_max,
            "invitations that one batch takes, by name or by filter",
        ),
        Key::count(
            "batch.matched_max",
            "invitations",
            1..=1_000_000,
            |o: &mut BatchOptions| &mut o.matched_max,
            "invitations that match the filter of a batch and are counted, which is for as long as the call reads",
        ),
    ]
}

/// What does not fit together, or should be known.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    let batches = &config.batches;
    if batches.matched_max < batches.items_max {
        findings.wrong(
            &["batch.matched_max", "batch.items_max"],
            "must be at least batch.items_max, since all that a batch takes are counted",
        );
    }
    if batches.items_max > config.group_commit.queue_commands_max {
        findings.risky(
            &["batch.items_max", "group_commit.queue_commands_max"],
            "each invitation of a batch is a command of its own, and no more than the queue holds can wait: some of a full batch are always \
             refused as OVERLOADED",
        );
    }
    messages(config, findings);
    answers(config, findings);
}

/// Whether full requests fit. A send always does: the least that may be configured is enough for the longest note.
fn messages(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.message_bytes_max";
    let max = config.server.message_bytes_max;
    let batch = size::REST + size::INVITATION_ID * config.batches.items_max;
    if batch > max {
        findings.wrong(
            &["batch.items_max", KEY],
            format!(
                "a batch of so many ids has up to {batch} bytes, which is more than {KEY} lets in"
            ),
        );
    }
    let lookup = size::REST + size::MEMBER_ID * config.requests.lookup_members_max;
    if lookup > max {
        findings.risky(
            &["lookup.members_max", KEY],
            format!(
                "a look-up of so many members with the longest ids has {lookup} bytes and is refused, since {KEY} is less"
            ),
        );
    }
}

/// Whether full answers fit. One invitation always does.
fn answers(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.answer_bytes_max";
    let requests = &config.requests;
    let page = usize::try_from(requests.pages.max).unwrap_or(usize::MAX);
    for (key, what, one, number) in [
        (
            "page.size_max",
            "a page of so many invitations with the longest notes",
            size::invitation(&config.policy),
            page,
        ),
        (
            "batch.items_max",
            "the answer to a batch of so many invitations with the longest notes",
            size::result(&config.policy),
            config.batches.items_max,
        ),
        (
            "lookup.members_max",
            "the answer to a look-up of so many members with the longest ids",
            size::STATE,
            requests.lookup_members_max,
        ),
    ] {
        let bytes = one.saturating_mul(number).saturating_add(size::REST);
        if bytes > config.server.answer_bytes_max {
            findings.risky(
                &[key, KEY],
                format!(
                    "{what} has up to {bytes} bytes; one of more than {KEY} fails with OUT_OF_RANGE"
                ),
            );
        }
    }
}
