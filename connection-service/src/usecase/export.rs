//! `ExportConnections` and `ExportMember`: all that a member has, page by page.
//!
//! Each page is of one moment and begins after the last line of the one before, in the order of the list: what is there throughout is met
//! exactly once, and no snapshot has to be kept for a slow consumer. Deliberately absent: the form of what is exported.

use std::sync::Arc;

use futures::future::BoxFuture;
use service_kit::id::MemberId;
use service_kit::watch::{Export, Page, Watch};

use super::{Context, Failure};
use crate::domain::annotation::OwnLabel;
use crate::domain::card::Card;
use crate::domain::connection_list::Cursor;
use crate::domain::refusal::Refusal;
use crate::store::{ConnectionLine, Line, ListRequest, Store};

/// How many lines are read, and shown, at once.
pub const LINES_AT_ONCE: u32 = 500;

/// What is exported of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Their card.
    Card,
    /// Their labels.
    Labels,
    /// Their connections.
    Connections,
    /// Whom they have blocked.
    Blocks,
    /// Whom they do not want suggested.
    Dismissals,
}

/// Some of a part; empty when there is none of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lines {
    /// The card, if there is one, and whose it is.
    Card(MemberId, Option<Box<Card>>),
    /// All labels, in the order of their texts.
    Labels(Vec<OwnLabel>),
    /// Connections, newest first, with what the member has noted about them.
    Connections(Vec<ConnectionLine>),
    /// Blocks, newest first.
    Blocks(Vec<Line>),
    /// Dismissals, newest first.
    Dismissals(Vec<Line>),
}

/// Exports `parts` of what `member` has, in their order; each begins with lines, also when it has none. At most `noted_bytes_max` bytes of
/// labels and notes come at once, but for those of a first connection. Refuses with [`Refusal::MemberNotFound`], also in the midst of it.
pub async fn run(
    context: &Context,
    member: MemberId,
    parts: &'static [Part],
    noted_bytes_max: usize,
) -> Result<Watch<Lines, Failure>, Failure> {
    let pages = Pages {
        store: context.shared_store(),
        member,
        parts,
        noted_bytes_max,
        connections_after: None,
        blocks_after: None,
        dismissals_after: None,
    };
    pages.still_there().await?;
    Ok(context.watches.export(pages)?)
}

struct Pages {
    store: Arc<dyn Store>,
    member: MemberId,
    /// What is left, the part that is being read first.
    parts: &'static [Part],
    noted_bytes_max: usize,
    connections_after: Option<Cursor>,
    blocks_after: Option<Line>,
    dismissals_after: Option<Line>,
}

impl Pages {
    async fn still_there(&self) -> Result<(), Failure> {
        if self.store.is_erased(self.member.clone()).await? {
            return Err(Refusal::MemberNotFound.into());
        }
        Ok(())
    }

    async fn read(&mut self) -> Result<Option<Vec<Lines>>, Failure> {
        let Some((part, later)) = self.parts.split_first() else {
            // Whoever was erased meanwhile had empty lists: that was not all.
            self.still_there().await?;
            return Ok(None);
        };
        let (lines, more) = match part {
            Part::Card => (self.card().await?, false),
            Part::Labels => (self.labels().await?, false),
            Part::Connections => self.connections().await?,
            Part::Blocks => self.blocks().await?,
            Part::Dismissals => self.dismissals().await?,
        };
        if !more {
            self.parts = later;
        }
        Ok(Some(vec![lines]))
    }

    async fn card(&self) -> Result<Lines, Failure> {
        let card = self.store.card(self.member.clone()).await?;
        Ok(Lines::Card(self.member.clone(), card.map(Box::new)))
    }

    async fn labels(&self) -> Result<Lines, Failure> {
        Ok(Lines::Labels(self.store.labels(self.member.clone()).await?))
    }

    async fn connections(&mut self) -> Result<(Lines, bool), Failure> {
        let request = ListRequest {
            after: self.connections_after.take(),
            noted_bytes_max: self.noted_bytes_max,
            ..ListRequest::newest(LINES_AT_ONCE)
        };
        let page = self.store.connections(self.member.clone(), request).await?;
        self.connections_after = page.next;
        let more = self.connections_after.is_some();
        Ok((Lines::Connections(page.lines), more))
    }

    async fn blocks(&mut self) -> Result<(Lines, bool), Failure> {
        let after = self.blocks_after.take();
        let page = self
            .store
            .blocks(self.member.clone(), after, LINES_AT_ONCE)
            .await?;
        self.blocks_after = page.lines.last().filter(|_| page.more).cloned();
        Ok((Lines::Blocks(page.lines), page.more))
    }

    async fn dismissals(&mut self) -> Result<(Lines, bool), Failure> {
        let (member, after) = (self.member.clone(), self.dismissals_after.take());
        let lines = self.store.dismissed(member, after, LINES_AT_ONCE).await?;
        let more = u32::try_from(lines.len()) == Ok(LINES_AT_ONCE);
        self.dismissals_after = lines.last().filter(|_| more).cloned();
        Ok((Lines::Dismissals(lines), more))
    }
}

impl Export for Pages {
    type Message = Lines;
    type Failure = Failure;

    fn next(&mut self) -> BoxFuture<'_, Page<Lines, Failure>> {
        Box::pin(self.read())
    }
}
