//! Whether full requests and answers fit their messages.

use service_kit::config::Findings;

use super::Config;
use crate::grpc::size;

/// What does not fit together, or should be known.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    messages(config, findings);
    answers(config, findings);
}

/// Whether full requests fit. A send always does: the least that may be configured is enough for the longest note.
fn messages(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.message_bytes_max";
    let max = config.server.message_bytes_max;
    let batch = size::REST + size::INVITATION_ID * config.requests.batches.items_max;
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
            config.requests.batches.items_max,
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
