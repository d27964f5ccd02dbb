//! The keys of cards that come together, and whether full requests and answers fit their messages.

use service_kit::config::{Findings, Key};

use super::Config;
use crate::grpc::{PAGES, PAIRS_MAX, size};
use crate::usecase::put_members::CardOptions;

/// The keys of cards that come together.
pub(super) fn keys() -> Vec<Key<CardOptions>> {
    vec![Key::count(
        "batch.cards_max",
        "cards",
        1..=10_000,
        |o: &mut CardOptions| &mut o.cards_max,
        "cards that one batch may put; they are stored in one transaction",
    )]
}

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
    let cards = size::REST + size::card(&config.policy) * config.cards.cards_max;
    if cards > max {
        findings.risky(
            &["batch.cards_max", KEY],
            format!(
                "a batch of so many cards with the longest texts has {cards} bytes and is refused, since {KEY} is less"
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
    let update = size::REST + size::noted(&config.policy);
    if update > max {
        findings.risky(
            &[
                "private_note.chars_max",
                "labels.connection_max",
                "labels.chars_max",
                KEY,
            ],
            format!(
                "so many labels and a note of such length have up to {update} bytes in one UpdateConnection, and are refused, since {KEY} is less"
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

/// Whether full answers to members fit. A page of connections always does: it ends where what is noted about them does not fit any more.
fn answers(config: &Config, findings: &mut Findings) {
    const KEY: &str = "server.answer_bytes_max";
    let requests = &config.requests;
    let page = usize::try_from(requests.pages.max).unwrap_or(usize::MAX);
    for (key, what, one, number) in [
        (
            "page.size_max",
            "a page of so many suggestions, or connections with the longest cards,",
            (size::ENTRY + size::card(&config.policy)).max(size::SUGGESTION),
            page,
        ),
        (
            "lookup.members_max",
            "the answer to a look-up of so many members",
            size::ENTRY,
            requests.lookup_members_max,
        ),
        (
            "batch.cards_max",
            "the answer to a batch of so many cards with the longest texts",
            size::put_result(&config.policy),
            config.cards.cards_max,
        ),
    ] {
        let bytes = one.saturating_mul(number).saturating_add(size::REST);
        if bytes > config.server.answer_bytes_max {
            findings.risky(
                &[key, KEY],
                format!(
                    "{what} with the longest ids has up to {bytes} bytes; one of more than {KEY} fails with OUT_OF_RANGE"
                ),
            );
        }
    }
    let labels = usize::try_from(config.policy.member_labels_max).unwrap_or(usize::MAX);
    let labels = size::label(&config.policy)
        .saturating_mul(labels)
        .saturating_add(size::REST);
    if labels > config.server.answer_bytes_max {
        findings.risky(
            &["labels.member_max", "labels.chars_max", KEY],
            format!(
                "a list of so many labels has up to {labels} bytes; one of more than {KEY} fails with OUT_OF_RANGE"
            ),
        );
    }
}
