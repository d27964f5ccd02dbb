//! What is looked for in a list of connections.
//!
//! Deliberately absent: how alike two words must be. A word is found by its beginning, folded, or not at all.

use service_kit::text::{self, Lines, MalformedText};

use super::folding::{Words, has_term};

/// Words of which each must be the beginning of one of somebody's.
///
/// Has no `Debug` of its words, so that no log can carry them.
#[derive(Clone, PartialEq, Eq)]
pub struct Search {
    terms: Vec<String>,
}

impl std::fmt::Debug for Search {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Search({} terms)", self.terms.len())
    }
}

impl Search {
    /// The search for a text of one line of at most `chars_max` scalar values; `None` for a blank one.
    pub fn parse(text: &str, chars_max: usize) -> Result<Option<Self>, MalformedText> {
        let text = text::parse(text, chars_max, Lines::One)?;
        let terms = Words::of(&[&text]).terms();
        Ok((!text.is_empty()).then_some(Self { terms }))
    }

    /// What is looked for, folded. The same for texts that find the same.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Whether everything is found in `words`, as [`Words::as_str`] has them. Without a letter or digit nothing is: whoever removes what
    /// a search finds must not remove everything by a slip of the finger.
    pub fn finds(&self, words: &str) -> bool {
        !self.terms.is_empty() && self.terms.iter().all(|term| has_term(words, term))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_be_found() {
        let words = Words::of(&["Ana", "Müller", "Head of R&D"]);
        for (text, found) in [
            ("an", true),
            ("MUELLER", false),
            ("mull an", true),
            ("mull anx", false),
            ("head, ana", true),
            ("d r", true),
            ("+++", false),
            ("🙂", false),
            ("🙂 an", true),
        ] {
            let search = Search::parse(text, 20).unwrap().unwrap();
            assert_eq!(search.finds(words.as_str()), found, "{text}");
        }
    }

    #[test]
    fn a_blank_text_looks_for_nothing() {
        for blank in ["", "  ", "\n"] {
            assert_eq!(Search::parse(blank, 20), Ok(None), "{blank:?}");
        }
    }

    #[test]
    fn texts_that_find_the_same_are_the_same_search() {
        let search = |text| Search::parse(text, 20).unwrap();
        assert_eq!(search("ann  bob"), search("BOB, Ánn b"));
        assert_ne!(search("ann bob"), search("annbob"));
    }

    #[test]
    fn texts_that_are_refused_look_for_nothing() {
        let too_long = MalformedText::TooLong { chars_max: 3 };
        assert_eq!(Search::parse("four", 3), Err(too_long));
        assert_eq!(
            Search::parse("a\nb", 3),
            Err(MalformedText::ControlCharacter)
        );
        assert_eq!(
            Search::parse("\u{202e}", 3),
            Err(MalformedText::BidirectionalControl)
        );
    }

    #[test]
    fn nobody_reads_a_search_in_a_log() {
        let search = Search::parse("ann bob", 20).unwrap().unwrap();
        assert_eq!(format!("{search:?}"), "Search(2 terms)");
    }
}
