//! `FactService`, the internal contract, on the wire.
//!
//! Deliberately absent: what the methods do (see `usecase`).

use std::pin::Pin;

use acquaint_proto::connection::internal::v1::fact_service_server::FactService;
use acquaint_proto::connection::internal::v1::{
    AcknowledgeFactsRequest, AcknowledgeFactsResponse, BatchGetPairFactsRequest,
    BatchGetPairFactsResponse, EnsureConnectionRequest, EnsureConnectionResponse, Fact,
    ListFactsRequest, ListFactsResponse, MemberPair, Verdict as VerdictField, WatchFactsRequest,
    WatchFactsResponse, fact,
};
use futures::{Stream, StreamExt as _};
use service_kit::deadline::within;
use service_kit::fields::{self, Pages};
use service_kit::id::{MemberId, PairKey};
use service_kit::status::FieldViolations;
use tonic::{Request, Response, Status};

use super::{COMMON_POSITION_KEY, Edge, convert, status};
use crate::domain::ensure::{Acceptance, Full, Verdict};
use crate::domain::refusal::Refusal;
use crate::usecase::watch_facts::{self, Change, Message};
use crate::usecase::{Failure, acknowledge_facts, ensure_connection, get_pair_facts, list_facts};

/// How many pairs one call may ask about. Of the internal contract, so not configured: invitation-service counts on it.
pub const PAIRS_MAX: usize = 500;
/// The pages of the list of all facts; as with [`PAIRS_MAX`].
pub const PAGES: Pages = Pages {
    default: 500,
    max: 1_000,
};

#[tonic::async_trait]
impl FactService for Edge {
    async fn ensure_connection(
        &self,
        request: Request<EnsureConnectionRequest>,
    ) -> Result<Response<EnsureConnectionResponse>, Status> {
        within(request, |request, _| async move {
            let asked = Asked::read(&request)?;
            let ensured =
                ensure_connection::run(self.context(), asked.key.clone(), asked.acceptance)
                    .await
                    .map_err(|failure| of(&failure))?;
            let (verdict, full, connect_time) = match ensured.verdict {
                Verdict::Created { connect_time } => {
                    (VerdictField::Created, None, Some(connect_time))
                }
                Verdict::Already { connect_time } => {
                    (VerdictField::Already, None, Some(connect_time))
                }
                Verdict::Refused(Full::Acceptor) => {
                    (VerdictField::Refused, Some(&asked.acceptor), None)
                }
                Verdict::Refused(Full::Inviter) => {
                    (VerdictField::Refused, Some(&asked.inviter), None)
                }
                Verdict::Removed => (VerdictField::Removed, None, None),
                Verdict::Blocked => (VerdictField::Blocked, None, None),
                Verdict::Erased => (VerdictField::Erased, None, None),
                Verdict::Superseded => (VerdictField::Superseded, None, None),
            };
            Ok(EnsureConnectionResponse {
                verdict: verdict.into(),
                full_member_id: full.map(ToString::to_string).unwrap_or_default(),
                connect_time: connect_time.map(fields::timestamp),
                facts: Some(convert::to_facts(&asked.key, &ensured.facts)),
                position: Some(convert::to_position(
                    self.tokens().incarnation(),
                    ensured.position,
                )),
            })
        })
        .await
    }

