//! Page and resume tokens: what they carry, and what they are bound to.
//!
//! All tokens of one kind and scope have one length, so that nothing can be read off it. Deliberately absent: how they are sealed
//! (see `service_kit::page_token`).

use std::sync::Arc;

use service_kit::epoch::EpochId;
use service_kit::id::{MemberId, PairKey};
use service_kit::page_token::TokenSealer;
use service_kit::time::Time;

use crate::domain::card::SORT_KEY_BYTES_MAX;
use crate::domain::connection_list::{Cursor, ListQuery, Order};
use crate::domain::list_change::Place;
use crate::domain::network::Suggested;
use crate::domain::refusal::Refusal;
use crate::store::{Line, Store};
use crate::usecase::watch_connections::Scope;

const MUTUAL: &str = "ListMutualConnections";
const SUGGEST: &str = "SuggestConnections";

/// The longest member id, to which shorter ones are filled up.
const ID_BYTES: usize = service_kit::id::MEMBER_ID_CHARS_MAX;

/// Makes and reads tokens.
pub(super) struct Tokens {
    pages: TokenSealer,
    watches: TokenSealer,
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

    /// The history that the store writes.
    pub(super) fn incarnation(&self) -> EpochId {
        self.store.epoch()
    }

    /// For the page after `line` of `member`'s list by `method`.
    pub(super) fn list_page(&self, method: &str, member: &MemberId, line: &Line) -> String {
        let mut payload = line.time.millis().to_be_bytes().to_vec();
        payload.extend(filled(&line.other));
        self.pages.seal(&bound(method, Some(member)), &payload)
    }

    /// The line that a page begins after; `None` for the first.
    pub(super) fn read_list_page(
        &self,
        method: &str,
        member: &MemberId,
        token: &str,
    ) -> Result<Option<Line>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.pages.open(&bound(method, Some(member)), token);
        let payload = payload.map_err(|_| Refusal::InvalidToken)?;
        let line = || {
            let (time, other) = payload.split_first_chunk::<8>()?;
            Some(Line {
                time: Time::from_millis(i64::from_be_bytes(*time)),
                other: read_filled(other)?,
            })
        };
        line().map(Some).ok_or(Refusal::InvalidToken)
    }

    /// For the page after a place in a list of `member`'s connections.
    pub(super) fn connections_page(
        &self,
        member: &MemberId,
        query: &ListQuery,
        after: &Cursor,
    ) -> String {
        let payload = match after {
            Cursor::Recent {
                connect_time,
                other,
            } => [connect_time.millis().to_be_bytes().to_vec(), filled(other)].concat(),
            Cursor::Named { key, other } => {
                let mut payload = key.as_bytes().to_vec();
                payload.resize(SORT_KEY_BYTES_MAX, 0);
                payload.extend(filled(other));
                payload
            }
        };
        let bound = bound_to_list(query);
        self.pages.seal(&parts(member, &bound), &payload)
    }

    /// The place that a page begins after; `None` for the first.
    pub(super) fn read_connections_page(
        &self,
        member: &MemberId,
        query: &ListQuery,
        token: &str,
    ) -> Result<Option<Cursor>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let bound = bound_to_list(query);
        let payload = self.pages.open(&parts(member, &bound), token);
        let payload = payload.map_err(|_| Refusal::InvalidToken)?;
        let cursor = || match query.order {
            Order::Recent => {
                let (time, other) = payload.split_first_chunk::<8>()?;
                Some(Cursor::Recent {
                    connect_time: Time::from_millis(i64::from_be_bytes(*time)),
                    other: read_filled(other)?,
                })
            }
            Order::FirstName | Order::LastName => {
                let (key, other) = payload.split_at_checked(SORT_KEY_BYTES_MAX)?;
                let key = std::str::from_utf8(key).ok()?;
                Some(Cursor::Named {
                    key: key.trim_end_matches('\0').to_owned(),
                    other: read_filled(other)?,
                })
            }
        };
        cursor().map(Some).ok_or(Refusal::InvalidToken)
    }

    /// For the page after `last` of the connections that two members have in common.
    pub(super) fn mutual_page(
        &self,
        member: &MemberId,
        other: &MemberId,
        last: &MemberId,
    ) -> String {
        let bound = bound_to_two(MUTUAL, member, other);
        self.pages.seal(&bound, &filled(last))
    }

    /// The member that a page of connections in common begins after; `None` for the first.
    pub(super) fn read_mutual_page(
        &self,
        member: &MemberId,
        other: &MemberId,
        token: &str,
    ) -> Result<Option<MemberId>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.pages.open(&bound_to_two(MUTUAL, member, other), token);
        let payload = payload.map_err(|_| Refusal::InvalidToken)?;
        let last = read_filled(&payload).ok_or(Refusal::InvalidToken)?;
        Ok(Some(last))
    }

    /// For the page after `last` of a member's suggestions.
    pub(super) fn suggestion_page(&self, member: &MemberId, last: &Suggested) -> String {
        let mut payload = last.mutual_count.to_be_bytes().to_vec();
        payload.extend(filled(&last.member));
        self.pages.seal(&bound(SUGGEST, Some(member)), &payload)
    }

    /// The suggestion that a page begins after; `None` for the first.
    pub(super) fn read_suggestion_page(
        &self,
        member: &MemberId,
        token: &str,
    ) -> Result<Option<Suggested>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.pages.open(&bound(SUGGEST, Some(member)), token);
        let payload = payload.map_err(|_| Refusal::InvalidToken)?;
        let last = || {
            let (mutual_count, id) = payload.split_first_chunk::<4>()?;
            Some(Suggested {
                mutual_count: u32::from_be_bytes(*mutual_count),
                member: read_filled(id)?,
            })
        };
        last().map(Some).ok_or(Refusal::InvalidToken)
    }

    /// For the page after `key` of all facts.
    pub(super) fn facts_page(&self, key: &PairKey) -> String {
        let payload = [filled(key.low()), filled(key.high())].concat();
        self.pages.seal(&bound("ListFacts", None), &payload)
    }

    /// The pair that a page of all facts begins after; `None` for the first.
    pub(super) fn read_facts_page(&self, token: &str) -> Result<Option<PairKey>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.pages.open(&bound("ListFacts", None), token);
        let payload = payload.map_err(|_| Refusal::InvalidToken)?;
        let key = || {
            let (low, high) = payload.split_at_checked(ID_BYTES)?;
            PairKey::new(&read_filled(low)?, &read_filled(high)?)
        };
        key().map(Some).ok_or(Refusal::InvalidToken)
    }

    /// For resuming a watch at `place`.
    pub(super) fn resume(&self, scope: &Scope, place: Place) -> String {
        let mut payload = self.incarnation().as_bytes().to_vec();
        for position in [place.from, place.through, place.shown] {
            payload.extend(position.to_be_bytes());
        }
        self.watches.seal(&bound_to_scope(scope), &payload)
    }

    /// Where a watch resumes; `None` for one that starts now.
    pub(super) fn read_resume(
        &self,
        scope: &Scope,
        token: &str,
    ) -> Result<Option<(EpochId, Place)>, Refusal> {
        if token.is_empty() {
            return Ok(None);
        }
        let payload = self.watches.open(&bound_to_scope(scope), token);
        let payload = payload.map_err(|_| Refusal::InvalidToken)?;
        let place = || {
            let (incarnation, rest) = payload.split_first_chunk::<16>()?;
            let (from, rest) = rest.split_first_chunk::<8>()?;
            let (through, rest) = rest.split_first_chunk::<8>()?;
            let place = Place {
                from: u64::from_be_bytes(*from),
                through: u64::from_be_bytes(*through),
                shown: u64::from_be_bytes(rest.try_into().ok()?),
            };
            Some((EpochId::from_bytes(*incarnation), place))
        };
        place().map(Some).ok_or(Refusal::InvalidToken)
    }
}

