//! `MemberService` on the wire.
//!
//! Deliberately absent: what is exported (see `usecase`).

use std::pin::Pin;

use acquaint_proto::invitation::v1::{
    self as wire, member_record::Record, member_service_server::MemberService,
};
use futures::{Stream, StreamExt as _};
use service_kit::{
    deadline::within,
    fields,
    status::{FieldViolations, logged},
};
use tonic::{Request, Status};

use super::{Answer, Edge, convert, own, reading};
use crate::usecase::export_member::{self, Part};

#[tonic::async_trait]
impl MemberService for Edge {
    type ExportMemberStream =
        Pin<Box<dyn Stream<Item = Result<wire::ExportMemberResponse, Status>> + Send>>;

    async fn export_member(
        &self,
        request: Request<wire::ExportMemberRequest>,
    ) -> Answer<Self::ExportMemberStream> {
        within(request, |request, _| self.export(request)).await
    }
}

impl Edge {
    async fn export(
        &self,
        request: wire::ExportMemberRequest,
    ) -> Result<<Self as MemberService>::ExportMemberStream, Status> {
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let parts = export_member::run(&self.context, member).await;
        let parts = parts.map_err(|failure| self.failed(failure))?;
        let edge = self.clone();
        Ok(Box::pin(parts.map(move |part| match part {
            Ok(part) => Ok(wire::ExportMemberResponse {
                records: to_records(part),
            }),
            Err(failure) => Err(logged(edge.failed(failure))),
        })))
    }
}

fn to_records(part: Part) -> Vec<wire::MemberRecord> {
    let records: Vec<_> = match part {
        Part::Own(preferences, quota) => vec![
            Record::Preferences(own::to_preferences(preferences)),
            Record::Quota(reading::to_own_quota(*quota)),
        ],
        Part::Invitations(views) => {
            let invitations = views.into_iter().map(convert::to_invitation);
            invitations.map(Record::Invitation).collect()
        }
        Part::Bars(bars) => {
            let bars = bars.iter().map(own::to_barred);
            bars.map(Record::BarredInviter).collect()
        }
    };
    let records = records.into_iter().map(Some);
    records
        .map(|record| wire::MemberRecord { record })
        .collect()
}
