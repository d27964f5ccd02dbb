//! Every order in which commands of members and messages between the two services can come, for one pair.
//!
//! Both services are the real decisions of their domains, in a world small enough to be searched whole: every world that seven commands
//! can lead to, with messages late, lost and repeated, is looked at once, and what would become of it if everything came to rest. Then each
//! rule of the protocol is taken out, and the search must see a promise broken. `ACQUAINT_SEARCH_DEPTH` sets how many commands.
//!
//! Deliberately absent: stores, sockets and threads, whose faults come down to messages lost or late; and limits of one service alone.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail by panicking"
)]

#[path = "protocol_search/connecting.rs"]
mod connecting;
#[path = "protocol_search/found.rs"]
mod found;
#[path = "protocol_search/inviting.rs"]
mod inviting;
#[path = "protocol_search/key.rs"]
mod key;
#[path = "protocol_search/mutants.rs"]
mod mutants;
#[path = "protocol_search/onlooker.rs"]
mod onlooker;
#[path = "protocol_search/promises.rs"]
mod promises;
#[path = "protocol_search/rules.rs"]
mod rules;
#[path = "protocol_search/search.rs"]
mod search;
#[path = "protocol_search/steps.rs"]
mod steps;
#[path = "protocol_search/without.rs"]
mod without;
#[path = "protocol_search/words.rs"]
mod words;
#[path = "protocol_search/world.rs"]
mod world;
#[path = "protocol_search/writer.rs"]
mod writer;
#[path = "protocol_search/wrong.rs"]
mod wrong;

use key::Detail;
use rules::{Real, Rules};
use search::{Found, Watched, search};
use without::Without;

/// How many commands deep the search goes.
const DEPTH: usize = 7;
/// How many commands deep it goes without trusting the rules that old news makes no difference.
const EXACT_DEPTH: usize = 5;

fn demand_nothing_is_found(depth: usize, detail: Detail) {
    match search(&Real, depth, detail, Watched::Everything) {
        Found::Nothing { worlds } => {
            let sum: usize = worlds.iter().sum();
            println!("{detail:?}: {sum} worlds within {depth} commands, by commands: {worlds:?}");
        }
        Found::Violation {
            promise,
            commands,
            trace,
        } => panic!(
            "\"{promise}\" is broken after {commands} commands:\n{}",
            trace.join("\n")
        ),
    }
}

#[test]
fn no_order_of_commands_and_messages_breaks_a_promise() {
    let depth = std::env::var("ACQUAINT_SEARCH_DEPTH");
    demand_nothing_is_found(
        depth.map_or(DEPTH, |depth| depth.parse().unwrap()),
        Detail::Merged,
    );
}

#[test]
fn old_news_makes_no_difference() {
    demand_nothing_is_found(EXACT_DEPTH, Detail::Exact);
}

/// What the search finds without a rule: rather what members notice, and with as few commands as possible.
fn broken_without(rules: &dyn Rules) -> Found {
    let searches = [
        (EXACT_DEPTH, Detail::Exact, Watched::Members),
        (EXACT_DEPTH, Detail::Exact, Watched::Everything),
        (DEPTH, Detail::Merged, Watched::Members),
    ];
    let mut found = searches
        .into_iter()
        .map(|(depth, detail, watched)| search(rules, depth, detail, watched));
    let violation = found.find(|found| matches!(found, Found::Violation { .. }));
    violation.unwrap_or(Found::Nothing { worlds: Vec::new() })
}

#[test]
fn without_any_one_rule_a_promise_is_broken() {
    let mut missed = Vec::new();
    for without in Without::ALL {
        let Found::Violation {
            promise,
            commands,
            trace,
        } = broken_without(&without)
        else {
            missed.push(without);
            continue;
        };
        let steps = trace.len();
        println!(
            "without {without:?} \"{promise}\" is broken after {commands} commands, {steps} steps:"
        );
        for (number, step) in trace.iter().enumerate() {
            println!("  {}. {step}", number + 1);
        }
    }
    assert_eq!(missed, [], "taken out, and no promise is broken");
}
