//! What `error_reason.proto` says of each reason, read from its comments.

use std::collections::BTreeSet;

use prost_types::EnumValueDescriptorProto;
use tonic::Code;

use crate::contract;

/// What is documented with a reason.
#[derive(Debug)]
pub(super) struct Documented {
    /// As `ErrorInfo` has it.
    pub(super) reason: String,
    pub(super) code: Code,
    /// The metadata keys that are always there.
    pub(super) always: BTreeSet<String>,
    /// Those that may be missing.
    pub(super) sometimes: BTreeSet<String>,
    /// The details beside `ErrorInfo`, by their full names.
    pub(super) details: BTreeSet<String>,
}

impl Documented {
    /// All metadata keys.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        self.always.union(&self.sometimes).cloned().collect()
    }
}

/// Every reason but UNSPECIFIED, in the order of the enum; fails when the source and the descriptor disagree.
pub(super) fn read() -> Vec<Documented> {
    let path = contract::root().join("proto/acquaint/error/v1/error_reason.proto");
    let source = std::fs::read_to_string(path).unwrap();
    let (mut comment, mut documented) = (String::new(), Vec::new());
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("//") {
            comment.push_str(text);
        } else if let Some((name, _)) = line.split_once(" = ") {
            if let Some(reason) = name.strip_prefix("ERROR_REASON_") {
                documented.push((reason.to_owned(), std::mem::take(&mut comment)));
            }
        } else {
            comment.clear();
        }
    }
    let named: Vec<_> = documented
        .iter()
        .map(|(reason, _)| reason.clone())
        .collect();
    assert_eq!(named, reasons(), "the source and the descriptor");
    let documented = documented.into_iter();
    let documented = documented.filter(|(reason, _)| reason != "UNSPECIFIED");
    documented
        .map(|(reason, comment)| of(reason, &comment))
        .collect()
}

/// The reasons of the descriptor.
fn reasons() -> Vec<String> {
    let files = contract::descriptor().file.into_iter();
    let mut enums = files.flat_map(|file| file.enum_type);
    let reasons = enums.find(|found| found.name() == "ErrorReason").unwrap();
    let names = reasons.value.iter().map(EnumValueDescriptorProto::name);
    let names = names.map(|name| name.strip_prefix("ERROR_REASON_").unwrap());
    names.map(str::to_owned).collect()
}

fn of(reason: String, comment: &str) -> Documented {
    let (code, rest) = comment.trim().split_once(". ").unwrap();
    let (text, metadata) = rest
        .split_once("Metadata: ")
        .unwrap_or_else(|| panic!("{reason}"));
    let (always, sometimes) = metadata.split_once("unless").unwrap_or((metadata, ""));
    let (always, sometimes) = (quoted(always), quoted(sometimes));
    assert_eq!(
        metadata.starts_with("none."),
        always.is_empty(),
        "{reason}: {metadata}"
    );
    let details = quoted(text).into_iter();
    let details = details.filter(|word| word.starts_with("google.rpc."));
    Documented {
        code: self::code(code),
        always,
        sometimes,
        details: details.collect(),
        reason,
    }
}

/// What stands between backticks.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}

fn code(name: &str) -> Code {
    let code = (0..17).map(Code::from_i32).find(|code| {
        let written = format!("{code:?}");
        written.to_uppercase() == name.replace('_', "")
    });
    code.unwrap_or_else(|| panic!("no code {name}"))
}
