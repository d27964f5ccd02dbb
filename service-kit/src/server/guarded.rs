//! A socket that counts what passes: ends a connection that sends too many frames without use, and knows since when a peer has not
//! read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::connections::Peer;
use super::figures::End;
use super::frames::{Credit, Heads};

/// What every client begins with.
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A socket whose peer has sent its preface, which is read again from here.
#[derive(Debug)]
pub(super) struct Guarded<S> {
    socket: S,
    peer: Arc<Peer>,
    preface: &'static [u8],
    read: Heads,
    written: Heads,
    credit: Credit,
}

impl<S> Guarded<S> {
    /// `credit`: how many frames without use may come before the first answer; twice as many once there were answers.
    pub(super) fn new(socket: S, peer: Arc<Peer>, credit: u32) -> Self {
        Self {
            socket,
            peer,
            preface: PREFACE,
            read: Heads::default(),
            written: Heads::default(),
            credit: Credit::new(credit, credit.saturating_mul(2), Instant::now()),
        }
    }

    fn count_written<'a>(&mut self, bufs: impl Iterator<Item = &'a [u8]>, mut written: usize) {
        for buf in bufs {
            let part = buf.get(..written).unwrap_or(buf);
            written -= part.len();
            self.written.feed(part, |head| {
                if head.answers() {
                    self.credit.earn();
                }
            });
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if !this.preface.is_empty() {
            let (now, later) = this
                .preface
                .split_at(this.preface.len().min(buf.remaining()));
            buf.put_slice(now);
            this.preface = later;
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        std::task::ready!(Pin::new(&mut this.socket).poll_read(cx, buf))?;
        let mut paid = this.credit.spend(this.peer.take_charges(), Instant::now);
        let came = buf.filled().get(before..).unwrap_or_default();
        this.read.feed(came, |head| {
            paid &= this.credit.spend(head.cost(), Instant::now);
        });
        if paid {
            Poll::Ready(Ok(()))
        } else {
            this.peer.ends(End::Frames);
            Poll::Ready(Err(io::Error::other("too many frames without use")))
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = Pin::new(&mut this.socket).poll_write(cx, buf);
        this.peer.note_write(written.is_pending());
        let written = std::task::ready!(written)?;
        this.count_written([buf].into_iter(), written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let written = Pin::new(&mut this.socket).poll_write_vectored(cx, bufs);
        this.peer.note_write(written.is_pending());
        let written = std::task::ready!(written)?;
        this.count_written(bufs.iter().map(|buf| &**buf), written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
