//! Every reason of the contract, provoked by real calls and compared with what is documented beside the enum; and which of two
//! reasons is answered when both apply.

mod batches;
mod documentation;
mod faults;
mod labels;
mod limits;
mod plain;
mod precedence;
mod streams;

use std::collections::{BTreeMap, BTreeSet};

use acquaint_tests::refusal::Refusal;
use prost::Message as _;
use tonic::Status;

use self::documentation::Documented;

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_is_answered_as_it_is_documented() {
    let mut provoked: BTreeMap<String, Vec<Status>> = BTreeMap::new();
    let mut note = |statuses: Vec<Status>| {
        for status in statuses {
            let reason = Refusal::of(&status).reason;
            provoked.entry(reason).or_default().push(status);
        }
    };
    note(plain::callers().await);
    note(plain::requests().await);
    note(plain::states().await);
    note(plain::members_and_time().await);
    note(limits::of_invitations().await);
    note(limits::of_connections().await);
    note(Box::pin(labels::of_labels()).await);
    note(streams::of_invitations().await);
    note(streams::of_other_histories().await);
    note(faults::of_dependencies().await);
    note(faults::of_deadlines().await);
    note(faults::of_stores().await);
    let documented = documentation::read();
    for documented in &documented {
        let statuses = provoked.remove(&documented.reason);
        let statuses = statuses.unwrap_or_else(|| panic!("nothing provokes {documented:?}"));
        check(documented, &statuses);
    }
    assert!(provoked.is_empty(), "not documented: {provoked:?}");
    println!("{} reasons", documented.len());
}

fn check(documented: &Documented, statuses: &[Status]) {
    let mut seen = BTreeSet::new();
    for status in statuses {
        let refusal = Refusal::of(status);
        assert_eq!(refusal.code, documented.code, "{status:?}");
        let keys: BTreeSet<String> = refusal.metadata.into_keys().collect();
        let full = keys == documented.keys();
        let least = keys == documented.always;
        assert!(full || least, "{keys:?} is not as in {documented:?}");
        let details: BTreeSet<String> = details(status).into_iter().collect();
        let mut expected = documented.details.clone();
        if !full {
            // What is said of the keys that may be missing is said of this, too.
            expected.remove("google.rpc.RetryInfo");
        }
        expected.insert("google.rpc.ErrorInfo".to_owned());
        assert_eq!(details, expected, "{documented:?}");
        seen.insert(full);
    }
    let cases = if documented.sometimes.is_empty() {
        1
    } else {
        2
    };
    assert_eq!(
        seen.len(),
        cases,
        "with and without what may be missing: {documented:?}"
    );
}

/// The types of all details, each of which must be there once.
fn details(status: &Status) -> Vec<String> {
    let details = tonic_types::Status::decode(status.details()).unwrap();
    assert_eq!(details.code, i32::from(status.code()));
    assert_eq!(details.message, status.message());
    let details = details.details.into_iter();
    let types: Vec<_> = details
        .map(|detail| detail.type_url.rsplit('/').next().unwrap().to_owned())
        .collect();
    let once: BTreeSet<_> = types.iter().collect();
    assert_eq!(once.len(), types.len(), "{types:?}");
    types
}
