//! Messages between a peer and a method: taken in whole before the method sees them, and held until the peer has taken them.
//!
//! So a method never waits for a peer, and what is in between is counted (see [`super::connections`]). Deliberately absent:
//! decoding. tonic does that, and refuses what is malformed.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::body::Body;

use super::connections::{CALL_BYTES, Hold, OpenCall};
use crate::auth::unauthenticated;
use crate::status::dependency_unavailable;

/// How long the prefix of a message is: whether it is compressed, and its length.
const PREFIX_BYTES: usize = 5;
/// The largest piece of an answer that is handed over at once, in bytes.
const PIECE_BYTES_MAX: usize = 16 * 1_024;

/// Frames that are there already, and what may follow them.
pub(super) struct Held<B> {
    frames: VecDeque<Frame<Bytes>>,
    rest: Option<B>,
    hold: Option<Hold>,
    open: Option<OpenCall>,
}

impl<B> Held<B> {
    fn of(rest: B) -> Self {
        Self {
            frames: VecDeque::new(),
            rest: Some(rest),
            hold: None,
            open: None,
        }
    }

    fn bytes(&self) -> usize {
        let data = self.frames.iter().filter_map(Frame::data_ref);
        data.map(Bytes::len).sum()
    }
}

/// Takes in the message of a request, all of it, and says whether it is one: whole and not too large. `hold` is asked for only when the
/// peer lets us wait. What is not whole, or larger than `bytes_max`, is left to be refused by whoever decodes it.
pub(super) async fn receive<B>(
    body: B,
    bytes_max: usize,
    hold: impl FnOnce(usize) -> Hold,
) -> Result<(Held<B>, bool), B::Error>
where
    B: HttpBody<Data = Bytes> + Unpin,
{
    let mut held = Held::of(body);
    let (mut bytes, mut hold) = (0, Some(hold));
    while let Some(rest) = held.rest.as_mut() {
        let frame = match futures::poll!(rest.frame()) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                if let Some(hold) = hold.take() {
                    held.hold = Some(hold(CALL_BYTES + bytes));
                }
                rest.frame().await
            }
        };
        let Some(frame) = frame.transpose()? else {
            held.rest = None;
            break;
        };
        let more = frame.data_ref().map_or(0, Bytes::len);
        bytes += more;
        if let Some(hold) = &mut held.hold {
            hold.grow(more);
        }
        held.frames.push_back(frame);
        if bytes > PREFIX_BYTES + bytes_max || announced(&held.frames) > bytes_max {
            break;
        }
    }
    // It is with the method from here on, whose number is bounded.
    held.hold = None;
    let whole = held.rest.is_none() && bytes == PREFIX_BYTES + announced(&held.frames);
    Ok((held, whole))
}

/// How long the first message says it is; 0 while that has not come.
fn announced(frames: &VecDeque<Frame<Bytes>>) -> usize {
    let bytes = frames.iter().filter_map(Frame::data_ref).flatten().copied();
    let mut length = bytes.skip(1).take(PREFIX_BYTES - 1);
    match (length.next(), length.next(), length.next(), length.next()) {
        (Some(a), Some(b), Some(c), Some(d)) => {
            usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX)
        }
        _ => 0,
    }
}

/// Takes out of an answer what is there at once, which for a call is all of it, and holds it until the peer has taken it.
pub(super) async fn hold_answer(
    body: Body,
    open: OpenCall,
    hold: impl FnOnce(usize) -> Hold,
) -> Held<Body> {
    let mut held = Held::of(body);
    held.open = Some(open);
    while let Some(rest) = held.rest.as_mut() {
        match futures::poll!(rest.frame()) {
            Poll::Ready(Some(Ok(frame))) => push_pieces(&mut held.frames, frame),
            Poll::Ready(Some(Err(_)) | None) => held.rest = None,
            Poll::Pending => break,
        }
    }
    if !held.frames.is_empty() {
        held.hold = Some(hold(CALL_BYTES + held.bytes()));
    }
    held
}

fn push_pieces(frames: &mut VecDeque<Frame<Bytes>>, frame: Frame<Bytes>) {
    match frame.into_data() {
        Ok(mut data) => {
            while data.len() > PIECE_BYTES_MAX {
                frames.push_back(Frame::data(data.split_to(PIECE_BYTES_MAX)));
            }
            frames.push_back(Frame::data(data));
        }
        Err(trailers) => frames.push_back(trailers),
    }
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Held<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = &mut *self;
        if let Some(frame) = this.frames.pop_front() {
            if let (Some(hold), Some(data)) = (&mut this.hold, frame.data_ref()) {
                hold.shrink(data.len());
            }
            return Poll::Ready(Some(Ok(frame)));
        }
        match &mut this.rest {
            Some(rest) => Pin::new(rest).poll_frame(cx),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        let rest = self.rest.as_ref();
        self.frames.is_empty() && rest.is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// The answers of a stream that stays open, until the connection is about to end: then it ends with `UNAVAILABLE`, and the client
/// resumes on another connection; or until the caller's credentials are revoked: then it ends with `UNAUTHENTICATED`.
pub(super) struct Ending<G> {
    body: Option<Body>,
    end: Pin<Box<WaitForCancellationFutureOwned>>,
    revoked: Pin<Box<WaitForCancellationFutureOwned>>,
    _guards: G,
}

impl<G> Ending<G> {
    /// `guards` are dropped with the stream.
    pub(super) fn new(
        body: Body,
        ending: CancellationToken,
        revoked: CancellationToken,
        guards: G,
    ) -> Self {
        Self {
            body: Some(body),
            end: Box::pin(ending.cancelled_owned()),
            revoked: Box::pin(revoked.cancelled_owned()),
            _guards: guards,
        }
    }
}

impl<G: Unpin> HttpBody for Ending<G> {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else {
            return Poll::Ready(None);
        };
        // First, so that nothing more is shown, however much there is.
        let why = if this.revoked.as_mut().poll(cx).is_ready() {
            unauthenticated()
        } else {
            if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
                return Poll::Ready(frame);
            }
            std::task::ready!(this.end.as_mut().poll(cx));
            dependency_unavailable()
        };
        this.body = None;
        let mut trailers = http::HeaderMap::new();
        why.add_header(&mut trailers)?;
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }
}
