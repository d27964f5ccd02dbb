//! Which trace a piece of work belongs to, as W3C Trace Context has it, from the caller through both services to the worker.
//!
//! The context of the work under way is kept with its task, so that log lines, calls made from it and what it stores can name it without
//! handing it through every function. Deliberately absent: spans made by libraries (only what is begun here is exported, so nothing that a
//! library sees can leave with a trace), baggage, and any word of a member.

mod export;
mod ids;

use std::fmt;
use std::future::Future;

use tokio::task::futures::TaskLocalFuture;
use tonic::metadata::MetadataValue;

pub use export::{ExportError, Span, SpanKind, TraceOptions, Tracer};
pub use ids::TraceIds;

/// The header that carries a [`TraceContext`].
pub const HEADER: &str = "traceparent";

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// A trace, and the span within it that comes before what is done next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

impl TraceContext {
    /// The length of [`TraceContext::to_bytes`].
    pub const BYTES: usize = 25;

    /// A context with these ids; `None` when either is all zeroes, which names nothing.
    pub fn new(trace_id: [u8; 16], span_id: [u8; 8], sampled: bool) -> Option<Self> {
        let named = trace_id != [0; 16] && span_id != [0; 8];
        named.then_some(Self {
            trace_id,
            span_id,
            sampled,
        })
    }

    /// Reads the value of a `traceparent` header. `None` for anything malformed, which begins a trace anew.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace_id) = (hex::<1>(parts.next()?)?, hex(parts.next()?)?);
        let (span_id, [flags]) = (hex(parts.next()?)?, hex(parts.next()?)?);
        // Later versions may say more after that; version 255 is forbidden, and version 0 ends here.
        let known = match version {
            [0] => parts.next().is_none(),
            [version] => version != u8::MAX,
        };
        Self::new(trace_id, span_id, flags & 1 == 1).filter(|_| known)
    }

    /// The trace's id, in hexadecimal.
    pub fn trace_id(&self) -> impl fmt::Display {
        Hex(self.trace_id)
    }

    /// Whether whoever began the trace wants it exported.
    pub fn sampled(&self) -> bool {
        self.sampled
    }

    /// The context in 25 bytes: both ids and the flags.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut bytes = [u8::from(self.sampled); Self::BYTES];
        let (trace_id, rest) = bytes.split_at_mut(16);
        trace_id.copy_from_slice(&self.trace_id);
        let (span_id, _) = rest.split_at_mut(8);
        span_id.copy_from_slice(&self.span_id);
        bytes
    }

    /// What [`TraceContext::to_bytes`] gave; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (trace_id, rest) = bytes.split_first_chunk()?;
        let (span_id, flags) = rest.split_first_chunk()?;
        match flags {
            [flag @ (0 | 1)] => Self::new(*trace_id, *span_id, *flag == 1),
            _ => None,
        }
    }

    /// Names this context to whoever is called by `request`.
    pub fn apply<T>(&self, request: &mut tonic::Request<T>) {
        // Hexadecimal digits and hyphens are always a value of a header.
        if let Ok(value) = MetadataValue::try_from(self.to_string()) {
            request.metadata_mut().insert(HEADER, value);
        }
    }
}

/// The value of a `traceparent` header.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (trace_id, span_id) = (Hex(self.trace_id), Hex(self.span_id));
        write!(f, "00-{trace_id}-{span_id}-0{}", u8::from(self.sampled))
    }
}

struct Hex<const N: usize>([u8; N]);

impl<const N: usize> fmt::Display for Hex<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Exactly `N` bytes in hexadecimal, in lower case as the specification demands.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

/// The trace that the task under way belongs to, if any.
pub fn current() -> Option<TraceContext> {
    CURRENT.try_get().ok()
}

/// Does `work` as a part of the trace of `context`.
pub fn within<F: Future>(context: TraceContext, work: F) -> TaskLocalFuture<TraceContext, F> {
    CURRENT.scope(context, work)
}

/// Does `work` at once as a part of the trace of `context`.
pub fn within_sync<T>(context: TraceContext, work: impl FnOnce() -> T) -> T {
    CURRENT.sync_scope(context, work)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_header_is_read_and_written() {
        let context = TraceContext::parse(TEXT).unwrap();
        assert!(context.sampled());
        assert_eq!(context.to_string(), TEXT);
        assert_eq!(
            context.trace_id().to_string(),
            "4bf92f3577b34da6a3ce929d0e0e4736"
        );
        // Of the flags only one is known here.
        let unsampled = TEXT.replace("-01", "-02");
        assert!(!TraceContext::parse(&unsampled).unwrap().sampled());
        let later = TEXT.replacen("00", "cc", 1) + "-more";
        assert_eq!(TraceContext::parse(&later), Some(context));
    }

    #[test]
    fn what_is_malformed_is_no_context() {
        for odd in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47366-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473é-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(odd), None, "{odd}");
        }
    }

    #[test]
    fn bytes_go_there_and_back() {
        for text in [TEXT, &TEXT.replace("-01", "-00")] {
            let context = TraceContext::parse(text).unwrap();
            let bytes = context.to_bytes();
            assert_eq!(TraceContext::from_bytes(&bytes), Some(context));
            assert_eq!(TraceContext::from_bytes(&bytes[..24]), None);
        }
        assert_eq!(TraceContext::from_bytes(&[0; TraceContext::BYTES]), None);
        assert_eq!(TraceContext::from_bytes(&[2; TraceContext::BYTES]), None);
    }

    #[tokio::test]
    async fn work_knows_its_trace_and_nothing_else_does() {
        let context = TraceContext::parse(TEXT).unwrap();
        assert_eq!(current(), None);
        assert_eq!(within(context, async { current() }).await, Some(context));
        assert_eq!(within_sync(context, current), Some(context));
        assert_eq!(current(), None);
    }

    #[test]
    fn a_call_names_its_trace() {
        let mut request = tonic::Request::new(());
        TraceContext::parse(TEXT).unwrap().apply(&mut request);
        assert_eq!(request.metadata().get(HEADER).unwrap(), TEXT);
    }
}
