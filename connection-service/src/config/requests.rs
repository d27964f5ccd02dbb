//! Whether full requests and answers fit their messages.

use service_kit::config::Findings;

use super::Config;
use crate::grpc::{PAGES, PAIRS_MAX, size};

/// What does not fit together, or should be known.
pub(super) fn check(config: &Config, findings: &mut Findings) {
    messages(config, findings);
    feed(config, findings);
    answers(config, findings);
}

/// Whether full requests fit.
fn messages(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.message_bytes_max";
    let max = config.server.message_bytes_max;
    let asked = size::REST + size::PAIR * PAIRS_MAX;
    if asked > max {
        findings.wrong(
            &[KEY],
            format!(
                "must be at least {asked}: invitation-service asks about {PAIRS_MAX} pairs at once"
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

/// Whether the feed can be followed, which stops for good where a message does not fit.
fn feed(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.answer_bytes_max";
    let of = |facts: usize| size::FACT.saturating_mul(facts).saturating_add(size::REST);
    let facts = usize::try_from(PAGES.max).unwrap_or(usize::MAX);
    let page = of(facts);
    if page > config.server.answer_bytes_max {
        findings.wrong(
            &[KEY],
            format!("must be at least {page}: invitation-service may read {facts} facts at once"),
        );
        return;
    }
    let streamed = of(config.watches.positions_at_once_max);
    if streamed > config.server.answer_bytes_max {
        findings.wrong(
            &["watch.positions_at_once_max", KEY],
            format!(
                "so many facts of the feed have up to {streamed} bytes in one message, which is more than {KEY}: invitation-service could not \
                 follow"
            ),
        );
    }
}

/// Whether full answers to members fit.
fn answers(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.answer_bytes_max";
    let requests = &config.requests;
    let page = usize::try_from(requests.pages.max).unwrap_or(usize::MAX);
    for (key, what, number) in [
        ("page.size_max", "a page of so many entries", page),
        (
            "lookup.members_max",
            "the answer to a look-up of so many members",
            requests.lookup_members_max,
        ),
    ] {
        let bytes = size::ENTRY
            .saturating_mul(number)
            .saturating_add(size::REST);
        if bytes > config.server.answer_bytes_max {
            findings.risky(
                &[key, KEY],
                format!(
                    "{what} with the longest ids has up to {bytes} bytes; one of more than {KEY} fails with OUT_OF_RANGE"
                ),
            );
        }
    }
}
