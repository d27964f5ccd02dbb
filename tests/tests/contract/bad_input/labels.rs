//! Malformed requests about labels, private notes, and the removal of many connections.

use acquaint_proto::connection::v1::{
    BatchRemoveConnectionsRequest, ConnectionFilter, DeleteLabelRequest, ListConnectionsRequest,
    ListLabelsRequest, OtherIds, RenameLabelRequest, UpdateConnectionRequest,
    batch_remove_connections_request::Selection,
};
use prost_types::{FieldMask, Timestamp};

use super::{lists::ids, table::Table};

/// Texts that are no label.
fn no_labels() -> Vec<String> {
    let texts = [
        "",
        " ",
        "\n",
        "a\nb",
        "a\tb",
        "a\u{0}b",
        "a\u{202e}b",
        "\u{200f}a",
    ];
    let mut texts: Vec<_> = texts.map(str::to_owned).into();
    texts.push("x".repeat(51));
    texts.push("\u{1f600}".repeat(51));
    texts.push("x".repeat(100_000));
    texts
}

pub(super) fn add(table: &mut Table) {
    updates(table);
    names(table);
    lists(table);
    removals(table);
}

fn update(paths: &[&str], labels: &[&str], note: &str) -> UpdateConnectionRequest {
    UpdateConnectionRequest {
        member_id: "ann".to_owned(),
        other_id: "hal".to_owned(),
        labels: labels.iter().map(ToString::to_string).collect(),
        private_note: note.to_owned(),
        update_mask: Some(FieldMask {
            paths: paths.iter().map(ToString::to_string).collect(),
        }),
    }
}

fn updates(table: &mut Table) {
    const METHOD: &str = "UpdateConnection";
    let both = &["labels", "private_note"];
    table.ids(METHOD, "member_id", |member_id| UpdateConnectionRequest {
        member_id,
        ..update(both, &["l"], "n")
    });
    table.ids(METHOD, "other_id", |other_id| UpdateConnectionRequest {
        other_id,
        ..update(both, &["l"], "n")
    });
    for text in no_labels() {
        let labels = update(&["labels"], &["l", &text, "m"], "n");
        table.fields(METHOD, &labels, &["labels[1]"]);
    }
    for note in ["a\tb", "a\u{85}b", "a\u{2066}b", &"x".repeat(2_001)] {
        table.fields(METHOD, &update(both, &["l"], note), &["private_note"]);
        table.fields(METHOD, &update(&["*"], &["l"], note), &["private_note"]);
    }
    let many = vec!["l"; 1_001];
    table.fields(METHOD, &update(both, &many, "n"), &["labels"]);
    let without = UpdateConnectionRequest {
        update_mask: None,
        ..update(both, &["l"], "n")
    };
    table.fields(METHOD, &without, &["update_mask"]);
    table.fields(METHOD, &update(&[], &["l"], "n"), &["update_mask"]);
    for path in [
        "",
        "label",
        "Labels",
        "labels[0]",
        "other_id",
        "connection.labels",
    ] {
        let request = update(&["labels", path], &["l"], "n");
        table.fields(METHOD, &request, &["update_mask.paths[1]"]);
    }
    // What is not to be changed is not looked at.
    let everything = UpdateConnectionRequest {
        member_id: String::new(),
        other_id: "?".to_owned(),
        ..update(&["x", "labels", "private_note"], &["", "l", "\n"], "a\tb")
    };
    let named = [
        "member_id",
        "other_id",
        "update_mask.paths[0]",
        "labels[0]",
        "labels[2]",
        "private_note",
    ];
    table.fields(METHOD, &everything, &named);
    table.fields(
        METHOD,
        &update(&["x"], &[""], "a\tb"),
        &["update_mask.paths[0]"],
    );
    let oneself = UpdateConnectionRequest {
        other_id: "ann".to_owned(),
        ..update(both, &["l"], "n")
    };
    table.oneself(METHOD, &oneself);
}

