//! What names are compared by: without the differences that people do not look for a name by, and cut into words.
//!
//! The same for what is looked for and for what it is looked for in, so each is folded once: a card when it is put, a query when it is
//! asked. Unicode promises that normalisation and case folding of a character never change once it has them, so what is stored stays
//! right; whoever changes the rules below must fold what is stored anew.
//!
//! Deliberately absent: languages. What one language takes for a letter of its own another takes for an accent (å, ё, ñ), and nobody says
//! which one a name is in.

use icu_casemap::CaseMapper;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;
use memchr::memchr2_iter;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;
use unicode_segmentation::UnicodeSegmentation as _;

/// Before a word that something stands before: a space, a sign, or nothing at all.
const APART: u8 = b' ';
/// Before a word that follows the one before it without anything between the two, as in scripts that are written without spaces.
const TOUCHING: u8 = b'\x1f';

/// A text without differences of case, accent, width and form: compatibility decomposition (NFKD), full case folding, no accents, no
/// invisible characters.
pub fn fold(text: &str) -> String {
    let decomposed: String = text.nfkd().filter(|c| !is_dropped(*c)).collect();
    let mut folded = String::with_capacity(decomposed.len());
    for c in CaseMapper::new().fold_string(&decomposed).nfkd() {
        match c {
            // Letters that Unicode does not take apart, though people without them on their keyboard do.
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ħ' => folded.push('h'),
            'ŧ' => folded.push('t'),
            'ı' => folded.push('i'),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            c if is_dropped(c) => {}
            c => folded.push(c),
        }
    }
    folded
}

/// Whether folding leaves the character out: invisible ones, the line that stretches an Arabic word, and marks that can be left away
/// without making it another word. Those are told by their combining class: signs of Hebrew, Arabic and Syriac, and what stands above,
/// below or across a letter. Signs that spell, as vowels of Indic scripts, tones of Thai and the voicing of kana, have classes of their own.
fn is_dropped(c: char) -> bool {
    matches!(canonical_combining_class(c), 1 | 10..=36 | 200..=240)
        || c == '\u{640}'
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}

/// Folded texts as the words that they have (Unicode Standard Annex #29), each with what is before it. Signs that are no part of a word are
/// left out. In scripts without spaces the words are single characters, or close to it.
///
/// Has no `Debug` of its text, so that no log can carry it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Words(String);

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Words({} bytes)", self.0.len())
    }
}

impl Words {
    /// The words of all `texts`.
    pub fn of(texts: &[&str]) -> Self {
        let mut words = String::new();
        for text in texts {
            let folded = fold(text);
            let mut end = None;
            for (start, word) in folded.unicode_word_indices() {
                let touches = end == Some(start);
                words.push(char::from(if touches { TOUCHING } else { APART }));
                words.push_str(word);
                end = Some(start + word.len());
            }
        }
        Self(words)
    }

    /// As they are stored.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words as they are read and sorted: apart by one space, or not at all.
    pub fn read(&self) -> String {
        let read = self.0.trim_start_matches(char::from(APART)).chars();
        read.filter(|c| *c != char::from(TOUCHING)).collect()
    }

    /// What is looked for, each once: words, and words that touch as one. What is the beginning of another is found with that.
    pub fn terms(&self) -> Vec<String> {
        let mut terms: Vec<_> = self
            .0
            .split(char::from(APART))
            .filter(|term| !term.is_empty())
            .collect();
        terms.sort_unstable();
        terms.dedup();
        // In this order whatever begins with a term comes right after it.
        let followed = terms
            .iter()
            .zip(terms.iter().skip(1).map(Some).chain([None]));
        let last =
            followed.filter(|(term, next)| next.is_none_or(|next| !next.starts_with(**term)));
        last.map(|(term, _)| (*term).to_owned()).collect()
    }
}

/// Whether some word of `words`, as [`Words::as_str`] has them, begins a place where `term` stands.
pub fn has_term(words: &str, term: &str) -> bool {
    let (words, term) = (words.as_bytes(), term.as_bytes());
    let begins = |at| {
        let rest = words.get(at + 1..);
        rest.is_some_and(|rest| rest.starts_with(term))
    };
    memchr2_iter(APART, TOUCHING, words).any(begins)
}

#[cfg(test)]
mod tests;
