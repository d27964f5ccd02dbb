//! Counting HTTP/2 frames where their bytes pass.
//!
//! HTTP/2 lets a peer send frames that cost it nothing and make the server work: h2 answers pings and settings without end. So a
//! connection has credit: each frame that it sends takes some, and more the longer it is, unless it is a proper piece of a message; each
//! frame of an answer that it is sent brings some; and a little comes with time. Whoever makes calls earns more than it can spend: Go's
//! client sends at most a ping and two window updates for a frame of an answer, C++'s less. Calls that were answered but were of no use
//! are charged for by [`super::gate`], so that their answers do not pay for them; whoever cancels calls loses two frames with each, and
//! earns them back with every other. Deliberately absent: understanding frames beyond their heads; h2 does that.

use std::time::Duration;

use tokio::time::Instant;

/// How long the head of a frame is, in bytes.
const HEAD_BYTES: usize = 9;
/// A piece of a message shorter than this counts as a frame without use, in bytes.
const PIECE_BYTES_MIN: usize = 16;
/// For how many bytes of a frame that is no piece of a message another one is paid.
const BYTES_FOR_ONE: usize = 1_024;
/// What a frame of an answer brings.
const EARNED: u32 = 4;
/// What a second brings.
const CREDIT_PER_SECOND: u32 = 200;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const END_STREAM: u8 = 1;

/// The head of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    length: usize,
    kind: u8,
    flags: u8,
}

impl Head {
    /// What a peer pays who sends the frame.
    pub(super) fn cost(self) -> u32 {
        let piece = self.length >= PIECE_BYTES_MIN || self.flags & END_STREAM != 0;
        if self.kind == DATA && piece {
            return 0;
        }
        // Three bytes hold a length.
        let more = u32::try_from(self.length / BYTES_FOR_ONE).unwrap_or(u32::MAX);
        more.saturating_add(1)
    }

    /// Whether the frame is part of an answer when the server sends it.
    pub(super) fn answers(self) -> bool {
        matches!(self.kind, DATA | HEADERS)
    }
}

/// Finds the heads of frames in bytes that come in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Heads {
    head: [u8; HEAD_BYTES],
    /// How much of the next head has come.
    have: usize,
    /// How much of the last frame is still to come.
    skip: usize,
}

impl Heads {
    /// Goes through the next bytes, and shows `each` head as soon as it is whole.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(Head)) {
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            for (place, byte) in self.head.iter_mut().skip(self.have).zip(bytes) {
                *place = *byte;
            }
            let taken = bytes.len().min(HEAD_BYTES - self.have);
            self.have += taken;
            bytes = bytes.get(taken..).unwrap_or_default();
            if self.have == HEAD_BYTES {
                let [a, b, c, kind, flags, ..] = self.head;
                let length = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
                (self.have, self.skip) = (0, length);
                each(Head {
                    length,
                    kind,
                    flags,
                });
            }
        }
    }
}

/// What a connection may still send.
#[derive(Debug)]
pub(super) struct Credit {
    left: u32,
    max: u32,
    /// Until when what time brings has been added.
    filled: Instant,
}

impl Credit {
    /// So much, and never more than `max`.
    pub(super) fn new(left: u32, max: u32, now: Instant) -> Self {
        Self {
            left,
            max,
            filled: now,
        }
    }

    /// For a frame of an answer.
    pub(super) fn earn(&mut self) {
        self.left = self.left.saturating_add(EARNED).min(self.max);
    }

    /// Takes `cost`; whether there was so much.
    pub(super) fn spend(&mut self, cost: u32, now: impl FnOnce() -> Instant) -> bool {
        if self.left < cost {
            self.fill(now());
        }
        let had = self.left >= cost;
        self.left = self.left.saturating_sub(cost);
        had
    }