fn bound<'a>(method: &'a str, member: Option<&'a MemberId>) -> Vec<&'a [u8]> {
    let mut parts = vec![method.as_bytes()];
    parts.extend(member.map(|member| member.as_str().as_bytes()));
    parts
}

/// What a page of connections is bound to beside the member: everything that decides what is in the list and in which order.
fn bound_to_list(query: &ListQuery) -> Vec<Vec<u8>> {
    let ListQuery { order, filter } = query;
    let order = match order {
        Order::Recent => 0,
        Order::FirstName => 1,
        Order::LastName => 2,
    };
    let time = |time: Option<Time>| {
        let bytes = time.map(|time| time.millis().to_be_bytes().to_vec());
        bytes.unwrap_or_default()
    };
    let label = filter.label.as_ref().map(|label| label.as_str().as_bytes());
    let mut bound = vec![
        vec![order],
        time(filter.connected_after),
        time(filter.connected_before),
        // No label is empty.
        label.unwrap_or_default().to_vec(),
    ];
    if let Some(search) = &filter.search {
        // A search without terms is not the same as none.
        bound.push(b"search".to_vec());
        let terms = search.terms().iter();
        bound.extend(terms.map(|term| term.clone().into_bytes()));
    }
    bound
}

fn parts<'a>(member: &'a MemberId, list: &'a [Vec<u8>]) -> Vec<&'a [u8]> {
    let mut parts = bound("ListConnections", Some(member));
    parts.extend(list.iter().map(Vec::as_slice));
    parts
}

fn bound_to_two<'a>(method: &'a str, member: &'a MemberId, other: &'a MemberId) -> Vec<&'a [u8]> {
    let mut parts = bound(method, Some(member));
    parts.push(other.as_str().as_bytes());
    parts
}

fn bound_to_scope(scope: &Scope) -> Vec<&[u8]> {
    match scope {
        Scope::Member(member) => bound("WatchConnections", Some(member)),
        Scope::AllMembers => bound("WatchConnections", None),
    }
}

/// The id filled up with zero bytes, of which it has none.
fn filled(id: &MemberId) -> Vec<u8> {
    let mut bytes = id.as_str().as_bytes().to_vec();
    bytes.resize(ID_BYTES, 0);
    bytes
}

fn read_filled(bytes: &[u8]) -> Option<MemberId> {
    let text = std::str::from_utf8(bytes).ok()?;
    MemberId::parse(text.trim_end_matches('\0')).ok()
}