fn names(table: &mut Table) {
    table.ids("ListLabels", "member_id", |member_id| ListLabelsRequest {
        member_id,
    });
    let rename = |member_id: &str, label: &str, new_label: &str| RenameLabelRequest {
        member_id: member_id.to_owned(),
        label: label.to_owned(),
        new_label: new_label.to_owned(),
    };
    let delete = |member_id: &str, label: &str| DeleteLabelRequest {
        member_id: member_id.to_owned(),
        label: label.to_owned(),
    };
    table.ids("RenameLabel", "member_id", |id| rename(&id, "l", "m"));
    table.ids("DeleteLabel", "member_id", |id| delete(&id, "l"));
    for text in no_labels() {
        table.fields("RenameLabel", &rename("ann", &text, "m"), &["label"]);
        table.fields("RenameLabel", &rename("ann", "l", &text), &["new_label"]);
        table.fields("DeleteLabel", &delete("ann", &text), &["label"]);
    }
    let all = ["member_id", "label", "new_label"];
    table.fields("RenameLabel", &rename("", "", ""), &all);
    table.fields("DeleteLabel", &delete("", ""), &all[..2]);
}

fn lists(table: &mut Table) {
    let list = |label: String| ListConnectionsRequest {
        member_id: "ann".to_owned(),
        label,
        ..Default::default()
    };
    // An empty one means all.
    for text in no_labels().into_iter().filter(|text| !text.is_empty()) {
        table.fields("ListConnections", &list(text), &["label"]);
    }
}

fn removals(table: &mut Table) {
    const METHOD: &str = "BatchRemoveConnections";
    let request = |member_id: &str, selection| BatchRemoveConnectionsRequest {
        member_id: member_id.to_owned(),
        selection,
        dry_run: false,
    };
    let named = |other_ids| Some(Selection::OtherIds(OtherIds { other_ids }));
    let filtered = |filter| request("ann", Some(Selection::Filter(filter)));
    table.ids(METHOD, "member_id", |id| {
        request(&id, named(ids(1, 0, "hal")))
    });
    table.ids(METHOD, "other_ids.other_ids[3]", |id| {
        request("ann", named(ids(5, 3, &id)))
    });
    for count in [0, 101, 5_000] {
        let too_many = request("ann", named(ids(count, 0, "hal")));
        table.fields(METHOD, &too_many, &["other_ids.other_ids"]);
    }
    table.fields(METHOD, &request("ann", None), &["selection"]);
    table.fields(METHOD, &request("", None), &["member_id", "selection"]);
    table.fields(METHOD, &filtered(ConnectionFilter::default()), &["filter"]);
    for text in no_labels().into_iter().filter(|text| !text.is_empty()) {
        let filter = ConnectionFilter {
            label: text,
            ..Default::default()
        };
        table.fields(METHOD, &filtered(filter), &["filter.label"]);
    }
    for query in ["a\tb", "a\nb", "a\u{202e}b", &"x".repeat(101)] {
        let filter = ConnectionFilter {
            query: query.to_owned(),
            ..Default::default()
        };
        table.fields(METHOD, &filtered(filter), &["filter.query"]);
    }
    // What is blank says nothing.
    let blank = ConnectionFilter {
        query: " \n".to_owned(),
        ..Default::default()
    };
    table.fields(METHOD, &filtered(blank), &["filter"]);
    table.times(METHOD, "filter.connected_after", |connected_after| {
        filtered(ConnectionFilter {
            connected_after,
            ..Default::default()
        })
    });
    table.times(METHOD, "filter.connected_before", |connected_before| {
        filtered(ConnectionFilter {
            connected_before,
            ..Default::default()
        })
    });
    for filter in [
        ConnectionFilter {
            label: "l".to_owned(),
            ..Default::default()
        },
        ConnectionFilter {
            connected_before: Some(Timestamp::default()),
            ..Default::default()
        },
    ] {
        let and_all = ConnectionFilter {
            all_connections: true,
            ..filter
        };
        table.fields(METHOD, &filtered(and_all), &["filter.all_connections"]);
    }
}
