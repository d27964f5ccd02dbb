//! A [`Batch`] as commands on labels and notes see it.
//!
//! Who changes a member's labels or notes does it under the lock of the member's row. Deliberately absent: the other rows (`batch_rows.rs`).

use service_kit::error::StoreError;
use service_kit::id::MemberId;
use service_kit::time::Time;

use super::batch::{Batch, Found, Labels, LineKey, Range, overtaken, wrong_range};
use crate::domain::annotation::{Annotation, Notebook, OwnLabel};
use crate::domain::label::{Label, LabelId};
use crate::store::label_rows::{LabelRows, OwnConnection};

fn line(of: OwnConnection<'_>) -> LineKey {
    (of.member.clone(), of.connect_time, of.other.clone())
}

fn labelled(of: OwnConnection<'_>, id: LabelId) -> (MemberId, LabelId, Time, MemberId) {
    (of.member.clone(), id, of.connect_time, of.other.clone())
}

impl Batch {
    /// A member's labels with a change made to them.
    fn change_labels(&mut self, member: &MemberId, change: impl FnOnce(&mut Labels)) {
        let mut labels = self.labels.get(member).cloned().unwrap_or_default();
        change(&mut labels);
        let labels = (!labels.is_empty()).then_some(labels);
        self.labels.put(member, labels, self.command);
    }

    /// The labels of a range; none as long as it is not here.
    fn found_labels(&mut self, range: &Range) -> Result<Vec<(MemberId, LabelId)>, StoreError> {
        match self.range(range) {
            None => Ok(Vec::new()),
            Some(Found::Labels(labels)) => Ok(labels.clone()),
            Some(_) => Err(wrong_range()),
        }
    }
}

impl LabelRows for Batch {
    fn notebook(&mut self, member: &MemberId) -> Result<Notebook, StoreError> {
        self.members.ask(member);
        Ok(self.notebooks.get(member).copied().unwrap_or_default())
    }

    fn put_notebook(&mut self, member: &MemberId, notebook: &Notebook) -> Result<(), StoreError> {
        self.notebooks.put(member, Some(*notebook), self.command);
        Ok(())
    }

    fn delete_notebook(&mut self, member: &MemberId) -> Result<(), StoreError> {
        self.notebooks.ask(member);
        self.notebooks.put(member, None, self.command);
        Ok(())
    }

    fn annotation(&mut self, of: OwnConnection<'_>) -> Result<Annotation, StoreError> {
        let found = self.annotations.get(&line(of));
        Ok(found.cloned().unwrap_or_default())
    }

    fn put_annotation(
        &mut self,
        of: OwnConnection<'_>,
        annotation: &Annotation,
    ) -> Result<(), StoreError> {
        let row = (!annotation.is_empty()).then(|| annotation.clone());
        self.annotations.put(&line(of), row, self.command);
        Ok(())
    }

    fn label(&mut self, member: &MemberId, id: LabelId) -> Result<Option<OwnLabel>, StoreError> {
        let labels = self.labels.get(member);
        Ok(labels.and_then(|labels| labels.get(&id)).cloned())
    }

    fn label_id(
        &mut self,
        member: &MemberId,
        label: &Label,
    ) -> Result<Option<LabelId>, StoreError> {
        let mut labels = self.labels.get(member).into_iter().flatten();
        Ok(labels
            .find(|(_, own)| own.label == *label)
            .map(|(id, _)| *id))
    }

    fn put_label(
        &mut self,
        member: &MemberId,
        id: LabelId,
        label: &OwnLabel,
    ) -> Result<(), StoreError> {
        self.change_labels(member, |labels| {
            labels.insert(id, label.clone());
        });
        Ok(())
    }

    fn delete_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError> {
        let mut was = None;
        self.change_labels(member, |labels| was = labels.remove(&id));
        was.map(drop)
            .ok_or_else(|| StoreError::corrupt("a label that is deleted is not there"))
    }

    fn delete_labels_of(&mut self, member: &MemberId, limit: u32) -> Result<u32, StoreError> {
        let mut deleted = 0;
        self.change_labels(member, |labels| {
            while deleted < limit && labels.pop_first().is_some() {
                deleted += 1;
            }
        });
        Ok(deleted)
    }

    fn list_labelled(&mut self, of: OwnConnection<'_>, id: LabelId) -> Result<(), StoreError> {
        self.labelled.add(labelled(of, id), self.command)
    }

    fn unlist_labelled(&mut self, of: OwnConnection<'_>, id: LabelId) -> Result<(), StoreError> {
        self.labelled.take_off(labelled(of, id), self.command)
    }

    fn labelled(
        &mut self,
        member: &MemberId,
        id: LabelId,
        limit: u32,
    ) -> Result<Vec<(Time, MemberId)>, StoreError> {
        let these = |(whose, label, ..): &(MemberId, LabelId, Time, MemberId)| {
            whose == member && *label == id
        };
        if self.labelled.was_changed(these, self.command) {
            return Err(overtaken());
        }
        let range = Range::Labelled {
            member: member.clone(),
            label: id,
            limit,
        };
        let found = match self.range(&range) {
            None => return Ok(Vec::new()),
            Some(Found::Labelled(found)) => found.clone(),
            Some(_) => return Err(wrong_range()),
        };
        for (time, other) in &found {
            self.annotations
                .ask(&(member.clone(), *time, other.clone()));
        }
        Ok(found)
    }

    fn put_dropped_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError> {
        self.dropped_labels.add((member.clone(), id), self.command)
    }

    fn dropped_label(&mut self) -> Result<Option<(MemberId, LabelId)>, StoreError> {
        if self.dropped_labels.was_changed(|_| true, self.command) {
            return Err(overtaken());
        }
        let dropped = self.found_labels(&Range::DroppedLabel)?;
        Ok(dropped.into_iter().next())
    }

    fn delete_dropped_label(&mut self, member: &MemberId, id: LabelId) -> Result<(), StoreError> {
        self.dropped_labels
            .take_off((member.clone(), id), self.command)
    }

    fn delete_dropped_labels_of(
        &mut self,
        member: &MemberId,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let own = |(whose, _): &(MemberId, LabelId)| whose == member;
        if self.dropped_labels.was_changed(own, self.command) {
            return Err(overtaken());
        }
        let dropped = self.found_labels(&Range::DroppedLabelsOf {
            member: member.clone(),
            limit,
        })?;
        let deleted = u32::try_from(dropped.len()).map_err(StoreError::internal)?;
        for line in dropped {
            self.dropped_labels.take_off(line, self.command)?;
        }
        Ok(deleted)
    }
}
