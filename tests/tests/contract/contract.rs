//! The contracts themselves: the descriptor that both services were compiled from, and the folder it came from.

use std::{path::PathBuf, sync::LazyLock};

use prost::Message as _;
use prost_types::{DescriptorProto, FileDescriptorSet};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Everything that both services were compiled from.
pub(crate) fn descriptor() -> FileDescriptorSet {
    FileDescriptorSet::decode(acquaint_proto::FILE_DESCRIPTOR_SET).unwrap()
}

/// The full paths of all methods.
pub(crate) static PATHS: LazyLock<Vec<String>> = LazyLock::new(paths);

fn paths() -> Vec<String> {
    let mut paths = Vec::new();
    for file in descriptor().file {
        for service in &file.service {
            for method in &service.method {
                let (package, service) = (file.package(), service.name());
                paths.push(format!("/{package}.{service}/{}", method.name()));
            }
        }
    }
    paths
}

/// The full path of the one method that has this name, or that ends with it at a dot or slash where a name alone is ambiguous.
pub(crate) fn path(method: &str) -> &'static str {
    let mut found = PATHS.iter().filter(|path| {
        let before = path.strip_suffix(method);
        before.is_some_and(|before| before.ends_with(['/', '.']))
    });
    let path = found.next().unwrap_or_else(|| panic!("no method {method}"));
    assert_eq!(found.next(), None, "{method} is ambiguous");
    path
}

/// The message of this full name, such as `.acquaint.invitation.v1.Invitation`; also one within another.
pub(crate) fn message(name: &str) -> DescriptorProto {
    for file in descriptor().file {
        let prefix = format!(".{}.", file.package());
        let Some(mut rest) = name.strip_prefix(&prefix).map(|rest| rest.split('.')) else {
            continue;
        };
        let first = rest.next();
        let mut found = file.message_type.into_iter();
        let mut found = found.find(|message| Some(message.name()) == first);
        for part in rest {
            let within = found.into_iter().flat_map(|message| message.nested_type);
            found = within.into_iter().find(|message| message.name() == part);
        }
        if let Some(found) = found {
            return found;
        }
    }
    panic!("no message {name}");
}
