//! The two texts that travel with an invitation: the note from member to member, and the caller's word for where it came from.
//!
//! Deliberately absent: cutting. A text that does not fit is refused.

use unicode_normalization::UnicodeNormalization;

/// A personal message: NFC, trimmed, at most as many scalar values as the policy says, line feeds as the only control character.
///
/// Has no `Debug` or `Display` of its text, so that no log can carry it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Note(String);

/// Why a text is no note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedNote {
    /// More scalar values than these.
    #[error("must be at most {chars_max} characters after normalisation and trimming")]
    TooLong {
        /// How many there may be.
        chars_max: usize,
    },
    /// A control character other than the line feed.
    #[error("must not contain control characters other than line feeds")]
    ControlCharacter,
    /// A bidirectional control, with which text can be made to read otherwise than it is written.
    #[error("must not contain bidirectional control characters")]
    BidirectionalControl,
}

impl Note {
    /// Normalises to NFC (Unicode Standard Annex #15), trims and checks: at most `chars_max` scalar values.
    pub fn parse(text: &str, chars_max: usize) -> Result<Self, MalformedNote> {
        let too_long = MalformedNote::TooLong { chars_max };
        let text = text.trim();
        // NFC composes at most four scalar values of four bytes into one, so a longer text cannot fit: refuse it before working on it.
        if text.len() > chars_max.saturating_mul(4 * 4) {
            return Err(too_long);
        }
        let note: String = text.nfc().collect();
        if note.chars().any(is_bidirectional_control) {
            return Err(MalformedNote::BidirectionalControl);
        }
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(MalformedNote::ControlCharacter);
        }
        if note.chars().count() > chars_max {
            return Err(too_long);
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

/// The characters of Unicode's `Bidi_Control` property (Unicode Standard Annex #9).
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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

    const TOO_LONG: MalformedNote = MalformedNote::TooLong { chars_max: 300 };

    fn parsed(text: &str) -> Result<String, MalformedNote> {
        Note::parse(text, 300).map(|note| note.as_str().to_owned())
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
        check(&"x".repeat(301), Err(TOO_LONG));
        check(&"x".repeat(1_000_000), Err(TOO_LONG));
        let full = "\u{1f600}".repeat(300);
        check(&full, Ok(&full));
        // 300 scalar values after normalisation, 600 before.
        check(&"e\u{301}".repeat(300), Ok(&"\u{e9}".repeat(300)));
    }

    #[test]
    fn a_note_may_be_as_long_as_the_policy_says_and_the_refusal_names_it() {
        assert!(Note::parse("e\u{301}o\u{308}", 2).is_ok());
        let refused = Note::parse("abc", 2).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "must be at most 2 characters after normalisation and trimming"
        );
        assert!(Note::parse(&"\u{1f600}".repeat(2_000), 2_000).is_ok());
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
