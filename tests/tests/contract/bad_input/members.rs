//! Malformed cards, and malformed questions about lists by them.

use acquaint_proto::connection::v1::{
    BatchPutMembersRequest, GetMemberRequest, ListConnectionsRequest, MemberCard, PutMemberRequest,
};

use super::table::Table;

/// Texts that are refused in a line of at most 100 characters.
const NO_LINES: [&str; 6] = [
    "a\nb",
    "a\tb",
    "a\u{0}b",
    "a\u{85}b",
    "\u{202e}ann",
    "ann\u{2066}",
];

pub(super) fn add(table: &mut Table) {
    one(table);
    many(table);
    table.ids("GetMember", "member_id", |member_id| GetMemberRequest {
        member_id,
    });
    lists(table);
}

fn ann() -> MemberCard {
    MemberCard {
        member_id: "ann".to_owned(),
        first_name: "Ann".to_owned(),
        last_name: "Zu".to_owned(),
        headline: "Baker".to_owned(),
    }
}

fn put(card: MemberCard) -> PutMemberRequest {
    PutMemberRequest {
        member_id: card.member_id,
        first_name: card.first_name,
        last_name: card.last_name,
        headline: card.headline,
    }
}

/// Sets a field of a card.
type Set = fn(&mut MemberCard, String);

const TEXTS: [(&str, Set, usize); 3] = [
    ("first_name", |card, text| card.first_name = text, 100),
    ("last_name", |card, text| card.last_name = text, 100),
    ("headline", |card, text| card.headline = text, 220),
];

fn one(table: &mut Table) {
    const METHOD: &str = "PutMember";
    table.ids(METHOD, "member_id", |member_id| {
        put(MemberCard { member_id, ..ann() })
    });
    for (field, set, chars_max) in TEXTS {
        let too_long = ["\u{1f600}".repeat(chars_max + 1), "x".repeat(100_000)];
        let texts = NO_LINES.map(str::to_owned).into_iter().chain(too_long);
        for text in texts {
            let mut card = ann();
            set(&mut card, text);
            table.fields(METHOD, &put(card), &[field]);
        }
    }
    let nothing_right = MemberCard {
        member_id: "?".to_owned(),
        first_name: "\n1\n1".to_owned(),
        last_name: "\t1\t1".to_owned(),
        headline: "x".repeat(221),
    };
    let fields = ["member_id", "first_name", "last_name", "headline"];
    table.fields(METHOD, &put(nothing_right), &fields);
}

fn many(table: &mut Table) {
    const METHOD: &str = "BatchPutMembers";
    let request = |members| BatchPutMembersRequest { members };
    for count in [0, 501] {
        table.fields(METHOD, &request(vec![ann(); count]), &["members"]);
    }
    let mut members = vec![ann(); 500];
    members[3] = MemberCard {
        member_id: String::new(),
        headline: "a\nb".to_owned(),
        ..ann()
    };
    members[499].first_name = "x".repeat(101);
    let fields = [
        "members[3].member_id",
        "members[3].headline",
        "members[499].first_name",
    ];
    table.fields(METHOD, &request(members), &fields);
}

fn lists(table: &mut Table) {
    const METHOD: &str = "ListConnections";
    let of_ann = || ListConnectionsRequest {
        member_id: "ann".to_owned(),
        ..Default::default()
    };
    for order in [-1, 4, i32::MAX] {
        let request = ListConnectionsRequest { order, ..of_ann() };
        table.fields(METHOD, &request, &["order"]);
    }
    let too_long = ["x".repeat(101), "x".repeat(100_000)];
    let texts = NO_LINES.map(str::to_owned).into_iter().chain(too_long);
    for query in texts {
        let request = ListConnectionsRequest { query, ..of_ann() };
        table.fields(METHOD, &request, &["query"]);
    }
    table.times(METHOD, "connected_after", |time| ListConnectionsRequest {
        connected_after: time,
        ..of_ann()
    });
    table.times(METHOD, "connected_before", |time| ListConnectionsRequest {
        connected_before: time,
        ..of_ann()
    });
}
