//! `ExportMember`: all that is kept for a member, page by page.
//!
//! Each page is of one moment and begins after the last of the one before, in an order that does not change: what is there throughout is met
//! exactly once, and no snapshot has to be kept for a slow consumer. Deliberately absent: the form of what is exported.

use std::sync::Arc;

use futures::future::BoxFuture;
use service_kit::{
    id::MemberId,
    watch::{Export, Page, Watch},
};
use uuid::Uuid;

use super::{Context, Failure};
use crate::{
    domain::{member::Preferences, refusal::Refusal, view::View},
    store::{Barred, OwnQuota, Store},
};

/// How much is read, and shown, at once.
const AT_ONCE: usize = 500;

/// A part of what is kept for a member.
#[derive(Debug)]
pub enum Part {
    /// How they wish to be invited, and what they have used of their limits.
    Own(Preferences, Box<OwnQuota>),
    /// Some of their invitations, in the order of their ids.
    Invitations(Vec<View>),
    /// Some of those whom they have barred, in the order of their ids.
    Bars(Vec<Barred>),
}

/// Exports what is kept for `member`. Refuses with [`Refusal::MemberNotFound`], also in the midst of it.
pub async fn run(context: &Context, member: MemberId) -> Result<Watch<Part, Failure>, Failure> {
    let pages = Pages {
        store: context.store.clone(),
        member,
        next: Next::Own,
    };
    pages.still_there().await?;
    Ok(context.watches.export(pages)?)
}

enum Next {
    Own,
    Invitations(Option<Uuid>),
    Bars(Option<MemberId>),
    Nothing,
}

struct Pages {
    store: Arc<dyn Store>,
    member: MemberId,
    next: Next,
}

impl Pages {
    async fn still_there(&self) -> Result<(), Failure> {
        if self.store.is_erased(self.member.clone()).await? {
            return Err(Refusal::MemberNotFound.into());
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<Vec<Part>>, Failure> {
        let (store, member) = (&self.store, self.member.clone());
        let (part, next) = match std::mem::replace(&mut self.next, Next::Nothing) {
            Next::Own => {
                let preferences = store.preferences(member.clone()).await?;
                let quota = store.quota(member).await?;
                let own = Part::Own(preferences, Box::new(quota));
                (own, Next::Invitations(None))
            }
            Next::Invitations(after) => {
                let (views, next) = store.kept_invitations(member, after, AT_ONCE).await?;
                let next = match next {
                    Some(last) => Next::Invitations(Some(last)),
                    None => Next::Bars(None),
                };
                (Part::Invitations(views), next)
            }
            Next::Bars(after) => {
                let (bars, more) = store.bars(member, after, AT_ONCE).await?;
                let last = bars.last().filter(|_| more);
                let next = last.map(|last| Next::Bars(Some(last.inviter.clone())));
                (Part::Bars(bars), next.unwrap_or(Next::Nothing))
            }
            Next::Nothing => {
                // Of whoever was erased meanwhile nothing was found: that was not all.
                self.still_there().await?;
                return Ok(None);
            }
        };
        self.next = next;
        Ok(Some(vec![part]))
    }
}

impl Export for Pages {
    type Message = Part;
    type Failure = Failure;

    fn next(&mut self) -> BoxFuture<'_, Page<Part, Failure>> {
        Box::pin(self.read())
    }
}
