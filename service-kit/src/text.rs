//! Texts that people write: one form, a bound, and nothing in them that shows another text than the one that is stored.
//!
//! Deliberately absent: what a text is for, and cutting. A text that does not fit is refused.

use unicode_normalization::UnicodeNormalization as _;

/// Whether a text may have more than one line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// Line feeds are refused like any other control character.
    One,
    /// Line feeds are kept.
    Many,
}

/// Why a text is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedText {
    /// More scalar values than these.
    #[error("must be at most {chars_max} characters after normalisation and trimming")]
    TooLong {
        /// How many there may be.
        chars_max: usize,
    },
    /// A control character, in a text of one line.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// A control character other than the line feed, in a text of many lines.
    #[error("must not contain control characters other than line feeds")]
    ControlCharacterInLines,
    /// A bidirectional control, with which text can be made to read otherwise than it is written.
    #[error("must not contain bidirectional control characters")]
    BidirectionalControl,
}

/// Normalises to NFC (Unicode Standard Annex #15), trims and checks: at most `chars_max` scalar values.
pub fn parse(text: &str, chars_max: usize, lines: Lines) -> Result<String, MalformedText> {
    let too_long = MalformedText::TooLong { chars_max };
    let text = text.trim();
    // NFC composes at most four scalar values of four bytes into one, so a longer text cannot fit: refuse it before working on it.
    if text.len() > chars_max.saturating_mul(4 * 4) {
        return Err(too_long);
    }
    let text: String = text.nfc().collect();
    if text.chars().any(is_bidirectional_control) {
        return Err(MalformedText::BidirectionalControl);
    }
    match lines {
        Lines::One if text.chars().any(char::is_control) => {
            return Err(MalformedText::ControlCharacter);
        }
        Lines::Many if text.chars().any(|c| c.is_control() && c != '\n') => {
            return Err(MalformedText::ControlCharacterInLines);
        }
        Lines::One | Lines::Many => {}
    }
    if text.chars().count() > chars_max {
        return Err(too_long);
    }
    Ok(text)
}

/// The characters of Unicode's `Bidi_Control` property (Unicode Standard Annex #9).
fn is_bidirectional_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOO_LONG: MalformedText = MalformedText::TooLong { chars_max: 300 };

    fn check(lines: Lines, text: &str, expected: Result<&str, MalformedText>) {
        let parsed = parse(text, 300, lines);
        assert_eq!(parsed, expected.map(str::to_owned), "{text:?}");
    }

    #[test]
    fn texts_are_normalised_trimmed_and_never_cut() {
        for lines in [Lines::One, Lines::Many] {
            check(lines, "", Ok(""));
            check(lines, "  \n ", Ok(""));
            check(lines, " hello there\n", Ok("hello there"));
            check(lines, "e\u{301}", Ok("\u{e9}"));
            check(
                lines,
                "a\u{202e}b",
                Err(MalformedText::BidirectionalControl),
            );
            check(
                lines,
                "a\u{2066}b",
                Err(MalformedText::BidirectionalControl),
            );
            check(lines, "\u{200f}a", Err(MalformedText::BidirectionalControl));
            check(lines, &"x".repeat(301), Err(TOO_LONG));
            check(lines, &"x".repeat(1_000_000), Err(TOO_LONG));
            let full = "\u{1f600}".repeat(300);
            check(lines, &full, Ok(&full));
            // 300 scalar values after normalisation, 600 before.
            check(lines, &"e\u{301}".repeat(300), Ok(&"\u{e9}".repeat(300)));
        }
    }

    #[test]
    fn the_line_feed_alone_is_a_control_character_that_some_texts_may_have() {
        check(Lines::Many, "a\nb", Ok("a\nb"));
        check(Lines::One, "a\nb", Err(MalformedText::ControlCharacter));
        for text in ["a\tb", "a\rb", "a\u{0}b", "a\u{85}b", "a\u{7f}b"] {
            check(Lines::One, text, Err(MalformedText::ControlCharacter));
            check(
                Lines::Many,
                text,
                Err(MalformedText::ControlCharacterInLines),
            );
        }
    }

    #[test]
    fn a_text_may_be_as_long_as_is_said_and_the_refusal_names_it() {
        assert!(parse("e\u{301}o\u{308}", 2, Lines::One).is_ok());
        assert_eq!(
            parse("abc", 2, Lines::One).unwrap_err().to_string(),
            "must be at most 2 characters after normalisation and trimming"
        );
        assert!(parse(&"\u{1f600}".repeat(2_000), 2_000, Lines::One).is_ok());
    }
}
