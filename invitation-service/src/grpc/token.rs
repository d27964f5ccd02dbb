//! Page and resume tokens: what they carry, and what they are bound to.
//!
//! A token fits the query it was made for and no other. Deliberately absent: how they are sealed (`service_kit::page_token`).

use std::sync::Arc;

use service_kit::{epoch::EpochId, id::MemberId, page_token::TokenSealer};
use uuid::Uuid;

use crate::{
    store::{ListOrder, ListQuery, Store, feed::Reached},
    usecase::{Failure, watch_invitations::Scope},
};

/// The longest member id, to which shorter ones are filled up, so that nothing can be read off a token's length.
const ID_BYTES: usize = service_kit::id::MEMBER_ID_CHARS_MAX;

/// Makes and reads tokens.
pub(super) struct Tokens {
    pages: TokenSealer,
    watches: TokenSealer,
    /// Knows the history in force, which where several processes share a store may become another while this one runs.
    store: Arc<dyn Store>,
}

impl Tokens {
    pub(super) fn new(store: Arc<dyn Store>) -> Self {
        Self {
            pages: TokenSealer::new(store.secret(), "page token"),
            watches: TokenSealer::new(store.secret(), "resume token"),
            store,
        }
    }

    /// For the page after an invitation.
    pub(super) fn list_page(&self, query: &ListQuery, last: &Uuid) -> String {
        let bound = list_binding(query);
        self.pages.seal(&parts(&bound), last.as_bytes())
    }

    /// The invitation that a page begins after; `None` for the first page.
    pub(super) fn read_list_page(
        &self,
        query: &ListQuery,
        token: &str,
    ) -> Result<Option<Uuid>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let bound = list_binding(query);
        let payload = self.pages.open(&parts(&bound), token);
        let payload = payload.map_err(|_| Failure::InvalidToken)?;
        Uuid::from_slice(&payload)
            .map(Some)
            .map_err(|_| Failure::InvalidToken)
    }

    /// For the page of a member's bars after one of them.
    pub(super) fn bars_page(&self, member: &MemberId, last: &MemberId) -> String {
        let mut payload = last.as_str().as_bytes().to_vec();
        payload.resize(ID_BYTES, 0);
        self.pages.seal(&bars_binding(member), &payload)
    }

    /// The inviter that a page begins after; `None` for the first page.
    pub(super) fn read_bars_page(
        &self,
        member: &MemberId,
        token: &str,
    ) -> Result<Option<MemberId>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.pages.open(&bars_binding(member), token);
        let payload = payload.map_err(|_| Failure::InvalidToken)?;
        let text = std::str::from_utf8(&payload).map_err(|_| Failure::InvalidToken)?;
        MemberId::parse(text.trim_end_matches('\0'))
            .map(Some)
            .map_err(|_| Failure::InvalidToken)
    }

    /// For the page of operators' acts before one of this number.
    pub(super) fn acts_page(&self, member: Option<&MemberId>, last: u64) -> String {
        self.pages.seal(&acts_binding(member), &last.to_be_bytes())
    }

    /// The number that a page begins before; `None` for the first page.
    pub(super) fn read_acts_page(
        &self,
        member: Option<&MemberId>,
        token: &str,
    ) -> Result<Option<u64>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.pages.open(&acts_binding(member), token);
        let payload = payload.map_err(|_| Failure::InvalidToken)?;
        let number = payload.as_slice().try_into().map(u64::from_be_bytes);
        number.map(Some).map_err(|_| Failure::InvalidToken)
    }

    /// For resuming a watch where it had come to.
    pub(super) fn resume(&self, scope: &Scope, reached: Reached) -> String {
        let mut payload = self.store.epoch().as_bytes().to_vec();
        for position in [reached.from, reached.shown, reached.through] {
            payload.extend(position.to_be_bytes());
        }
        self.watches.seal(&watch_binding(scope), &payload)
    }

    /// Where a watch resumes; `None` for one that starts now.
    pub(super) fn read_resume(
        &self,
        scope: &Scope,
        token: &str,
    ) -> Result<Option<(EpochId, Reached)>, Failure> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.watches.open(&watch_binding(scope), token);
        let payload = payload.map_err(|_| Failure::InvalidToken)?;
        let place = || {
            let (epoch, positions) = payload.split_first_chunk::<16>()?;
            let mut positions = positions
                .chunks_exact(8)
                .map(|bytes| bytes.try_into().ok().map(u64::from_be_bytes));
            let reached = Reached {
                from: positions.next()??,
                shown: positions.next()??,
                through: positions.next()??,
            };
            Some((EpochId::from_bytes(*epoch), reached))
        };
        place().map(Some).ok_or(Failure::InvalidToken)
    }
}

/// Everything of a query but the page.
fn list_binding(query: &ListQuery) -> Vec<Vec<u8>> {
    let order = match query.order {
        ListOrder::Newest => 0,
        ListOrder::Oldest => 1,
    };
    let sent_before = query
        .sent_before
        .map_or_else(Vec::new, |time| time.millis().to_be_bytes().to_vec());
    vec![
        b"ListInvitations".to_vec(),
        query.member.as_str().as_bytes().to_vec(),
        vec![
            query.list as u8,
            order,
            u8::from(query.include_recently_withdrawn),
        ],
        sent_before,
    ]
}

fn parts(bound: &[Vec<u8>]) -> Vec<&[u8]> {
    bound.iter().map(Vec::as_slice).collect()
}

fn bars_binding(member: &MemberId) -> [&[u8]; 2] {
    [b"ListBarredInviters", member.as_str().as_bytes()]
}

fn acts_binding(member: Option<&MemberId>) -> Vec<&[u8]> {
    let member = member.map(|member| member.as_str().as_bytes());
    std::iter::once(&b"ListStandingActions"[..])
        .chain(member)
        .collect()
}

fn watch_binding(scope: &Scope) -> Vec<&[u8]> {
    match scope {
        Scope::Member(member) => vec![b"WatchInvitations", member.as_str().as_bytes()],
        Scope::AllMembers => vec![b"WatchInvitations"],
    }
}
