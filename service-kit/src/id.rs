//! Names: of members, of pairs of members, and of things made here (UUIDv7 in the order of their making).
//!
//! Deliberately absent: what a member or a thing is, and the clock: the time of a new id is an argument.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::environment::Random as RandomBytes;
use crate::time::Time;

/// The longest member id, in characters (each is one byte).
pub const MEMBER_ID_CHARS_MAX: usize = 64;

/// 1–64 characters of `A-Z a-z 0-9 . _ : @ -`, compared byte for byte. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(Arc<str>);

/// The text is not a member id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 64 characters of A-Z a-z 0-9 . _ : @ -")]
pub struct MalformedMemberId;

impl MemberId {
    /// Takes `text` as it stands (no trimming, no change of case); [`MalformedMemberId`] when it breaks the rule of the type.
    pub fn parse(text: &str) -> Result<Self, MalformedMemberId> {
        let allowed =
            |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b':' | b'@' | b'-');
        if text.is_empty() || text.len() > MEMBER_ID_CHARS_MAX || !text.bytes().all(allowed) {
            return Err(MalformedMemberId);
        }
        Ok(Self(text.into()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One of the two members of a pair: the lower id or the higher.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The member whose id is lower, byte for byte.
    Low,
    /// The member whose id is higher.
    High,
}

impl Side {
    /// Both sides, low first.
    pub const BOTH: [Self; 2] = [Self::Low, Self::High];

    /// The opposite side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Low => Self::High,
            Self::High => Self::Low,
        }
    }
}

/// An unordered pair of two different members.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PairKey {
    low: MemberId,
    high: MemberId,
}

impl PairKey {
    /// The pair of `a` and `b`, the same in either order; `None` when they are one member.
    pub fn new(a: &MemberId, b: &MemberId) -> Option<Self> {
        match a.cmp(b) {
            std::cmp::Ordering::Less => Some(Self {
                low: a.clone(),
                high: b.clone(),
            }),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Self {
                low: b.clone(),
                high: a.clone(),
            }),
        }
    }

    /// The lower member.
    pub fn low(&self) -> &MemberId {
        &self.low
    }

    /// The higher member.
    pub fn high(&self) -> &MemberId {
        &self.high
    }

    /// The side that `member` is on; `None` for a stranger to the pair.
    pub fn side_of(&self, member: &MemberId) -> Option<Side> {
        if *member == self.low {
            Some(Side::Low)
        } else if *member == self.high {
            Some(Side::High)
        } else {
            None
        }
    }

    /// The member on `side`.
    pub fn member(&self, side: Side) -> &MemberId {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }

    /// The one who is not `member`; `None` for a stranger to the pair.
    pub fn other(&self, member: &MemberId) -> Option<&MemberId> {
        self.side_of(member).map(|side| self.member(side.other()))
    }
}

/// A value for each side of a pair.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Sides<T> {
    /// The lower member's.
    pub low: T,
    /// The higher member's.
    pub high: T,
}

impl<T> Sides<T> {
    /// The value of `side`.
    pub fn get(&self, side: Side) -> &T {
        match side {
            Side::Low => &self.low,
            Side::High => &self.high,
        }
    }

    /// The value of `side`, to change.
    pub fn get_mut(&mut self, side: Side) -> &mut T {
        match side {
            Side::Low => &mut self.low,
            Side::High => &mut self.high,
        }
    }
}

/// The highest millisecond that fits in the 48 bits of a UUIDv7 (the year 10889).
const MILLIS_MAX: u64 = (1 << 48) - 1;
/// The highest value of the 12-bit counter within a millisecond.
const COUNTER_MAX: u16 = (1 << 12) - 1;

/// Fills bytes with randomness.
type Random = Box<dyn FnMut(&mut [u8]) + Send>;

/// Makes UUIDv7 whose order is the order of creation, also within one millisecond and when the clock goes back.
///
/// Layout: 48 bits of milliseconds, version, a 12-bit counter within the millisecond, variant, 62 random bits. The random bits
/// keep ids of different sources apart; within one source time and counter alone already differ.
pub struct IdSource {
    random: Random,
    millis: u64,
    counter: u16,
}

impl IdSource {
    /// A source that fills its random bits with `random`.
    pub fn new(random: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        Self {
            random: Box::new(random),
            millis: 0,
            counter: 0,
        }
    }

    /// A source with the randomness of `random`. Should that fail, the random bits are zero: ids stay unique within the source, and
    /// none of them is a secret.
    pub fn from_random(random: Arc<dyn RandomBytes>) -> Self {
        Self::new(move |bytes| {
            if random.fill(bytes).is_err() {
                bytes.fill(0);
            }
        })
    }

    /// Makes every id from now on greater than `last`, the last one of an earlier source. An id that is no UUIDv7 is ignored.
    pub fn resume_after(&mut self, last: Uuid) {
        if let Some((millis, counter)) = parts(&last)
            && (millis, counter) > (self.millis, self.counter)
        {
            (self.millis, self.counter) = (millis, counter);
        }
    }

    /// The next id, made at `now`. Greater than every one before. If `now` is not later than the last id's millisecond, that
    /// one's counter goes on, and when it is used up, the next millisecond is taken in advance. A time before 1970 counts as 1970.
    #[allow(
        clippy::should_implement_trait,
        reason = "it takes the time as an argument, which an iterator could not"
    )]
    pub fn next(&mut self, now: Time) -> Uuid {
        let now = clamped(now);
        if now > self.millis {
            (self.millis, self.counter) = (now, 0);
        } else if self.counter < COUNTER_MAX {
            self.counter += 1;
        } else {
            (self.millis, self.counter) = (self.millis.saturating_add(1).min(MILLIS_MAX), 0);
        }
        let mut random = [0; 8];
        (self.random)(&mut random);
        compose(self.millis, self.counter, u64::from_be_bytes(random))
    }
}

impl fmt::Debug for IdSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdSource")
            .field("millis", &self.millis)
            .field("counter", &self.counter)
            .finish_non_exhaustive()
    }
}

/// The smallest UUIDv7 of the millisecond `at`, for range scans: ids made before it are smaller, ids made then or later are not.
pub fn uuid_floor(at: Time) -> Uuid {
    compose(clamped(at), 0, 0)
}

/// The millisecond a UUIDv7 was made in; `None` for any other kind of UUID.
pub fn uuid_time(id: &Uuid) -> Option<Time> {
    let (millis, _) = parts(id)?;
    i64::try_from(millis).ok().map(Time::from_millis)
}

fn clamped(at: Time) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0).min(MILLIS_MAX)
}

fn compose(millis: u64, counter: u16, random: u64) -> Uuid {
    let version = 7_u128 << 76;
    let variant = 0b10_u128 << 62;
    let random = u128::from(random & ((1 << 62) - 1));
    Uuid::from_u128(
        (u128::from(millis) << 80) | version | (u128::from(counter) << 64) | variant | random,
    )
}

fn parts(id: &Uuid) -> Option<(u64, u16)> {
    if id.get_version_num() != 7 {
        return None;
    }
    let (head, _) = id.as_u64_pair();
    let counter = u16::try_from(head & u64::from(COUNTER_MAX)).ok()?;
    Some((head >> 16, counter))
}

#[cfg(test)]
mod tests;
