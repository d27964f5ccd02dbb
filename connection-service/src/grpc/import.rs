//! `ImportConnections` on the wire: rows to values, one by one, and the report.
//!
//! A row that is malformed is refused and named in the report; it does not end the import. Deliberately absent: what becomes of the others
//! (see `usecase`).

use acquaint_proto::connection::v1::{
    ImportConnectionsRequest, ImportConnectionsResponse, ImportRefusalReason, ImportRefusals,
    ImportedConnection,
};
use futures::stream;
use service_kit::fields;
use service_kit::id::{MemberId, PairKey};
use service_kit::status::{FieldViolations, deadline_exceeded};
use tokio::time::timeout;
use tonic::{Status, Streaming};

use super::{Edge, status};
use crate::domain::import::{Reason, Report};
use crate::store::Imported;
use crate::usecase::Failure;
use crate::usecase::import_connections::{self, Row};

/// Why an import ends early.
enum Ended {
    /// Its stream broke off.
    Stream(Status),
    /// It could not be done.
    Failed(Failure),
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Edge {
    /// Imports all rows of a stream.
    pub(super) async fn import(
        &self,
        messages: Streaming<ImportConnectionsRequest>,
    ) -> Result<ImportConnectionsResponse, Status> {
        let wait_max = self.context().import_wait_max();
        let rows = stream::try_unfold(messages, |mut messages| async move {
            let message = timeout(wait_max, messages.message()).await;
            let message = message.unwrap_or_else(|_| Err(deadline_exceeded()));
            let message = message.map_err(Ended::Stream)?;
            Ok(message.map(|message| (read(&message), messages)))
        });
        match import_connections::run(self.context(), rows).await {
            Ok(report) => Ok(answer(&report)),
            Err(Ended::Stream(status)) => Err(status),
            Err(Ended::Failed(failure)) => Err(status::of(&failure)),
        }
    }
}

fn read(message: &ImportConnectionsRequest) -> Vec<Row> {
    message.connections.iter().map(row).collect()
}

fn row(row: &ImportedConnection) -> Row {
    let id = |text| MemberId::parse(text).map_err(|_| Reason::MalformedId);
    let (member, other) = (id(&row.member_id)?, id(&row.other_id)?);
    // What is wrong is told by the reason alone.
    let time = fields::time(
        &mut FieldViolations::new(),
        "connect_time",
        row.connect_time,
    );
    let connect_time = time.ok_or(Reason::MalformedTime)?;
    let key = PairKey::new(&member, &other).ok_or(Reason::SelfReference)?;
    Ok(Imported { key, connect_time })
}

fn answer(report: &Report) -> ImportConnectionsResponse {
    // Far below the bound of the type: a row takes some bytes of a stream.
    let count = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let refusals = report
        .refused
        .iter()
        .map(|(reason, refused)| ImportRefusals {
            reason: to_reason(*reason).into(),
            count: count(refused.count),
            row_numbers: refused.rows.iter().copied().map(count).collect(),
        });
    ImportConnectionsResponse {
        row_count: count(report.rows()),
        created_count: count(report.created),
        existing_count: count(report.existing),
        refusals: refusals.collect(),
    }
}

fn to_reason(reason: Reason) -> ImportRefusalReason {
    match reason {
        Reason::MalformedId => ImportRefusalReason::MalformedId,
        Reason::MalformedTime => ImportRefusalReason::MalformedTime,
        Reason::SelfReference => ImportRefusalReason::Self_,
        Reason::FutureTime => ImportRefusalReason::FutureTime,
        Reason::Erased => ImportRefusalReason::Erased,
        Reason::Blocked => ImportRefusalReason::Blocked,
        Reason::Removed => ImportRefusalReason::Removed,
        Reason::ConnectionLimit => ImportRefusalReason::ConnectionLimit,
    }
}
