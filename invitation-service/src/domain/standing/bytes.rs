//! A standing as bytes, for a column of the member's row.
//!
//! The first byte is the form's number; what follows is the value field by field (`postcard`: small numbers are one byte). A member of whom
//! nothing is known takes none. Deliberately absent: older forms, for there are none yet.

use super::{
    Standing,
    traces::{NOTES_MAX, WITHDRAWALS_MAX},
};

/// The number of the form.
const FORM: u8 = 1;

/// No standing is longer.
pub const STANDING_BYTES_MAX: usize = 4_096;

/// Bytes that stand for no standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedStanding {
    /// Of a form that is not known.
    #[error("a member's standing is of an unknown form")]
    UnknownForm,
    /// They make no sense.
    #[error("a member's standing is malformed")]
    Malformed,
    /// There is more than is ever kept.
    #[error("a member's standing holds more than is kept")]
    TooMuch,
}

impl Standing {
    /// The standing as bytes, at most [`STANDING_BYTES_MAX`]; none for one that holds nothing but up to when nothing has happened. Fails only
    /// if it cannot be put into words, which is a bug.
    pub fn to_bytes(&self) -> Result<Vec<u8>, MalformedStanding> {
        let nothing = Self {
            clock: self.clock,
            ..Self::default()
        };
        if *self == nothing {
            return Ok(Vec::new());
        }
        postcard::to_extend(self, vec![FORM]).map_err(|_| MalformedStanding::Malformed)
    }

    /// The standing that these bytes stand for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MalformedStanding> {
        let Some((form, rest)) = bytes.split_first() else {
            return Ok(Self::default());
        };
        if *form != FORM {
            return Err(MalformedStanding::UnknownForm);
        }
        let (standing, rest): (Self, _) =
            postcard::take_from_bytes(rest).map_err(|_| MalformedStanding::Malformed)?;
        if !(rest.is_empty() && standing.signs.is_valid() && standing.cleared.is_valid()) {
            return Err(MalformedStanding::Malformed);
        }
        let fits = standing.weeks.is_valid()
            && standing.days.is_valid()
            && standing.withdrawals.len() <= WITHDRAWALS_MAX
            && standing.notes.len() <= NOTES_MAX;
        fits.then_some(standing).ok_or(MalformedStanding::TooMuch)
    }
}

#[cfg(test)]
mod tests {
    use service_kit::time::Span;

    use super::{
        super::{
            Outcome,
            calendar::Day,
            fixture::{Inviter, START, tag, terms},
        },
        *,
    };

    /// A member who has sent a few invitations a month for a season.
    fn ordinary() -> Standing {
        let mut inviter = Inviter::new();
        for n in 0..12 {
            inviter.pass(Span::days(7));
            let sent = inviter.send();
            if n % 3 > 0 {
                inviter.pass(Span::days(2));
                inviter.end(Outcome::Accepted, sent);
            }
        }
        inviter.standing
    }

    /// One who does as much as can be counted, each day.
    fn heaviest() -> Standing {
        let mut inviter = Inviter::new();
        for day in 0..200_u32 {
            inviter.pass(Span::days(1));
            for n in 0..70 {
                let note = Some(tag(1_000_000 + day * 100 + n));
                let sent = inviter.send_noted(tag(day * 100 + n), note);
                if n % 2 == 0 {
                    inviter.withdraw(tag(day * 100 + n), sent);
                }
            }
        }
        inviter.standing.set_weekly_cap(Some(u32::MAX));
        inviter.standing
    }

    #[test]
    fn what_was_written_is_read_again() {
        let mut limited = Inviter::new();
        limited.sends_ending(60, Outcome::Reported);
        limited.standing.set_weekly_cap(Some(7));
        limited
            .standing
            .impose_restriction(START.plus(Span::days(900)));
        limited.standing.clear_flags();
        for standing in [
            Standing::default(),
            ordinary(),
            heaviest(),
            limited.standing,
        ] {
            let bytes = standing.to_bytes().unwrap();
            assert_eq!(Standing::from_bytes(&bytes), Ok(standing));
        }
    }

    #[test]
    fn the_heaviest_is_bounded_and_the_ordinary_is_short() {
        let long = heaviest().to_bytes().unwrap().len();
        assert!((1_000..=STANDING_BYTES_MAX).contains(&long), "{long} bytes");
        let short = ordinary().to_bytes().unwrap().len();
        assert!((40..=160).contains(&short), "{short} bytes");
        assert_eq!(Standing::default().to_bytes().unwrap().len(), 0);
        let mut looked_at = Inviter::new();
        looked_at.pass(Span::days(3));
        looked_at
            .standing
            .advance(looked_at.now, &terms(&looked_at.policy));
        assert_eq!(looked_at.standing.to_bytes().unwrap().len(), 0);
    }

    #[test]
    fn the_form_does_not_change_unnoticed() {
        let mut inviter = Inviter::new();
        let sent = inviter.send_noted(tag(1), Some(tag(2)));
        inviter.pass(Span::hours(30));
        inviter.withdraw(tag(1), sent);
        let bytes = inviter.standing.to_bytes().unwrap();
        let hex = bytes
            .iter()
            .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        assert_eq!(hex, FIRST_FORM);
    }

    const FIRST_FORM: &str = "0180c6d6f7d2660180fad690d266000101c82d01000000000101f2be0201010000000000000001f4be0201\
                              0000000101f2be0201000000020000000101000000";

    #[test]
    fn bytes_that_make_no_sense_are_refused_and_never_a_default() {
        let bytes = ordinary().to_bytes().unwrap();
        for cut in 1..bytes.len() {
            let refused = Standing::from_bytes(&bytes[..cut]);
            assert_eq!(refused, Err(MalformedStanding::Malformed), "cut at {cut}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(
            Standing::from_bytes(&longer),
            Err(MalformedStanding::Malformed)
        );
        let mut other = bytes;
        other[0] = 2;
        assert_eq!(
            Standing::from_bytes(&other),
            Err(MalformedStanding::UnknownForm)
        );
    }

    #[test]
    fn more_than_is_ever_kept_is_refused() {
        let mut standing = Standing::default();
        for day in 0..100 {
            standing.days.count_sent(Day::of(START).minus(day));
        }
        let bytes = standing.to_bytes().unwrap();
        assert_eq!(
            Standing::from_bytes(&bytes),
            Err(MalformedStanding::TooMuch)
        );
    }

    #[test]
    fn any_bytes_are_read_or_refused() {
        let bytes = ordinary().to_bytes().unwrap();
        for at in 0..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                if let Ok(standing) = Standing::from_bytes(&changed) {
                    assert!(standing.to_bytes().unwrap().len() <= STANDING_BYTES_MAX);
                }
            }
        }
    }
}
