//! Watching as a member's device does it: breaking off at random, resuming by token, listing anew when told to.
//!
//! Whatever breaks off when, what was folded must in the end be what is listed. Deliberately absent: folding (`crate::watcher`).

use std::{collections::BTreeMap, fmt::Debug, future::Future, rc::Rc, time::Duration};

use acquaint_proto::{
    connection::v1::WatchConnectionsResponse,
    invitation::v1::{InvitationBox, WatchInvitationsResponse},
};
use rand::{Rng as _, rngs::SmallRng};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status};

use super::{caller::Caller, history::History};
use crate::watcher::{ConnectionList, InvitationLists, Message, Scope, Watcher};

/// How long after everything is at rest a watch may take to show it, in simulated milliseconds.
const SHOW_MAX: u64 = 5_000;
/// How long a stream may take to begin.
const BEGIN_MAX: Duration = Duration::from_secs(1);

/// Who watches.
pub(crate) type Who = (Caller, Rc<History>, String);

trait Folded: Sized + PartialEq + Debug {
    type Message: Message;
    const NAME: &'static str;

    fn client(caller: &Caller) -> <Self::Message as Message>::Client;
    fn listed(caller: &Caller, member: &str) -> impl Future<Output = Result<Self, Status>>;
    fn take(&mut self, message: &Self::Message);
}

impl Folded for InvitationLists {
    type Message = WatchInvitationsResponse;
    const NAME: &'static str = "invitations";

    fn client(caller: &Caller) -> crate::Invitations {
        caller.invitations.clone()
    }

    async fn listed(caller: &Caller, member: &str) -> Result<Self, Status> {
        let mut lists = BTreeMap::new();
        for list in [
            InvitationBox::Sent,
            InvitationBox::Received,
            InvitationBox::Filtered,
        ] {
            for one in caller.listed(member, list).await? {
                lists.insert(one.invitation_id.clone(), (list, one));
            }
        }
        Ok(Self(lists))
    }

    fn take(&mut self, message: &WatchInvitationsResponse) {
        // What it gives back may have come and gone between listing and watching.
        let _ = self.fold(message);
    }
}

impl Folded for ConnectionList {
    type Message = WatchConnectionsResponse;
    const NAME: &'static str = "connections";

    fn client(caller: &Caller) -> crate::Connections {
        caller.connections.clone()
    }

    async fn listed(caller: &Caller, member: &str) -> Result<Self, Status> {
        let listed = caller.connected(member).await?.into_iter();
        Ok(Self(
            listed.map(|one| (one.other_id, one.connect_time)).collect(),
        ))
    }

    fn take(&mut self, message: &WatchConnectionsResponse) {
        let _ = self.fold(message);
    }
}

/// Watches a member's lists of invitations until everything is at rest and shown.
pub(crate) async fn invitations(who: Who, rng: SmallRng) {
    watch::<InvitationLists>(who, rng).await;
}

/// Watches a member's connections until everything is at rest and shown.
pub(crate) async fn connections(who: Who, rng: SmallRng) {
    watch::<ConnectionList>(who, rng).await;
}

async fn watch<F: Folded>((caller, history, member): Who, mut rng: SmallRng) {
    let mut folded: Option<(F, String)> = None;
    let mut quiet_since = None;
    loop {
        sleep(Duration::from_millis(rng.random_range(10..200))).await;
        let token = folded.as_ref().map(|(_, token)| token.clone());
        let token = token.unwrap_or_default();
        let begun = Watcher::<F::Message>::with(F::client(&caller), Scope::member(&member), &token);
        let mut watcher = match timeout(BEGIN_MAX, begun).await {
            Ok(Ok(watcher)) => watcher,
            Ok(Err(status)) if is_lost(&status) => {
                history.say(&format!(
                    "{member} lists {} anew: {:?}",
                    F::NAME,
                    status.code()
                ));
                folded = None;
                continue;
            }
            Ok(Err(_)) | Err(_) => continue,
        };
        if folded.is_none() {
            // Listed after the watch began, so that nothing can happen in between unseen.
            let Ok(listed) = F::listed(&caller, &member).await else {
                continue;
            };
            folded = Some((listed, watcher.token.clone()));
        }
        let Some((lists, token)) = &mut folded else {
            continue;
        };
        let until = history.now() + rng.random_range(100..2_000);
        while history.now() < until || history.is_quiet() {
            match timeout(Duration::from_millis(60), watcher.next()).await {
                Ok(Ok(message)) => {
                    lists.take(&message);
                    message.token().clone_into(token);
                }
                Ok(Err(_)) => break,
                Err(_) => {}
            }
            if history.is_quiet() {
                let since = *quiet_since.get_or_insert(history.now());
                let Ok(listed) = F::listed(&caller, &member).await else {
                    continue;
                };
                if listed == *lists {
                    return;
                }
                if history.now() > since + SHOW_MAX {
                    let name = F::NAME;
                    history.violation(format!(
                        "{member}'s watch of {name} folds to {lists:?}, listed is {listed:?}"
                    ));
                    return;
                }
            }
        }
    }
}

/// Whether the token can no longer be resumed.
fn is_lost(status: &Status) -> bool {
    matches!(status.code(), Code::OutOfRange | Code::FailedPrecondition)
}