    async fn batch_get_pair_facts(
        &self,
        request: Request<BatchGetPairFactsRequest>,
    ) -> Result<Response<BatchGetPairFactsResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let Some(keys) = pairs(&mut fields, &request.pairs) else {
                return Err(fields::invalid(fields));
            };
            let found = get_pair_facts::run(self.context(), keys).await;
            let (page, mutual) = found.map_err(|failure| of(&failure))?;
            let facts = page.facts.iter();
            let mutual = mutual.into_iter().map(convert::to_mutual);
            Ok(BatchGetPairFactsResponse {
                facts: facts
                    .map(|(key, facts)| convert::to_facts(key, facts))
                    .collect(),
                position: Some(convert::to_position(
                    self.tokens().incarnation(),
                    page.position,
                )),
                mutual: mutual.map(i32::from).collect(),
            })
        })
        .await
    }

    type WatchFactsStream = Pin<Box<dyn Stream<Item = Result<WatchFactsResponse, Status>> + Send>>;

    async fn watch_facts(
        &self,
        request: Request<WatchFactsRequest>,
    ) -> Result<Response<Self::WatchFactsStream>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let after = request.after.as_ref();
            let after = after.map(|after| convert::position(&mut fields, "after", after));
            let after = match after {
                None => None,
                Some(Some(after)) => Some(after),
                Some(None) => return Err(fields::invalid(fields)),
            };
            let messages = watch_facts::run(self.context(), after).await;
            let messages = messages.map_err(|failure| of(&failure))?;
            let edge = self.clone();
            let answers = messages.map(move |message| match message {
                Ok(message) => Ok(edge.facts(message)),
                Err(failure) => Err(service_kit::status::logged(of(&failure))),
            });
            Ok(Box::pin(answers) as Self::WatchFactsStream)
        })
        .await
    }

    async fn list_facts(
        &self,
        request: Request<ListFactsRequest>,
    ) -> Result<Response<ListFactsResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let Some(limit) = fields::page_size(&mut fields, request.page_size, PAGES) else {
                return Err(fields::invalid(fields));
            };
            let after = self.tokens().read_facts_page(&request.page_token);
            let after = after.map_err(|refusal| of(&Failure::from(refusal)))?;
            let page = list_facts::run(self.context(), after, limit).await;
            let page = page.map_err(|failure| of(&failure))?;
            let facts = page.facts.iter();
            let next = page.next.as_ref();
            Ok(ListFactsResponse {
                facts: facts
                    .map(|(key, facts)| convert::to_facts(key, facts))
                    .collect(),
                next_page_token: next
                    .map(|key| self.tokens().facts_page(key))
                    .unwrap_or_default(),
                position: Some(convert::to_position(
                    self.tokens().incarnation(),
                    page.position,
                )),
            })
        })
        .await
    }

    async fn acknowledge_facts(
        &self,
        request: Request<AcknowledgeFactsRequest>,
    ) -> Result<Response<AcknowledgeFactsResponse>, Status> {
        within(request, |request, _| async move {
            let mut fields = FieldViolations::new();
            let position = request.position.unwrap_or_default();
            let Some((incarnation, reached)) =
                convert::position(&mut fields, "position", &position)
            else {
                return Err(fields::invalid(fields));
            };
            let done = acknowledge_facts::run(self.context(), incarnation, reached).await;
            done.map_err(|failure| of(&failure))?;
            Ok(AcknowledgeFactsResponse {})
        })
        .await
    }
}

impl Edge {
    fn facts(&self, message: Message) -> WatchFactsResponse {
        let facts = message.facts.into_iter();
        let facts = facts.map(|(position, change)| Fact {
            position,
            change: Some(match change {
                Change::Pair(key, facts) => fact::Change::Pair(convert::to_facts(&key, &facts)),
                Change::Erased(member) => fact::Change::ErasedMemberId(member.to_string()),
            }),
        });
        WatchFactsResponse {
            facts: facts.collect(),
            position: Some(convert::to_position(
                self.tokens().incarnation(),
                message.position,
            )),
        }
    }
}

/// The status of a failure; of another history it says in the metadata up to where both are the same.
fn of(failure: &Failure) -> Status {
    let mut status = status::of(failure);
    if let Failure::Refused(Refusal::OtherIncarnation { common_position }) = failure {
        status
            .metadata_mut()
            .insert(COMMON_POSITION_KEY, (*common_position).into());
    }
    status
}

/// What `EnsureConnection` is asked.
struct Asked {
    key: PairKey,
    acceptance: Acceptance,
    inviter: MemberId,
    acceptor: MemberId,
}

impl Asked {
    fn read(request: &EnsureConnectionRequest) -> Result<Self, Status> {
        let mut fields = FieldViolations::new();
        let invitation = fields::uuid(&mut fields, "invitation_id", &request.invitation_id);
        if request.acceptance == 0 {
            fields.push("acceptance", "must be at least 1");
        }
        let accept_time = fields::time(&mut fields, "accept_time", request.accept_time);
        let inviter = fields::member_id(&mut fields, "inviter_id", &request.inviter_id);
        let acceptor = fields::member_id(&mut fields, "invitee_id", &request.invitee_id);
        let parties = inviter.zip(acceptor).and_then(|(inviter, acceptor)| {
            let key = PairKey::new(&inviter, &acceptor);
            let side = key.as_ref().and_then(|key| key.side_of(&acceptor));
            if side.is_none() {
                fields.push("invitee_id", "must not be the inviter");
            }
            Some((key?, side?, inviter, acceptor))
        });
        let (Some(invitation), 1.., Some(accept_time), Some(parties)) =
            (invitation, request.acceptance, accept_time, parties)
        else {
            return Err(fields::invalid(fields));
        };
        let (key, side, inviter, acceptor) = parties;
        Ok(Self {
            key,
            acceptance: Acceptance {
                invitation,
                number: request.acceptance,
                accept_time,
                acceptor: side,
            },
            inviter,
            acceptor,
        })
    }
}

fn pairs(fields: &mut FieldViolations, pairs: &[MemberPair]) -> Option<Vec<PairKey>> {
    fields::list(fields, "pairs", pairs, PAIRS_MAX, convert::pair_key)
}
