//! Who calls, and what they may.
//!
//! A caller shows a bearer token; a file names the tokens' hashes with the roles that go with them ([`TokenSet`]). What a method
//! needs stands in one table of each service ([`Method`]), and a method that stands in none is not served. [`crate::server`] asks
//! both before it reads a request. Deliberately absent: members. Which member a call acts for stands in the request, and a caller
//! with the role may act for any.

mod bearer;
mod callers;
mod followed;
mod tokens;

use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tonic::{Code, Request, Status};

pub use bearer::{Bearer, TokenFile};
pub use callers::Callers;
pub use followed::FileError;
pub use tokens::{NewToken, TokenSet, new_password, new_token};

use crate::status::Refused;

/// What a caller may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Acts for any member: the network's own backend.
    App,
    /// Looks after the service: standing, plans, imports.
    Operator,
    /// Keeps members and follows everybody's events.
    Service,
    /// Is the other service of the pair.
    Peer,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 4] = [Self::App, Self::Operator, Self::Service, Self::Peer];

    /// As it stands in the tokens file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Operator => "operator",
            Self::Service => "service",
            Self::Peer => "peer",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Which callers a method is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, also without credentials.
    Open,
    /// Whoever has credentials.
    AnyCaller,
    /// Callers with this role.
    Role(Role),
    /// A watch of one member or of all: which role each scope needs. The method itself asks [`Caller::may_watch_member`] or
    /// [`Caller::may_watch_all`], for the scope stands in the request.
    Scope {
        /// To watch one member.
        member: Role,
        /// To watch all members.
        all_members: Role,
    },
}

/// How the messages of a method go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One message, one answer, within the caller's deadline.
    Call,
    /// One message, then answers for as long as both sides like.
    Watch,
    /// Messages for as long as the caller has any, then one answer. The method itself bounds how many are open and how long it waits.
    Upload,
    /// Messages and answers as they come. Meant for tools; few are open at a time, and none for long.
    Stream,
}

/// A method, and whom it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method {
    /// Its full path, such as `/grpc.health.v1.Health/Check`.
    pub path: &'static str,
    /// Whom it is for.
    pub access: Access,
    /// How its messages go.
    pub kind: Kind,
}

impl Method {
    /// A method with one answer.
    pub const fn call(path: &'static str, access: Access) -> Self {
        let kind = Kind::Call;
        Self { path, access, kind }
    }

    /// A method that is sent messages one after another.
    pub const fn upload(path: &'static str, access: Access) -> Self {
        let kind = Kind::Upload;
        Self { path, access, kind }
    }

    /// A method that goes on answering.
    pub const fn watch(path: &'static str, access: Access) -> Self {
        let kind = Kind::Watch;
        Self { path, access, kind }
    }
}

/// Who calls; travels in the extensions of a request.
#[derive(Clone, Debug)]
pub struct Caller {
    identity: Arc<Identity>,
    /// Of the method that is called.
    access: Access,
}

/// Whom credentials stand for.
#[derive(Debug)]
struct Identity {
    name: Arc<str>,
    roles: Box<[Role]>,
    /// Cancelled when the credentials are not good any more for all that they were good for.
    revoked: CancellationToken,
}

impl Caller {
    /// The caller's name in the tokens file; `local` where none is asked for.
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// The same, to be kept.
    pub fn shared_name(&self) -> Arc<str> {
        self.identity.name.clone()
    }

    /// Whether the caller has this role.
    pub fn has(&self, role: Role) -> bool {
        self.identity.roles.contains(&role)
    }

    /// Cancelled when the caller's credentials are revoked: taken out of the file, or given another name or less roles.
    pub(crate) fn revoked(&self) -> CancellationToken {
        self.identity.revoked.clone()
    }

    /// The caller of `request`. One that came past [`crate::server`] has none and is refused: `PERMISSION_DENIED`, `NOT_ALLOWED`.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Status> {
        let caller = request.extensions().get().cloned();
        caller.ok_or_else(not_allowed)
    }

    /// Whether the caller may watch one member; `PERMISSION_DENIED`, `NOT_ALLOWED` when not.
    pub fn may_watch_member(&self) -> Result<(), Status> {
        self.may_watch(|access| match access {
            Access::Scope { member, .. } => Some(member),
            _ => None,
        })
    }

    /// Whether the caller may watch all members; `PERMISSION_DENIED`, `NOT_ALLOWED` when not.
    pub fn may_watch_all(&self) -> Result<(), Status> {
        self.may_watch(|access| match access {
            Access::Scope { all_members, .. } => Some(all_members),
            _ => None,
        })
    }

    fn may_watch(&self, needs: impl Fn(Access) -> Option<Role>) -> Result<(), Status> {
        let role = needs(self.access);
        if role.is_some_and(|role| self.has(role)) {
            Ok(())
        } else {
            Err(not_allowed())
        }
    }

    fn may_call(&self) -> bool {
        match self.access {
            Access::Open | Access::AnyCaller => true,
            Access::Role(role) => self.has(role),
            Access::Scope {
                member,
                all_members,
            } => self.has(member) || self.has(all_members),
        }
    }
}

/// `UNAUTHENTICATED`, reason `UNAUTHENTICATED`. Does not say what is wrong with the credentials.
pub(crate) fn unauthenticated() -> Status {
    let text = "no valid credentials; send `authorization: Bearer TOKEN`";
    Refused::new(Code::Unauthenticated, "UNAUTHENTICATED", text).into()
}

/// `PERMISSION_DENIED`, reason `NOT_ALLOWED`.
fn not_allowed() -> Status {
    let text = "the caller does not have the role that this needs";
    Refused::new(Code::PermissionDenied, "NOT_ALLOWED", text).into()
}

#[cfg(test)]
mod tests;
