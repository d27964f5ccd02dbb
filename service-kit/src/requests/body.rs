//! A stream's messages, seen until its end.
//!
//! Deliberately absent: what the messages say. Only that one went out is counted, and the status at the end is read.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::HeaderMap;
use http_body::Frame;
use pin_project_lite::pin_project;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::Underway;
use crate::trace;

pin_project! {
    /// A body with what is seen of its request.
    pub(super) struct Observed {
        #[pin]
        body: Body,
        underway: Underway,
    }
}

impl Observed {
    pub(super) fn new(body: Body, underway: Underway) -> Self {
        Self { body, underway }
    }
}

impl http_body::Body for Observed {
    type Data = <Body as http_body::Body>::Data;
    type Error = <Body as http_body::Body>::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.project();
        let context = this.underway.span.context();
        let polled = trace::within_sync(context, || this.body.poll_frame(cx));
        let frame = ready!(polled);
        if let Some(Ok(frame)) = &frame {
            if frame.is_data() {
                this.underway.method.messages.inc();
            }
            if let Some(trailers) = frame.trailers_ref() {
                let (code, reason) = ending(trailers);
                this.underway.end(code, reason.into(), None);
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

/// The code and reason that a stream ends with. They are this process's own words.
fn ending(trailers: &HeaderMap) -> (Code, String) {
    let Some(status) = Status::from_header_map(trailers) else {
        return (Code::Unknown, String::new());
    };
    let reason = match status.code() {
        Code::Ok => None,
        _ => status.get_details_error_info().map(|info| info.reason),
    };
    (status.code(), reason.unwrap_or_default())
}
