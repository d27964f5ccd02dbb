//! Those who may call: everybody on this machine, or the callers of a tokens file.

use std::path::Path;
use std::sync::Arc;

use http::{HeaderMap, header::AUTHORIZATION};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::followed::{FileError, Followed};
use super::{Access, Caller, Identity, Method, Role, TokenSet, not_allowed, unauthenticated};

/// The name of whoever shows nothing.
const ANYBODY: &str = "local";

/// Those who may call. Clones are the same.
#[derive(Clone, Debug)]
pub struct Callers {
    source: Source,
    /// Whoever shows nothing, where that is enough.
    anybody: Arc<Identity>,
}

#[derive(Clone, Debug)]
enum Source {
    Anybody,
    File(Followed<TokenSet>),
}

impl Callers {
    /// Everybody may do everything. Only for an address that other machines cannot reach.
    pub fn anybody() -> Self {
        Self {
            source: Source::Anybody,
            anybody: anybody(&Role::ALL),
        }
    }

    /// The callers of a tokens file; without a file [`Callers::anybody`].
    pub fn load(tokens_file: Option<&Path>) -> Result<Self, FileError> {
        let Some(path) = tokens_file else {
            return Ok(Self::anybody());
        };
        let file = Followed::open(path, TokenSet::parse, TokenSet::replaced_by)?;
        Ok(Self {
            source: Source::File(file),
            anybody: anybody(&[]),
        })
    }

    /// Whether callers must show credentials.
    pub fn are_known(&self) -> bool {
        matches!(self.source, Source::File(_))
    }

    /// Looks for changes of the file every second, for ever.
    pub async fn follow(self) {
        match self.source {
            Source::Anybody => std::future::pending().await,
            Source::File(file) => file.follow().await,
        }
    }

    /// Who calls `method` with these headers. `UNAUTHENTICATED` without valid credentials, `PERMISSION_DENIED` without the role. A
    /// method that nothing is known of (`None`) is for whoever has credentials: it is answered that there is no such method.
    pub(crate) fn admit(
        &self,
        method: Option<&Method>,
        headers: &HeaderMap,
    ) -> Result<Caller, Status> {
        let access = method.map_or(Access::AnyCaller, |method| method.access);
        let shown = match &self.source {
            Source::Anybody => Some(self.anybody.clone()),
            Source::File(_) if access == Access::Open => Some(self.anybody.clone()),
            Source::File(file) => token(headers).and_then(|token| file.get().find(token)),
        };
        let identity = shown.ok_or_else(unauthenticated)?;
        let caller = Caller { identity, access };
        if caller.may_call() {
            Ok(caller)
        } else {
            Err(not_allowed())
        }
    }
}

fn anybody(roles: &[Role]) -> Arc<Identity> {
    Arc::new(Identity {
        name: ANYBODY.into(),
        roles: roles.into(),
        revoked: CancellationToken::new(),
    })
}

/// The token of the one `authorization` header.
fn token(headers: &HeaderMap) -> Option<&[u8]> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = value.as_bytes().split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
}
