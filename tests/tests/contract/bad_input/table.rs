//! What a line of the table is, and how many lines are made of one field.

use std::fmt;

use prost::Message;
use prost_types::Timestamp;
use tonic::Code;

/// Texts that are no member id: empty, too long, with characters that are not allowed.
pub(super) const NO_MEMBER_IDS: [&str; 9] = [
    "",
    "65-characters-are-one-too-many-65-characters-are-one-too-many-65-",
    "a b",
    " ann",
    "ann\n",
    "a\u{0}b",
    "a/b",
    "ä",
    // The first letter is Cyrillic.
    "аnn",
];

/// Texts that are no UUID.
const NO_UUIDS: [&str; 6] = [
    "",
    "1",
    "0198c0de-0000-7000-8000-00000000000",
    "0198c0de-0000-7000-8000-0000000000000",
    "0198c0de-0000-7000-8000-00000000000g",
    "０198c0de-0000-7000-8000-000000000000",
];

/// A malformed request, and how it is refused.
pub(super) struct Case {
    pub(super) method: &'static str,
    pub(super) request: Vec<u8>,
    pub(super) code: Code,
    pub(super) reason: &'static str,
    pub(super) fields: Vec<String>,
    shown: String,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (method, shown) = (self.method, self.shown.chars().take(400));
        let shown: String = shown.collect();
        let (code, reason, fields) = (self.code, self.reason, &self.fields);
        write!(f, "{method} {shown}: expected {code:?} {reason} {fields:?}")
    }
}

/// Every malformed request.
#[derive(Default)]
pub(super) struct Table {
    pub(super) cases: Vec<Case>,
}

impl Table {
    fn add(
        &mut self,
        method: &'static str,
        request: &(impl Message + fmt::Debug),
        (code, reason): (Code, &'static str),
        fields: &[&str],
    ) {
        self.cases.push(Case {
            method,
            request: request.encode_to_vec(),
            code,
            reason,
            fields: fields.iter().map(ToString::to_string).collect(),
            shown: format!("{request:?}"),
        });
    }

    /// `INVALID_FIELD`, with exactly these fields in this order.
    pub(super) fn fields(
        &mut self,
        method: &'static str,
        request: &(impl Message + fmt::Debug),
        fields: &[&str],
    ) {
        let refusal = (Code::InvalidArgument, "INVALID_FIELD");
        self.add(method, request, refusal, fields);
    }

    /// `INVALID_TOKEN`.
    pub(super) fn token(&mut self, method: &'static str, request: &(impl Message + fmt::Debug)) {
        let refusal = (Code::InvalidArgument, "INVALID_TOKEN");
        self.add(method, request, refusal, &[]);
    }

    /// `SELF_REFERENCE`.
    pub(super) fn oneself(&mut self, method: &'static str, request: &(impl Message + fmt::Debug)) {
        let refusal = (Code::InvalidArgument, "SELF_REFERENCE");
        self.add(method, request, refusal, &[]);
    }

    /// `OTHER_INCARNATION`.
    pub(super) fn other_history(
        &mut self,
        method: &'static str,
        request: &(impl Message + fmt::Debug),
    ) {
        let refusal = (Code::FailedPrecondition, "OTHER_INCARNATION");
        self.add(method, request, refusal, &[]);
    }

    /// Every text that is no member id, in `field`.
    pub(super) fn ids<M: Message + fmt::Debug>(
        &mut self,
        method: &'static str,
        field: &str,
        request: impl Fn(String) -> M,
    ) {
        for id in NO_MEMBER_IDS {
            self.fields(method, &request(id.to_owned()), &[field]);
        }
    }

    /// Every text that is no UUID, in `field`.
    pub(super) fn uuids<M: Message + fmt::Debug>(
        &mut self,
        method: &'static str,
        field: &str,
        request: impl Fn(String) -> M,
    ) {
        for id in NO_UUIDS {
            self.fields(method, &request(id.to_owned()), &[field]);
        }
    }

    /// Every timestamp that shows no time, in `field`.
    pub(super) fn times<M: Message + fmt::Debug>(
        &mut self,
        method: &'static str,
        field: &str,
        request: impl Fn(Option<Timestamp>) -> M,
    ) {
        for (seconds, nanos) in [
            // The ends of the years 1 to 9999.
            (-62_135_596_801, 0),
            (253_402_300_800, 0),
            (i64::MIN, 0),
            (i64::MAX, 0),
            (0, -1),
            (0, 1_000_000_000),
        ] {
            let time = Some(Timestamp { seconds, nanos });
            self.fields(method, &request(time), &[field]);
        }
    }

    /// Every page size that is refused.
    pub(super) fn page_sizes<M: Message + fmt::Debug>(
        &mut self,
        method: &'static str,
        request: impl Fn(i32) -> M,
    ) {
        for size in [-1, i32::MIN] {
            self.fields(method, &request(size), &["page_size"]);
        }
    }

    /// Every token that nobody has issued, and what became of `token` on the way.
    pub(super) fn tokens<M: Message + fmt::Debug>(
        &mut self,
        method: &'static str,
        token: &str,
        request: impl Fn(String) -> M,
    ) {
        let (head, tail) = token.split_at(token.len() - 1);
        let flipped = if tail == "A" { "Q" } else { "A" };
        let other_first = if token.starts_with('A') { "B" } else { "A" };
        for token in [
            "x".to_owned(),
            "====".to_owned(),
            "ä".to_owned(),
            " ".to_owned(),
            "A".repeat(100),
            "A".repeat(1_025),
            head.to_owned(),
            format!("{head}{flipped}"),
            format!("{other_first}{}", &token[1..]),
            format!("{token}A"),
            format!(" {token}"),
            format!("{token}="),
            format!("{token}{token}"),
            token.to_uppercase(),
        ] {
            self.token(method, &request(token));
        }
    }
}
