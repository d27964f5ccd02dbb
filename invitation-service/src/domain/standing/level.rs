//! How a member is regarded: grades, flags and restrictions.
//!
//! Deliberately absent: how they are come by (`judge.rs`) and what they allow (`limits.rs`).

use serde::{Deserialize, Serialize};
use service_kit::time::Time;

/// How a member is regarded as an inviter, as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Has not sent long enough to be known.
    New,
    /// As most are.
    Normal,
    /// Most invitations are accepted.
    Trusted,
    /// Few invitations are accepted.
    Limited,
    /// May not send for a time.
    Restricted,
}

/// What the level is, or would be but for a restriction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grade {
    /// Has not sent long enough to be known.
    #[default]
    New,
    /// As most are.
    Normal,
    /// Most invitations are accepted.
    Trusted,
    /// Few invitations are accepted.
    Limited {
        /// Since when.
        since: Time,
    },
}

impl Grade {
    /// The level of a member who is not restricted.
    pub fn level(self) -> Level {
        match self {
            Self::New => Level::New,
            Self::Normal => Level::Normal,
            Self::Trusted => Level::Trusted,
            Self::Limited { .. } => Level::Limited,
        }
    }
}

/// A sign that a member invites in a way that others do not want.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Flag {
    /// Few invitations are accepted.
    LowAcceptance,
    /// Invitations are sent and withdrawn, again and again.
    WithdrawalChurn,
    /// The same note goes to many members.
    SameNote,
    /// Very many invitations are unanswered.
    TooManyUnanswered,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Self; 4] = [
        Self::LowAcceptance,
        Self::WithdrawalChurn,
        Self::SameNote,
        Self::TooManyUnanswered,
    ];

    const fn bit(self) -> u8 {
        match self {
            Self::LowAcceptance => 1,
            Self::WithdrawalChurn => 2,
            Self::SameNote => 4,
            Self::TooManyUnanswered => 8,
        }
    }
}

/// A set of flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Flags(u8);

impl Flags {
    /// Whether a flag is in it.
    pub fn contains(self, flag: Flag) -> bool {
        self.0 & flag.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in it, always in the same order.
    pub fn iter(self) -> impl Iterator<Item = Flag> {
        Flag::ALL
            .into_iter()
            .filter(move |flag| self.contains(*flag))
    }

    /// Puts a flag in, or takes it out.
    pub(super) fn set(&mut self, flag: Flag, up: bool) {
        if up {
            self.0 |= flag.bit();
        } else {
            self.0 &= !flag.bit();
        }
    }

    /// Those in it that are not in the other set.
    #[must_use]
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Those in both sets.
    #[must_use]
    pub(super) fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Whether it says nothing that no flag stands for.
    pub(super) fn is_valid(self) -> bool {
        Flag::ALL
            .iter()
            .fold(self.0, |left, flag| left & !flag.bit())
            == 0
    }
}

impl FromIterator<Flag> for Flags {
    fn from_iter<I: IntoIterator<Item = Flag>>(flags: I) -> Self {
        let mut set = Self::default();
        for flag in flags {
            set.set(flag, true);
        }
        set
    }
}

/// Why a member is restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// A strike: for a rate so low, or for this flag while LIMITED.
    Strike(Flag),
    /// An operator's act.
    Operator,
}

/// That a member may not send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restriction {
    /// From this moment on the member may again.
    pub until: Time,
    /// Why.
    pub cause: Cause,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_flags_holds_what_was_put_in() {
        for flag in Flag::ALL {
            let mut flags = Flags::from_iter([flag]);
            assert!(flags.contains(flag) && !flags.is_empty() && flags.is_valid());
            assert_eq!(flags.iter().collect::<Vec<_>>(), [flag]);
            flags.set(flag, false);
            assert!(flags.is_empty(), "{flag:?}");
        }
        let all = Flags::from_iter(Flag::ALL);
        assert!(all.iter().eq(Flag::ALL));
        assert!(all.is_valid() && !Flags(16).is_valid());
    }
}
