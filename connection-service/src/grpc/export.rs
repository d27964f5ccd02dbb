//! `ExportConnections` and `ExportMember` on the wire: lines as messages, records, or rows of a CSV file.
//!
//! Deliberately absent: which lines there are (see `usecase`).

use acquaint_proto::connection::v1::{
    DismissedSuggestion, ExportConnectionsRequest, ExportConnectionsResponse, ExportFormat,
    ExportMemberRequest, ExportMemberResponse, MemberRecord, member_record::Record,
};
use futures::{Stream, StreamExt as _};
use service_kit::fields;
use service_kit::status::{FieldViolations, internal, logged};
use tonic::Status;

use super::{Edge, block, connection_list, convert, label, size, status};
use crate::store::{ConnectionLine, Line};
use crate::usecase::export::{self, LINES_AT_ONCE, Lines, Part};

/// The first row of a CSV file.
const HEADER: [&str; 2] = ["other_id", "connect_time"];

impl Edge {
    /// All connections of a member, in the form asked for.
    pub(super) async fn export_all_connections(
        &self,
        request: ExportConnectionsRequest,
    ) -> Result<impl Stream<Item = Result<ExportConnectionsResponse, Status>> + Send + use<>, Status>
    {
        let mut fields = FieldViolations::new();
        let member = fields::member_id(&mut fields, "member_id", &request.member_id);
        let csv = match ExportFormat::try_from(request.format) {
            Ok(ExportFormat::Unspecified | ExportFormat::Messages) => Some(false),
            Ok(ExportFormat::Csv) => Some(true),
            Err(_) => {
                fields.push("format", "must be MESSAGES or CSV");
                None
            }
        };
        let (Some(member), Some(csv)) = (member, csv) else {
            return Err(fields::invalid(fields));
        };
        let noted = self.noted_bytes_max_of_export();
        let lines = export::run(self.context(), member, &[Part::Connections], noted).await;
        let lines = lines.map_err(|failure| status::of(&failure))?;
        let mut first = true;
        Ok(lines.map(move |lines| {
            let Lines::Connections(lines) =
                lines.map_err(|failure| logged(status::of(&failure)))?
            else {
                return Err(internal());
            };
            let first = std::mem::take(&mut first);
            if csv {
                let csv = rows(first, &lines)?;
                let connections = Vec::new();
                return Ok(ExportConnectionsResponse { connections, csv });
            }
            Ok(ExportConnectionsResponse {
                connections: lines.into_iter().map(connection_list::connection).collect(),
                csv: Vec::new(),
            })
        }))
    }

    /// All that is held for a member.
    pub(super) async fn export_all_of_member(
        &self,
        request: ExportMemberRequest,
    ) -> Result<impl Stream<Item = Result<ExportMemberResponse, Status>> + Send + use<>, Status>
    {
        const PARTS: &[Part] = &[
            Part::Card,
            Part::Labels,
            Part::Connections,
            Part::Blocks,
            Part::Dismissals,
        ];
        let mut fields = FieldViolations::new();
        let Some(member) = fields::member_id(&mut fields, "member_id", &request.member_id) else {
            return Err(fields::invalid(fields));
        };
        let noted = self.noted_bytes_max_of_export();
        let lines = export::run(self.context(), member, PARTS, noted).await;
        let lines = lines.map_err(|failure| status::of(&failure))?;
        Ok(lines.map(|lines| {
            let lines = lines.map_err(|failure| logged(status::of(&failure)))?;
            let records = records(lines).into_iter();
            let record = |record| MemberRecord {
                record: Some(record),
            };
            Ok(ExportMemberResponse {
                records: records.map(record).collect(),
            })
        }))
    }

    /// How many bytes of labels and notes have room beside the connections of a message.
    fn noted_bytes_max_of_export(&self) -> usize {
        let plain = size::ENTRY.saturating_mul(LINES_AT_ONCE as usize);
        self.0
            .answer_bytes_max
            .saturating_sub(plain.saturating_add(size::REST))
    }
}

fn records(lines: Lines) -> Vec<Record> {
    match lines {
        Lines::Card(member, card) => {
            let card = card.map(|card| Record::Card(convert::to_member_card(&member, *card)));
            card.into_iter().collect()
        }
        Lines::Labels(labels) => {
            let labels = labels.into_iter();
            labels.map(|own| Record::Label(label::own(own))).collect()
        }
        Lines::Connections(lines) => {
            let lines = lines.into_iter();
            lines
                .map(|line| Record::Connection(connection_list::connection(line)))
                .collect()
        }
        Lines::Blocks(lines) => {
            let lines = lines.iter();
            lines
                .map(|line| Record::BlockedMember(block::to_blocked(line)))
                .collect()
        }
        Lines::Dismissals(lines) => {
            let dismissed = |line: Line| DismissedSuggestion {
                other_id: line.other.to_string(),
                dismiss_time: Some(fields::timestamp(line.time)),
            };
            let lines = lines.into_iter();
            lines
                .map(|line| Record::DismissedSuggestion(dismissed(line)))
                .collect()
        }
    }
}

/// Whole rows of a file, with its first row where that is to come.
fn rows(first: bool, lines: &[ConnectionLine]) -> Result<Vec<u8>, Status> {
    let terminator = csv::Terminator::CRLF;
    let mut rows = csv::WriterBuilder::new()
        .terminator(terminator)
        .from_writer(Vec::new());
    let header = first.then(|| rows.write_record(HEADER));
    let written = header.unwrap_or(Ok(())).and_then(|()| {
        lines.iter().try_for_each(|line| {
            rows.write_record([line.other.as_str(), &fields::rfc3339(line.connect_time)])
        })
    });
    // Memory takes whatever is written.
    written.map_err(|_| internal())?;
    rows.into_inner().map_err(|_| internal())
}

#[cfg(test)]
mod tests {
    use service_kit::id::MemberId;
    use service_kit::time::Time;

    use super::*;

    #[test]
    fn rows_are_a_file_in_pieces() {
        let line = |other: &str, millis| ConnectionLine {
            other: MemberId::parse(other).unwrap(),
            connect_time: Time::from_millis(millis),
            card: None,
            noted: None,
        };
        let text = |first, lines: &[ConnectionLine]| {
            String::from_utf8(rows(first, lines).unwrap()).unwrap()
        };
        assert_eq!(text(true, &[]), "other_id,connect_time\r\n");
        assert_eq!(text(false, &[]), "");
        let lines = [line("a:1", 0), line("-", 1_700_000_000_120)];
        let expected = "a:1,1970-01-01T00:00:00Z\r\n-,2023-11-14T22:13:20.120Z\r\n";
        assert_eq!(text(false, &lines), expected);
        assert_eq!(
            text(true, &lines),
            format!("other_id,connect_time\r\n{expected}")
        );
    }
}
