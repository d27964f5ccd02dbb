//! What one side of a connection has noted about it: labels and a private note, which the other side never sees.
//!
//! It hangs on the connection and ends with it. A label is a member's own: it comes into being when it is first given to a connection and stays
//! until the member deletes it, also when no connection has it any more. Connections hold the numbers of labels and not their texts, so renaming one
//! changes one row, and deleting one takes it from every connection at once. Deliberately absent: the rows.

use std::collections::BTreeSet;

use service_kit::id::{Side, Sides};
use service_kit::time::Time;

use super::label::{Label, LabelId, PrivateNote};
use super::member::Party;
use super::pair::Pair;
use super::policy::Policy;
use super::refusal::Refusal;

/// What one side has noted about a connection. What nothing is noted about is not stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Annotation {
    /// Its labels; a deleted one may still be among them, and is not shown.
    pub labels: BTreeSet<LabelId>,
    /// The private note.
    pub note: PrivateNote,
}

impl Annotation {
    /// Whether nothing is noted.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty() && self.note.is_empty()
    }
}

/// A change of what is noted about a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// These labels instead of those it has; `None` leaves them.
    pub labels: Option<BTreeSet<Label>>,
    /// This note instead of the one it has; `None` leaves it.
    pub note: Option<PrivateNote>,
}

/// A label of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnLabel {
    /// What it says.
    pub label: Label,
    /// How many connections have it.
    pub connections: u32,
}

/// What is counted of a member's labels and notes. Stays when all of them are gone, so that no number is given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notebook {
    /// How many connections something is noted about.
    pub annotations: u32,
    /// How many labels there are.
    pub labels: u32,
    /// The number of the label that was made last; 0 before the first.
    pub last_label: u32,
}

/// Since when the connection that `side` writes about is. Refuses with [`Refusal::MemberNotFound`], [`Refusal::ConnectionNotFound`] and, where
/// `change` has more labels than a connection may, [`Refusal::LabelLimitReached`].
pub fn annotate(
    pair: &Pair,
    parties: &Sides<Party>,
    side: Side,
    change: &Change,
    policy: &Policy,
) -> Result<Time, Refusal> {
    if parties.get(side).is_erased() {
        return Err(Refusal::MemberNotFound);
    }
    let connection = pair.connection;
    let connection = connection.filter(|_| !parties.get(side.other()).is_erased());
    let connection = connection.ok_or(Refusal::ConnectionNotFound)?;
    let labels_max = policy.connection_labels_max;
    let labels = change.labels.as_ref().map_or(0, BTreeSet::len);
    if u32::try_from(labels).map_or(true, |labels| labels > labels_max) {
        return Err(Refusal::LabelLimitReached {
            of: LabelLimit::Connection { labels_max },
        });
    }
    Ok(connection.connect_time)
}

/// Which limit of labels was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LabelLimit {
    /// As many as one connection may have.
    Connection {
        /// How many that is.
        labels_max: u32,
    },
    /// As many as one member may have.
    Member {
        /// How many that is.
        labels_max: u32,
    },
}

impl Notebook {
    /// Numbers for `new` labels of the member. Refuses with [`Refusal::LabelLimitReached`], and then none is taken.
    pub fn number(&mut self, new: u32, policy: &Policy) -> Result<Vec<LabelId>, Refusal> {
        let labels_max = policy.member_labels_max;
        let refusal = Refusal::LabelLimitReached {
            of: LabelLimit::Member { labels_max },
        };
        if new == 0 {
            return Ok(Vec::new());
        }
        let labels = self.labels.checked_add(new);
        let labels = labels.filter(|labels| *labels <= labels_max);
        let last = self.last_label.checked_add(new);
        let (Some(labels), Some(last)) = (labels, last) else {
            return Err(refusal);
        };
        let numbers = (self.last_label + 1..=last).map(LabelId);
        (self.labels, self.last_label) = (labels, last);
        Ok(numbers.collect())
    }
}

/// What renaming a label does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renaming {
    /// This one gets the new text.
    Rename(LabelId),
    /// This one has it already, and none has the old text: it was renamed before.
    Renamed(LabelId),
}

/// Decides a renaming, from who has the old text and who the new. Onto the text of another label of the member it is refused: taking two labels
/// together could not be taken back. Refuses with [`Refusal::LabelNotFound`] and [`Refusal::LabelExists`].
pub fn rename(from: Option<LabelId>, to: Option<LabelId>) -> Result<Renaming, Refusal> {
    match (from, to) {
        (Some(from), None) => Ok(Renaming::Rename(from)),
        (Some(from), Some(to)) if from == to => Ok(Renaming::Renamed(to)),
        (Some(_), Some(_)) => Err(Refusal::LabelExists),
        (None, Some(to)) => Ok(Renaming::Renamed(to)),
        (None, None) => Err(Refusal::LabelNotFound),
    }
}

#[cfg(test)]
mod tests;
