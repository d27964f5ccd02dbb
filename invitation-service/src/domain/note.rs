//! The two texts that travel with an invitation: the note from member to member, and the caller's word for where it came from.
//!
//! Deliberately absent: cutting. A text that does not fit is refused.

use unicode_normalization::UnicodeNormalization;

/// The most Unicode scalar values of a note.
pub const NOTE_CHARS_MAX: usize = 300;
/// The most characters of a source.
pub const SOURCE_CHARS_MAX: usize = 32;

/// A personal message: NFC, trimmed, at most [`NOTE_CHARS_MAX`] scalar values, line feeds as the only control character.
///
/// Has no `Debug` or `Display` of its text, so that no log can carry it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Note(String);

/// Why a text is no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNote {
    /// More than [`NOTE_CHARS_MAX`] scalar values.
    #[error("must be at most {NOTE_CHARS_MAX} characters after normalisation and trimming")]
    TooLong,
    /// A control character other than the line feed.
    #[error("must not contain control characters other than line feeds")]
    ControlCharacter,
    /// A bidirectional control, with which text can be made to read otherwise than it is written.
    #[error("must not contain bidirectional control characters")]
    BidirectionalControl,
}

impl Note {
    /// Normalises to NFC (Unicode Standard Annex #15), trims and checks.
    pub fn parse(text: &str) -> Result<Self, MalformedNote> {
        let text = text.trim();
        // NFC composes at most four scalar values of four bytes into one, so a longer text cannot fit: refuse it before working on it.
        if text.len() > NOTE_CHARS_MAX * 4 * 4 {
            return Err(MalformedNote::TooLong);
        }
        let note: String = text.nfc().collect();
        if note.chars().any(is_bidirectional_control) {
            return Err(MalformedNote::BidirectionalControl);
        }
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(MalformedNote::ControlCharacter);
        }
        if note.chars().count() > NOTE_CHARS_MAX {
            return Err(MalformedNote::TooLong);
        }
        Ok(Self(note))
    }

    /// A note as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text; empty when there is none.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Note({} bytes)", self.0.len())
    }
}

/// The characters of Unicode's `Bidi_Control` property (Unicode Standard Annex #9).
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Where an invitation came from, in the caller's own words: up to [`SOURCE_CHARS_MAX`] of `a-z 0-9 _ . -`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source(String);

/// Why a text is no source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {SOURCE_CHARS_MAX} characters of a-z 0-9 _ . -")]
pub struct MalformedSource;

impl Source {
    /// Checks the length and the characters.
    pub fn parse(text: &str) -> Result<Self, MalformedSource> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_.-".contains(&b);
        if text.len() > SOURCE_CHARS_MAX || !text.bytes().all(allowed) {
            return Err(MalformedSource);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, MalformedNote> {
        Note::parse(text).map(|note| note.as_str().to_owned())
    }

    #[test]
    fn notes_are_normalised_trimmed_and_never_cut() {
        let check = |text: &str, expected: Result<&str, MalformedNote>| {
            assert_eq!(parsed(text), expected.map(str::to_owned), "{text:?}");
        };
        check("", Ok(""));
        check("  \n ", Ok(""));
        check(" hello\nthere ", Ok("hello\nthere"));
        check("e\u{301}", Ok("\u{e9}"));
        check("a\tb", Err(MalformedNote::ControlCharacter));
        check("a\rb", Err(MalformedNote::ControlCharacter));
        check("a\u{0}b", Err(MalformedNote::ControlCharacter));
        check("a\u{85}b", Err(MalformedNote::ControlCharacter));
        check("a\u{202e}b", Err(MalformedNote::BidirectionalControl));
        check("a\u{2066}b", Err(MalformedNote::BidirectionalControl));
        check("\u{200f}a", Err(MalformedNote::BidirectionalControl));
        check(&"x".repeat(301), Err(MalformedNote::TooLong));
        check(&"x".repeat(1_000_000), Err(MalformedNote::TooLong));
        let full = "\u{1f600}".repeat(300);
        check(&full, Ok(&full));
        // 300 scalar values after normalisation, 600 before.
        check(&"e\u{301}".repeat(300), Ok(&"\u{e9}".repeat(300)));
    }

    #[test]
    fn sources_are_short_words() {
        assert!(Source::parse("").is_ok());
        assert!(Source::parse("people_you-may.know2").is_ok());
        for bad in ["Search", "a b", "ä", &"x".repeat(33)] {
            assert_eq!(Source::parse(bad), Err(MalformedSource), "{bad:?}");
        }
    }
}
