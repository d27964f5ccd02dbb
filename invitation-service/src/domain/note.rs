//! The two texts that travel with an invitation: the note from member to member, and the caller's word for where it came from.
//!
//! Deliberately absent: cutting. A text that does not fit is refused.

use service_kit::text::{self, Lines, MalformedText};
use unicode_normalization::UnicodeNormalization;

/// A personal message: NFC, trimmed, at most as many scalar values as the policy says, line feeds as the only control character.
///
/// Has no `Debug` or `Display` of its text, so that no log can carry it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Note(String);

impl Note {
    /// Takes a text in one form: at most `chars_max` scalar values. See [`service_kit::text`].
    pub fn parse(text: &str, chars_max: usize) -> Result<Self, MalformedText> {
        text::parse(text, chars_max, Lines::Many).map(Self)
    }

    /// A note as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text; empty when there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The note without differences that nobody reads: its letters and digits in lower case and compatibility form (NFKC). Of a note that
    /// has none of them all of it; `None` where there is no note.
    pub fn likeness(&self) -> Option<String> {
        let text = self.0.nfkc().flat_map(char::to_lowercase);
        let likeness: String = text.filter(|c| c.is_alphanumeric()).collect();
        let rest = Some(self.0.clone()).filter(|note| !note.is_empty());
        Some(likeness)
            .filter(|likeness| !likeness.is_empty())
            .or(rest)
    }
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({} bytes)", self.0.len())
    }
}

/// Where an invitation came from, in the caller's own words: `a-z 0-9 _ . -`, as many of them as the policy says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source(String);

/// Why a text is no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {chars_max} characters of a-z 0-9 _ . -")]
pub struct MalformedSource {
    /// How many there may be.
    pub chars_max: usize,
}

impl Source {
    /// Checks the length, at most `chars_max`, and the characters.
    pub fn parse(text: &str, chars_max: usize) -> Result<Self, MalformedSource> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
        if text.len() > chars_max || !text.bytes().all(allowed) {
            return Err(MalformedSource { chars_max });
        }
        Ok(Self(text.to_owned()))
    }

    /// A source as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text; empty when there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_normalised_and_may_have_lines() {
        let parsed = |text: &str| Note::parse(text, 5).map(Note::into_string);
        assert_eq!(parsed(" e\u{301}\nb "), Ok("\u{e9}\nb".to_owned()));
        let too_long = MalformedText::TooLong { chars_max: 5 };
        assert_eq!(parsed("abcdef"), Err(too_long));
        assert_eq!(parsed("a\tb"), Err(MalformedText::ControlCharacterInLines));
    }

    #[test]
    fn notes_that_read_alike_have_the_same_likeness() {
        let likeness = |text: &str| Note::parse(text, 300).unwrap().likeness();
        let hello = likeness("Hello there");
        assert_eq!(hello.as_deref(), Some("hellothere"));
        for alike in [
            "hello, THERE!",
            "  Hello\nthere \u{1f600}",
            "Ｈｅｌｌｏ there",
        ] {
            assert_eq!(likeness(alike), hello, "{alike:?}");
        }
        for other in ["Hello thero", "Hello there 2"] {
            assert_ne!(likeness(other), hello, "{other:?}");
        }
        assert_eq!(likeness(" \n"), None);
        assert_eq!(likeness("\u{1f600} !").as_deref(), Some("\u{1f600} !"));
    }

    #[test]
    fn sources_are_short_words() {
        assert!(Source::parse("", 32).is_ok());
        assert!(Source::parse("people_you-may.know2", 32).is_ok());
        for bad in ["Search", "a b", "ä", &"x".repeat(33)] {
            let refused = Err(MalformedSource { chars_max: 32 });
            assert_eq!(Source::parse(bad, 32), refused, "{bad:?}");
        }
        let refused = Source::parse("abc", 2).unwrap_err().to_string();
        assert_eq!(refused, "must be at most 2 characters of a-z 0-9 _ . -");
    }
}
