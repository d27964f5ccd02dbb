//! What happens, in words, for the trace of a broken promise.

use connection_service::domain::ensure::Verdict;
use service_kit::id::Side;

use super::{steps::Step, world::World};

impl World {
    /// What a step is, in words.
    pub(crate) fn describe(&self, step: Step) -> String {
        let name = |side: Side| self.inviting.pair.key.member(side).to_string();
        let other = |side: Side| name(side.other());
        let inviter = || {
            self.inviting
                .pair
                .live
                .as_ref()
                .map(|live| live.invitation.inviter)
        };
        let sender = || inviter().map_or_else(String::new, name);
        let invitee = || inviter().map_or_else(String::new, other);
        match step {
            Step::Ask(side) => format!(
                "{} invites {}: connection-service is asked",
                name(side),
                other(side)
            ),
            Step::Accept => format!("{} accepts", invitee()),
            Step::Decline => format!("{} declines", invitee()),
            Step::Undo(side) => format!("{} takes the decline back", other(side)),
            Step::Withdraw => format!("{} withdraws", sender()),
            Step::Lapse => "the invitation's days are over".to_owned(),
            Step::Remove(side) => format!("{} removes {}", name(side), other(side)),
            Step::Block(side) => format!("{} blocks {}", name(side), other(side)),
            Step::Unblock(side) => format!("{} unblocks {}", name(side), other(side)),
            Step::Fill(side) => format!("{}'s connections are full", name(side)),
            Step::MakeRoom => "there is room for connections again".to_owned(),
            Step::Erase(side) => format!("{} is erased", name(side)),
            Step::Send { side, heard } => match self.asks.get(side) {
                Some(ask) if heard => format!(
                    "{}'s invitation is decided with the answer of position {}",
                    name(side),
                    ask.position
                ),
                _ => format!("{}'s invitation is decided without an answer", name(side)),
            },
            Step::Request(index) => {
                let request = &self.requests[usize::from(index)];
                let late = if self.is_awaited(request) {
                    ""
                } else {
                    "a late copy: "
                };
                format!(
                    "{late}connection-service is asked about acceptance {}",
                    request.number
                )
            }
            Step::Hear(index) => {
                let answer = &self.answers[usize::from(index)];
                let verdict = match answer.verdict {
                    Verdict::Created { .. } => "CREATED",
                    Verdict::Already { .. } => "ALREADY",
                    Verdict::Refused(_) => "REFUSED",
                    Verdict::Removed => "REMOVED",
                    Verdict::Blocked => "BLOCKED",
                    Verdict::Erased => "ERASED",
                    Verdict::Superseded => "SUPERSEDED",
                };
                format!(
                    "the verdict {verdict} on acceptance {} arrives, with facts of position {}",
                    answer.acceptance.number, answer.position
                )
            }
            Step::Lose(_) => "a verdict is lost".to_owned(),
            Step::Fold => format!("event {} is folded", self.inviting.cursor + 1),
            Step::Sweep => "the sweeper passes".to_owned(),
        }
    }
}
