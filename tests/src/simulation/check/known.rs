//! What is known in the end: the calls with their answers, and what the stores say of the invitations they named.
//!
//! Deliberately absent: judgement.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    history::{Call, History, Lists, Op, Outcome},
    plan::Plan,
};
use crate::rig::check::Stores;

/// An invitation that a member was told to have sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Its id, as the stores are asked for it.
    pub(crate) id: String,
    /// Who sent it.
    pub(crate) inviter: String,
    /// To whom.
    pub(crate) invitee: String,
    /// When, by the store's time, in milliseconds.
    pub(crate) time: i64,
}

/// Everything the checks look at.
pub(crate) struct Known<'a> {
    /// The plan.
    pub(crate) plan: &'a Plan,
    /// The calls in the order of their ends.
    pub(crate) calls: Vec<Call>,
    /// The members' lists in the end.
    pub(crate) lists: BTreeMap<String, Lists>,
    /// Invitations that were sent and answered, each once.
    pub(crate) sent: Vec<Sent>,
    /// The verdict on the latest acceptance of each invitation.
    pub(crate) verdicts: BTreeMap<String, i64>,
    /// The invitations that were accepted again after a limit had refused it.
    pub(crate) accepted_again: BTreeSet<String>,
    /// The live invitations.
    pub(crate) live: BTreeSet<String>,
    /// Who is connected, lower id first.
    pub(crate) connected: BTreeMap<(String, String), Connected>,
    /// Who has dismissed whom.
    pub(crate) dismissed: BTreeSet<(String, String)>,
}

/// Where a connection comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connected {
    /// From an invitation.
    By(String),
    /// From an import, which said that it was made at this time, in milliseconds.
    Imported(i64),
}

/// An invitation's id as the stores are asked for it.
pub(crate) fn plain(id: &str) -> String {
    id.replace('-', "").to_uppercase()
}

fn rows(stores: &Stores, sql: &str) -> Vec<Vec<String>> {
    let lines = stores.all(sql).into_iter();
    lines
        .map(|line| line.split(' ').map(str::to_owned).collect())
        .collect()
}

impl<'a> Known<'a> {
    /// Gathers it.
    pub(crate) fn of(plan: &'a Plan, history: &History, stores: &Stores) -> Self {
        let calls = history.calls();
        let verdicts = rows(stores, "select hex(invitation_id), verdict from c.verdict");
        let connected = "select low, high, connect_time, hex(invitation_id) from c.pair where connect_time is not null";
        let dismissed = "select member, other from c.dismissal";
        let connected = rows(stores, connected);
        let again = "select hex(invitation_id) from c.verdict where number > 1";
        let live = "select hex(invitation_id) from i.pair where invitation_id is not null";
        Self {
            plan,
            sent: sent(&calls),
            lists: history.lists(),
            verdicts: verdicts
                .into_iter()
                .map(|row| (row[0].clone(), row[1].parse().unwrap()))
                .collect(),
            accepted_again: stores.all(again).into_iter().collect(),
            live: stores.all(live).into_iter().collect(),
            connected: connected
                .into_iter()
                .map(|row| ((row[0].clone(), row[1].clone()), of_connection(&row[2..])))
                .collect(),
            dismissed: rows(stores, dismissed)
                .into_iter()
                .map(|row| (row[0].clone(), row[1].clone()))
                .collect(),
            calls,
        }
    }

    /// Whether an invitation's latest acceptance made a connection.
    pub(crate) fn made_a_connection(&self, id: &str) -> bool {
        self.verdicts.get(&plain(id)) == Some(&1)
    }
}

/// Of its time and its invitation, if there is one.
fn of_connection(row: &[String]) -> Connected {
    if row[1].is_empty() {
        Connected::Imported(row[0].parse().unwrap())
    } else {
        Connected::By(row[1].clone())
    }
}

fn sent(calls: &[Call]) -> Vec<Sent> {
    let mut sent: BTreeMap<String, Sent> = BTreeMap::new();
    for call in calls {
        let (Some(answer), Op::Send { to, .. }) = (call.outcome.sent(), &call.op) else {
            continue;
        };
        let invitation = answer.invitation.clone().unwrap_or_default();
        let time = invitation.create_time.unwrap_or_default();
        let id = plain(&invitation.invitation_id);
        let one = Sent {
            id: id.clone(),
            inviter: call.member.clone(),
            invitee: to.clone(),
            time: time.seconds * 1_000 + i64::from(time.nanos) / 1_000_000,
        };
        sent.insert(id, one);
    }
    sent.into_values().collect()
}

/// The values that something may have in the end which only one member sets: the last one that was answered, or one that was asked for
/// without an answer, which may have taken effect at any time since.
pub(crate) fn possible(
    calls: &[Call],
    initial: bool,
    sets: impl Fn(&Call) -> Option<bool>,
) -> BTreeSet<bool> {
    let (mut last, mut floating) = (initial, BTreeSet::new());
    for call in calls {
        let Some(value) = sets(call) else { continue };
        if call.repeated {
            floating.insert(value);
        }
        if call.outcome == Outcome::Done {
            last = value;
        }
    }
    floating.insert(last);
    floating
}
