//! Malformed requests: each is refused as the contract says, names every field that is wrong, and changes nothing.

mod batches;
mod connections;
mod facts;
mod invitations;
mod labels;
mod lists;
mod members;
mod standing;
mod table;
mod tokens;
mod world;

use std::collections::BTreeSet;

use acquaint_tests::refusal::Refusal;
use tonic_types::StatusExt as _;

use self::{table::Table, world::World};
use crate::contract;

/// How many malformed requests there must be at least.
const CASES_MIN: usize = 150;

#[tokio::test(flavor = "multi_thread")]
async fn every_malformed_request_is_refused_by_name_and_changes_nothing() {
    let world = World::start().await;
    let mut table = Table::default();
    invitations::add(&mut table);
    lists::add(&mut table);
    standing::add(&mut table);
    batches::add(&mut table);
    connections::add(&mut table);
    members::add(&mut table);
    labels::add(&mut table);
    facts::add(&mut table);
    tokens::add(&mut table, &world.tokens);
    let before = world.stored();
    let mut wrong = Vec::new();
    for case in &table.cases {
        let answer = world.wire.call_with(case.method, &case.request, &[]).await;
        let Some(status) = answer.refusal() else {
            wrong.push(format!("{case}: it succeeds"));
            continue;
        };
        if status.get_details_error_info().is_none() {
            wrong.push(format!("{case}: answered {status:?}"));
            continue;
        }
        let refusal = Refusal::of(&status);
        let (code, reason) = (refusal.code, refusal.reason.as_str());
        if (code, reason) != (case.code, case.reason) || refusal.fields != case.fields {
            let fields = refusal.fields;
            wrong.push(format!("{case}: answered {code:?} {reason} {fields:?}"));
        }
    }
    wrong.extend(what_is_no_message(&world).await);
    let (count, failures) = (table.cases.len(), wrong.len());
    println!("{count} malformed requests, {failures} answered in another way");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (table_before, table_after) in before.iter().zip(world.stored()) {
        assert_eq!(
            *table_before, table_after,
            "a malformed request changed something"
        );
    }
    assert!(count >= CASES_MIN, "only {count} malformed requests");
    let called: BTreeSet<_> = table
        .cases
        .iter()
        .map(|case| contract::path(case.method))
        .collect();
    for path in contract::PATHS.iter() {
        // A malformed row of an import is named in its report.
        let named = path.ends_with("/ImportConnections");
        assert!(
            named || called.contains(path.as_str()),
            "no malformed request to {path}"
        );
    }
    world.pair.stop().await;
}

/// Bytes that are no message of any method, which the edge never sees: refused all the same, without a word of what was sent.
async fn what_is_no_message(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let too_long = vec![b'x'; 2 << 20];
    for path in contract::PATHS.iter() {
        let method = &path[1..];
        for bytes in [
            b"TheSecret".as_slice(),
            b"\x0a\x05a",
            b"\x0a\x02\xff\xff",
            &too_long,
        ] {
            let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(20)]).into_owned();
            match world.wire.call_with(method, bytes, &[]).await.refusal() {
                None => wrong.push(format!("{method} takes {shown:?}")),
                Some(status) if format!("{status:?}").contains("Secret") => {
                    wrong.push(format!("{method} repeats {shown:?}"));
                }
                Some(_) => {}
            }
        }
    }
    wrong
}