    fn fill(&mut self, now: Instant) {
        let each = Duration::from_secs(1) / CREDIT_PER_SECOND;
        let passed = now.saturating_duration_since(self.filled);
        let brought = passed.as_nanos() / each.as_nanos();
        let brought = u32::try_from(brought).unwrap_or(u32::MAX);
        if brought > 0 {
            self.left = self.left.saturating_add(brought).min(self.max);
            self.filled = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let [_, a, b, c] = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = vec![a, b, c, kind, flags, 0, 0, 0, 1];
        frame.extend_from_slice(payload);
        frame
    }

    fn head(kind: u8, flags: u8, length: usize) -> Head {
        Head {
            length,
            kind,
            flags,
        }
    }

    #[test]
    fn finds_every_head_however_the_bytes_are_cut() {
        let bytes = [
            frame(4, 0, &[]),
            frame(DATA, 0, &vec![7; 70_000]),
            frame(6, 1, &[0; 8]),
            frame(DATA, END_STREAM, &[]),
            frame(HEADERS, 4, &[1; 30]),
        ]
        .concat();
        let expected = [
            head(4, 0, 0),
            head(DATA, 0, 70_000),
            head(6, 1, 8),
            head(DATA, END_STREAM, 0),
            head(HEADERS, 4, 30),
        ];
        for size in [1, 2, 3, 8, 9, 10, 17, 1_000, bytes.len()] {
            let (mut heads, mut found) = (Heads::default(), Vec::new());
            for piece in bytes.chunks(size) {
                heads.feed(piece, |head| found.push(head));
            }
            assert_eq!(found, expected, "{size}");
        }
    }

    #[test]
    fn only_pieces_of_messages_are_free() {
        let free = [
            head(DATA, 0, 16),
            head(DATA, END_STREAM, 0),
            head(DATA, 0, 16_384),
        ];
        assert!(free.iter().all(|head| head.cost() == 0));
        let one = [head(DATA, 0, 0), head(DATA, 0, 15), head(6, 0, 8)];
        assert!(one.iter().all(|head| head.cost() == 1));
        assert!((1..=255).all(|kind| head(kind, END_STREAM, 1_023).cost() == 1));
        assert_eq!(head(HEADERS, END_STREAM, 16_384).cost(), 17);
        assert!(head(DATA, 0, 1).answers() && head(HEADERS, 0, 1).answers());
        assert!((2..=255).all(|kind| !head(kind, 0, 8).answers()));
    }

    #[test]
    fn credit_is_spent_earned_and_comes_with_time() {
        let begun = Instant::now();
        let mut credit = Credit::new(10, 10, begun);
        let spend = |credit: &mut Credit, now| (0..20).filter(|_| credit.spend(1, || now)).count();
        assert_eq!(spend(&mut credit, begun), 10);
        credit.earn();
        assert_eq!(spend(&mut credit, begun), 4);
        let later = begun + Duration::from_millis(15);
        assert_eq!(spend(&mut credit, later), 3);
        assert_eq!(spend(&mut credit, later), 0);
        assert_eq!(
            spend(&mut credit, later + Duration::from_mins(10)),
            10,
            "never more than full"
        );
        credit.earn();
        assert!(!credit.spend(5, || later) && !credit.spend(1, || later));
    }

    #[test]
    fn an_honest_client_never_runs_out() {
        let begun = Instant::now();
        let mut credit = Credit::new(50, 100, begun);
        for _ in 0..100_000 {
            // A call: its headers; a ping and two window updates for each frame of the answer; a needless reset.
            for _ in 0..3 {
                credit.earn();
            }
            let sent = 1 + 3 * 3 + 1;
            assert!((0..sent).all(|_| credit.spend(1, || begun)));
        }
    }

    #[test]
    fn nor_does_one_that_cancels_four_calls_of_five() {
        let begun = Instant::now();
        let mut credit = Credit::new(50, 100, begun);
        for _ in 0..100_000 {
            // Four with their headers and a reset; one whose answer is taken with a window update for its message.
            for _ in 0..3 {
                credit.earn();
            }
            assert!((0..4 * 2 + 2).all(|_| credit.spend(1, || begun)));
        }
    }

    #[test]
    fn nor_does_one_whose_calls_all_pass_their_deadlines() {
        let begun = Instant::now();
        let mut credit = Credit::new(256, 512, begun);
        // A hundred at a time, each given up after a second, for a quarter of an hour.
        for second in 0..900 {
            let now = begun + Duration::from_secs(second);
            assert!((0..2 * 100).all(|_| credit.spend(1, || now)), "{second}");
        }
    }
}
