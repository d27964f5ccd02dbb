//! The rows of a CSV file (RFC 4180) as rows of an import.
//!
//! What a field says is left to the service wherever a message can carry it, so that the report is one. Deliberately absent: sending.

use std::fs::File;
use std::io::{self, Read, stdin};
use std::path::Path;
use std::str::FromStr as _;

use acquaint_proto::connection::v1::{ImportRefusalReason, ImportedConnection};
use csv::ByteRecord;
use prost_types::Timestamp;
use service_kit::id::MemberId;

use super::report::Total;

/// The name that stands for standard input.
const STANDARD_INPUT: &str = "-";

/// The rows of a file, in order, without its header.
pub(super) struct Rows {
    reader: csv::Reader<Box<dyn Read + Send>>,
    record: ByteRecord,
    /// A row that was read and is still to be given out.
    first: Option<ImportedConnection>,
    bytes: Option<u64>,
    ended: bool,
}

impl Rows {
    /// Opens the file and reads its header, if it has one.
    pub(super) fn open(path: &Path) -> Result<Self, csv::Error> {
        if path.as_os_str() == STANDARD_INPUT {
            return Self::of(Box::new(stdin()), None);
        }
        let named =
            |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        let file = File::open(path).map_err(named)?;
        let bytes = file.metadata().map_err(named)?.len();
        Self::of(Box::new(file), Some(bytes))
    }

    fn of(from: Box<dyn Read + Send>, bytes: Option<u64>) -> Result<Self, csv::Error> {
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).from_reader(from);
        let mut rows = Self {
            reader,
            record: ByteRecord::new(),
            first: None,
            bytes,
            ended: false,
        };
        rows.ended = !rows.read()?;
        if !rows.ended && !rows.is_header() {
            rows.first = Some(rows.row());
        }
        Ok(rows)
    }

    /// How long the file is, where that is known.
    pub(super) fn bytes(&self) -> Option<u64> {
        self.bytes
    }

    /// How much of it was read.
    pub(super) fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
    }

    /// Whether there are no more rows.
    pub(super) fn ended(&self) -> bool {
        self.ended
    }

    fn read(&mut self) -> Result<bool, csv::Error> {
        self.reader.read_byte_record(&mut self.record)
    }

    /// A time has digits, the name of a column has none.
    fn is_header(&self) -> bool {
        let time = self.record.get(2);
        time.is_some_and(|time| !time.is_empty() && !time.iter().any(u8::is_ascii_digit))
    }

    fn row(&self) -> ImportedConnection {
        // What is no UTF-8 is no id either, and stays malformed.
        let field = |column| String::from_utf8_lossy(self.record.get(column).unwrap_or_default());
        // Of too many columns it is not known which is meant.
        let time = (self.record.len() <= 3).then(|| time(&field(2)));
        ImportedConnection {
            member_id: field(0).into_owned(),
            other_id: field(1).into_owned(),
            connect_time: time.flatten(),
        }
    }
}

impl Iterator for Rows {
    type Item = Result<ImportedConnection, csv::Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        match self.read() {
            Ok(true) => Some(Ok(self.row())),
            Ok(false) => {
                self.ended = true;
                None
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

/// A time in RFC 3339, a date alone, or whole seconds since 1970.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(seconds) = i64::from_str(text) {
        return Some(Timestamp { seconds, nanos: 0 });
    }
    Timestamp::from_str(text).ok()
}

/// What can be said of the rows without asking anybody: well-formed ones count as created.
pub(super) fn check(rows: Rows) -> Result<Total, csv::Error> {
    let mut total = Total::default();
    for row in rows {
        let ImportedConnection {
            member_id,
            other_id,
            connect_time,
        } = row?;
        let id = |text: &str| MemberId::parse(text).ok();
        total.note(match (id(&member_id), id(&other_id)) {
            (None, _) | (_, None) => Some(ImportRefusalReason::MalformedId),
            _ if connect_time.is_none() => Some(ImportRefusalReason::MalformedTime),
            (Some(one), Some(other)) if one == other => Some(ImportRefusalReason::Self_),
            _ => None,
        });
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Rows {
        let bytes = text.to_owned().into_bytes();
        Rows::of(Box::new(io::Cursor::new(bytes)), None).unwrap()
    }

    fn rows(text: &str) -> Vec<(String, String, Option<i64>)> {
        let rows = of(text).map(Result::unwrap);
        rows.map(|row| {
            let seconds = row.connect_time.map(|time| time.seconds);
            (row.member_id, row.other_id, seconds)
        })
        .collect()
    }

    fn row(member: &str, other: &str, seconds: Option<i64>) -> (String, String, Option<i64>) {
        (member.to_owned(), other.to_owned(), seconds)
    }

    #[test]
    fn rows_are_read_as_rfc_4180_has_them() {
        let read = rows("a,b,10\r\n\"c\",\"d\"\"e\",20\r\n\r\n\"f\r\ng\",h,30");
        let expected = [
            row("a", "b", Some(10)),
            row("c", "d\"e", Some(20)),
            row("f\r\ng", "h", Some(30)),
        ];
        assert_eq!(read, expected);
        assert_eq!(rows(""), []);
    }

    #[test]
    fn only_a_first_row_whose_time_has_no_digit_is_a_header() {
        let ten = [row("a", "b", Some(10))];
        assert_eq!(rows("member_id,other_id,connect_time\na,b,10\n"), ten);
        assert_eq!(rows("a,b,10\n"), ten);
        for data in ["a,b,1O\n", "a,b,\n", "a,b\n", "a,b,10,\n"] {
            assert_eq!(rows(data), [row("a", "b", None)], "{data}");
        }
        let second = rows("a,b,10\nc,d,never\n");
        assert_eq!(second[1], row("c", "d", None));
    }

    #[test]
    fn times_have_three_forms() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("1700000000", Some(1_700_000_000)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000)),
            ("2023-11-14T23:13:20+01:00", Some(1_700_000_000)),
            ("2023-11-14", Some(1_699_920_000)),
            ("14.11.2023", None),
            ("2023-13-14", None),
            (" 0", None),
            ("", None),
        ] {
            assert_eq!(time(text).map(|time| time.seconds), seconds, "{text}");
        }
    }

    #[test]
    fn a_check_counts_what_is_malformed() {
        let total = check(of("a,b,1\nc c,d,2\ne,f,x\ng,g,3\n\u{fc},h,4\ni\n")).unwrap();
        let expected = "6 rows: 1 well-formed, 5 refused\n\
                        \x20 malformed id: 3 (rows 2, 5, 6)\n\
                        \x20 malformed time: 1 (row 3)\n\
                        \x20 self: 1 (row 4)\n";
        assert_eq!(total.text("well-formed"), expected);
    }
}
