//! The two things that a member writes about a connection: labels, and a private note.
//!
//! Both belong to one side. Deliberately absent: whom they are about (see [`annotation`](super::annotation)), and the form of texts (see
//! [`service_kit::text`]).

use service_kit::text::{self, Lines, MalformedText};

/// A word for some of a member's connections: one line, not empty. Two labels are the same when their texts are, letter by letter, so `Work` and
/// `work` are two: a member who wants them to be one renames one.
///
/// Has no `Debug` or `Display` of its text, so that no log can carry it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(String);

/// Why a text is no label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedLabel {
    /// There is nothing in it.
    #[error("must not be empty")]
    Empty,
    /// The text is malformed.
    #[error(transparent)]
    Text(#[from] MalformedText),
}

impl Label {
    /// Takes a text of one line in one form: 1 to `chars_max` scalar values. See [`service_kit::text`].
    pub fn parse(text: &str, chars_max: usize) -> Result<Self, MalformedLabel> {
        let text = text::parse(text, chars_max, Lines::One)?;
        if text.is_empty() {
            return Err(MalformedLabel::Empty);
        }
        Ok(Self(text))
    }

    /// A label as it was stored.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Label({} bytes)", self.0.len())
    }
}

/// What a member has written down about a connection, for themselves; may be empty.
///
/// Has no `Debug` or `Display` of its text, so that no log can carry it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PrivateNote(String);

impl PrivateNote {
    /// Takes a text of many lines in one form: at most `chars_max` scalar values. See [`service_kit::text`].
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

    /// The text; empty when there is none.
    pub fn into_string(self) -> String {
        self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for PrivateNote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateNote({} bytes)", self.0.len())
    }
}

/// The number of a label among its member's, from 1 on; never given twice while anything may hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelId(pub u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_one_line_and_not_empty() {
        let parsed = |text: &str| Label::parse(text, 3).map(Label::into_string);
        for (text, expected) in [
            (" e\u{301} ", "\u{e9}"),
            ("a b", "a b"),
            ("Abc", "Abc"),
            ("\u{1f600}\u{1f600}\u{1f600}", "\u{1f600}\u{1f600}\u{1f600}"),
        ] {
            assert_eq!(parsed(text), Ok(expected.to_owned()), "{text:?}");
        }
        for (text, refused) in [
            ("", MalformedLabel::Empty),
            (" \n\t", MalformedLabel::Empty),
            ("abcd", MalformedText::TooLong { chars_max: 3 }.into()),
            ("a\nb", MalformedText::ControlCharacter.into()),
            ("a\u{202e}", MalformedText::BidirectionalControl.into()),
        ] {
            assert_eq!(parsed(text), Err(refused), "{text:?}");
        }
    }

    #[test]
    fn labels_are_the_same_when_every_letter_is() {
        let label = |text| Label::parse(text, 50).unwrap();
        assert_eq!(label("caf\u{e9}"), label(" cafe\u{301}"));
        assert_ne!(label("Work"), label("work"));
    }

    #[test]
    fn notes_may_have_lines_and_be_empty() {
        let parsed = |text: &str| PrivateNote::parse(text, 3).map(PrivateNote::into_string);
        assert_eq!(parsed(" a\nb "), Ok("a\nb".to_owned()));
        assert_eq!(parsed(" \n"), Ok(String::new()));
        assert_eq!(parsed("abcd"), Err(MalformedText::TooLong { chars_max: 3 }));
        assert_eq!(parsed("a\tb"), Err(MalformedText::ControlCharacterInLines));
    }

    #[test]
    fn no_log_can_carry_their_text() {
        let (label, note) = (
            Label::stored("secret".into()),
            PrivateNote::stored("secret".into()),
        );
        assert_eq!(
            format!("{label:?} {note:?}"),
            "Label(6 bytes) PrivateNote(6 bytes)"
        );
    }
}
