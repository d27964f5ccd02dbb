//! Tests of who is let in.

use http::{HeaderMap, HeaderValue};
use tempfile::TempDir;

use super::*;

const SEND: Method = Method::call("/a.B/Send", Access::Role(Role::App));
const WATCH: Method = Method::watch(
    "/a.B/Watch",
    Access::Scope {
        member: Role::App,
        all_members: Role::Service,
    },
);
const HEALTH: Method = Method::call("/a.B/Check", Access::Open);
const LIST: Method = Method::call("/a.B/List", Access::AnyCaller);

struct World {
    _folder: TempDir,
    callers: Callers,
    tokens: Vec<String>,
}

/// A caller for each role, in their order.
fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.toml");
    let new = Role::ALL.map(|role| new_token(role.name(), &[role]).unwrap());
    let text: String = new.iter().map(|new| new.stanza.as_str()).collect();
    std::fs::write(&path, text).unwrap();
    World {
        callers: Callers::load(Some(&path)).unwrap(),
        _folder: folder,
        tokens: new.into_iter().map(|new| new.token).collect(),
    }
}

fn headers(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append("authorization", HeaderValue::from_str(value).unwrap());
    }
    headers
}

fn bearer(token: &str) -> HeaderMap {
    headers(&[&format!("Bearer {token}")])
}

#[test]
fn a_method_is_for_its_role_alone() {
    let World {
        callers, tokens, ..
    } = world();
    assert!(callers.are_known());
    let lets_in = |method: &Method| {
        tokens
            .iter()
            .map(|token| callers.admit(Some(method), &bearer(token)).is_ok())
            .collect::<Vec<_>>()
    };
    assert_eq!(lets_in(&SEND), [true, false, false, false]);
    assert_eq!(lets_in(&WATCH), [true, false, true, false]);
    assert_eq!(lets_in(&HEALTH), [true; 4]);
    assert_eq!(lets_in(&LIST), [true; 4]);
    let refused = callers.admit(Some(&SEND), &bearer(&tokens[1])).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    let app = callers.admit(Some(&SEND), &bearer(&tokens[0])).unwrap();
    assert_eq!((app.name(), app.has(Role::App)), ("app", true));
    assert!(!app.has(Role::Service));
}

#[test]
fn the_scope_of_a_watch_decides() {
    let World {
        callers, tokens, ..
    } = world();
    let admit = |method, n: usize| callers.admit(Some(method), &bearer(&tokens[n])).unwrap();
    let (app, service) = (admit(&WATCH, 0), admit(&WATCH, 2));
    assert!(app.may_watch_member().is_ok() && app.may_watch_all().is_err());
    assert!(service.may_watch_member().is_err() && service.may_watch_all().is_ok());
    let elsewhere = admit(&SEND, 0);
    assert!(elsewhere.may_watch_member().is_err() && elsewhere.may_watch_all().is_err());
}

#[test]
fn whoever_shows_no_token_is_not_let_in() {
    let World {
        callers, tokens, ..
    } = world();
    let good = format!("Bearer {}", tokens[0]);
    for wrong in [
        headers(&[]),
        headers(&[&tokens[0]]),
        headers(&[&good, &good]),
        headers(&["Bearer "]),
        headers(&["Bearer"]),
        headers(&[&format!("{good} ")]),
        headers(&[&format!("Basic {}", tokens[0])]),
    ] {
        for method in [Some(&SEND), Some(&WATCH), Some(&LIST), None] {
            let refused = callers.admit(method, &wrong).unwrap_err();
            assert_eq!(refused.code(), Code::Unauthenticated, "{wrong:?}");
        }
        let open = callers.admit(Some(&HEALTH), &wrong).unwrap();
        assert!(Role::ALL.iter().all(|role| !open.has(*role)));
    }
    let lower = headers(&[&format!("bearer {}", tokens[0])]);
    assert!(callers.admit(Some(&SEND), &lower).is_ok());
    assert!(callers.admit(None, &lower).is_ok());
}

#[test]
fn without_a_file_everybody_may_do_everything() {
    let callers = Callers::load(None).unwrap();
    assert!(!callers.are_known());
    let anybody = callers.admit(Some(&WATCH), &HeaderMap::new()).unwrap();
    assert!(Role::ALL.iter().all(|role| anybody.has(*role)));
    assert!(anybody.may_watch_member().is_ok() && anybody.may_watch_all().is_ok());
}

#[test]
fn a_request_that_came_another_way_has_no_caller() {
    let refused = Caller::of(&Request::new(())).unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
}
