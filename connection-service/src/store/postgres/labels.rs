//! What is read of labels and private notes, each in the snapshot of its list.
//!
//! Deliberately absent: what a transaction reads of them (see `load`).

use std::collections::BTreeMap;

use service_kit::id::MemberId;
use service_kit::postgres::types::{ToSql, Type};
use service_kit::postgres::{Columns, Failure, Row, Statement, int};
use service_kit::time::Time;

use super::reads::Snapshot;
use super::tables::label::{read_annotation, read_label};
use crate::domain::annotation::{Annotation, OwnLabel};
use crate::domain::label::{Label, LabelId};
use crate::store::lists::NotedBytes;
use crate::store::{ConnectionLine, Noted};

const LABELS: Statement = Statement::new(
    "select id, text, connections from label where lane = $1 and member = $2 order by text",
    &[Type::INT4, Type::TEXT],
);
const LABEL: Statement = Statement::new(
    "select id, text, connections from label where lane = $1 and member = $2 and text = $3",
    &[Type::INT4, Type::TEXT, Type::TEXT],
);
const LABELS_OF_IDS: Statement = Statement::new(
    "select id, text, connections from label where lane = $1 and member = $2 and id = any($3)",
    &[Type::INT4, Type::TEXT, Type::INT4_ARRAY],
);
const ANY_NOTES: Statement = Statement::new(
    "select 1 from notebook where lane = $1 and member = $2 and annotations > 0",
    &[Type::INT4, Type::TEXT],
);
const ANNOTATIONS: Statement = Statement::new(
    "select t.connect_time, t.other, t.labels, t.note from unnest($3::bigint[], $4::text[]) as k (connect_time, other)
     join annotation t on t.lane = $1 and t.member = $2 and t.connect_time = k.connect_time and t.other = k.other",
    &[
        Type::INT4,
        Type::TEXT,
        Type::INT8_ARRAY,
        Type::TEXT_ARRAY,
    ],
);

/// Of how many connections notes are read at once: a page may end long before its last one.
const NOTED_AT_ONCE: usize = 100;

/// Every statement of reading labels and notes.
pub(super) fn statements() -> Vec<Statement> {
    vec![LABELS, LABEL, LABELS_OF_IDS, ANY_NOTES, ANNOTATIONS]
}

impl Snapshot {
    /// A member's labels, in the order of their texts.
    pub(super) async fn labels(&self, member: &MemberId) -> Result<Vec<OwnLabel>, Failure> {
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.lane(member), &member.as_str()];
        let labels = async { LABELS.query(self.client()?, &parameters).await };
        let (row, rows) = futures::try_join!(self.member(member), labels)?;
        // Someone who is being erased has no row any more, but may have labels left.
        if row.is_none() {
            return Ok(Vec::new());
        }
        let read = |row: &Row| read_label(&mut Columns::new(row)).map(|(_, label)| label);
        rows.iter().map(read).collect()
    }

    /// The number of a member's label of this text, and how many connections have it.
    pub(super) async fn label(
        &self,
        member: &MemberId,
        label: &Label,
    ) -> Result<Option<(LabelId, u32)>, Failure> {
        let parameters: [&(dyn ToSql + Sync); 3] =
            [&self.lane(member), &member.as_str(), &label.as_str()];
        let rows = LABEL.query(self.client()?, &parameters).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let (id, label) = read_label(&mut Columns::new(row))?;
        Ok(Some((id, label.connections)))
    }

    /// Adds to lines what the member has noted about their connections, as far as there is room on the page; how many that are.
    pub(super) async fn note(
        &self,
        member: &MemberId,
        lines: &mut [ConnectionLine],
        mut room: NotedBytes,
    ) -> Result<usize, Failure> {
        if lines.is_empty() {
            return Ok(0);
        }
        let parameters: [&(dyn ToSql + Sync); 2] = [&self.lane(member), &member.as_str()];
        let any = ANY_NOTES.query(self.client()?, &parameters).await?;
        if any.is_empty() {
            return Ok(lines.len());
        }
        let mut texts = BTreeMap::new();
        for chunk in lines.chunks_mut(NOTED_AT_ONCE) {
            let mut found = self.annotations(member, chunk).await?;
            self.read_texts(member, &found, &mut texts).await?;
            for line in chunk {
                let key = (line.connect_time, line.other.clone());
                let noted = found.remove(&key).map(|found| shown(found, &texts));
                if !room.take(noted.as_ref()) {
                    return Ok(room.kept());
                }
                line.noted = noted.map(Box::new);
            }
        }
        Ok(room.kept())
    }

    /// What is noted about the connections of lines.
    async fn annotations(
        &self,
        member: &MemberId,
        lines: &[ConnectionLine],
    ) -> Result<BTreeMap<(Time, MemberId), Annotation>, Failure> {
        let times: Vec<i64> = lines
            .iter()
            .map(|line| line.connect_time.millis())
            .collect();
        let others: Vec<&str> = lines.iter().map(|line| line.other.as_str()).collect();
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&self.lane(member), &member.as_str(), &times, &others];
        let rows = ANNOTATIONS.query(self.client()?, &parameters).await?;
        let read = |row: &Row| {
            let mut columns = Columns::new(row);
            let key = (columns.time()?, columns.member_id()?);
            Ok((key, read_annotation(&mut columns)?))
        };
        rows.iter().map(read).collect()
    }

    /// Reads the texts of labels that were met for the first time. A deleted one has none.
    async fn read_texts(
        &self,
        member: &MemberId,
        met: &BTreeMap<(Time, MemberId), Annotation>,
        texts: &mut BTreeMap<LabelId, Option<Label>>,
    ) -> Result<(), Failure> {
        let mut new = Vec::new();
        for id in met.values().flat_map(|annotation| &annotation.labels) {
            texts.entry(*id).or_insert_with(|| {
                new.push(int(id.0));
                None
            });
        }
        if new.is_empty() {
            return Ok(());
        }
        let parameters: [&(dyn ToSql + Sync); 3] = [&self.lane(member), &member.as_str(), &new];
        for row in LABELS_OF_IDS.query(self.client()?, &parameters).await? {
            let (id, label) = read_label(&mut Columns::new(&row))?;
            texts.insert(id, Some(label.label));
        }
        Ok(())
    }
}

fn shown(found: Annotation, texts: &BTreeMap<LabelId, Option<Label>>) -> Noted {
    let labels = found.labels.iter().filter_map(|id| texts.get(id).cloned());
    let mut labels: Vec<Label> = labels.flatten().collect();
    labels.sort();
    Noted {
        labels,
        note: found.note,
    }
}
