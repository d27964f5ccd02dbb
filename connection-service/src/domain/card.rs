//! A member's card: what they are found and shown by in the lists of others.
//!
//! Deliberately absent: whose it is, and who may see it: only those who are connected with them do.

use service_kit::text::{self, Lines, MalformedText};

use super::folding::Words;

/// The longest sort key, in bytes: names that are the same for so long are in the order of their members' ids.
pub const SORT_KEY_BYTES_MAX: usize = 192;

/// Between the two names of a sort key: before everything that a name can have, so that a shorter name comes before all that begin with it.
const BETWEEN: char = '\u{1}';

/// What a member put of themselves. Any of the texts may be empty.
///
/// Has no `Debug` of its texts, so that no log can carry them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Card {
    /// The name by which somebody is addressed.
    pub first_name: String,
    /// The family name.
    pub last_name: String,
    /// What they do, in a line.
    pub headline: String,
}

impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Card")
    }
}

/// A name or a headline in one form, of one line: at most `chars_max` scalar values. See [`service_kit::text`].
pub fn parse_text(text: &str, chars_max: usize) -> Result<String, MalformedText> {
    text::parse(text, chars_max, Lines::One)
}

/// What follows from a card, folded once, when it is put: where it stands in lists by name, and the words that it is found by.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CardKeys {
    /// Sorts by the first name, then the last; empty without a letter or digit in either.
    pub by_first_name: String,
    /// Sorts by the last name, then the first.
    pub by_last_name: String,
    /// What a search looks at: names and headline.
    pub words: Words,
}

impl std::fmt::Debug for CardKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CardKeys")
    }
}

impl CardKeys {
    /// Of a card.
    pub fn of(card: &Card) -> Self {
        let first = Words::of(&[&card.first_name]).read();
        let last = Words::of(&[&card.last_name]).read();
        Self {
            by_first_name: sort_key(&first, &last),
            by_last_name: sort_key(&last, &first),
            words: Words::of(&[&card.first_name, &card.last_name, &card.headline]),
        }
    }
}

/// Whoever has one of the two names only is sorted by that one.
fn sort_key(first: &str, second: &str) -> String {
    let mut key = first.to_owned();
    if !first.is_empty() && !second.is_empty() {
        key.push(BETWEEN);
    }
    key.push_str(second);
    key.truncate(key.floor_char_boundary(SORT_KEY_BYTES_MAX));
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(first_name: &str, last_name: &str) -> Card {
        Card {
            first_name: first_name.to_owned(),
            last_name: last_name.to_owned(),
            headline: String::new(),
        }
    }

    fn keys(first_name: &str, last_name: &str) -> (String, String) {
        let keys = CardKeys::of(&card(first_name, last_name));
        (keys.by_first_name, keys.by_last_name)
    }

    #[test]
    fn names_are_sorted_by_one_then_the_other() {
        let check = |first: &str, last: &str, by_first: &str, by_last: &str| {
            let expected = (by_first.to_owned(), by_last.to_owned());
            assert_eq!(keys(first, last), expected, "{first} {last}");
        };
        check("Zoë", "Ångström", "zoe\u{1}angstrom", "angstrom\u{1}zoe");
        check("Madonna", "", "madonna", "madonna");
        check("", "Pelé", "pele", "pele");
        check("🙂", "!", "", "");
        check("", "", "", "");
        check("\"Bob\"", "(Smith)", "bob\u{1}smith", "smith\u{1}bob");
    }

    #[test]
    fn a_shorter_name_comes_first() {
        let (ann, anna, ann_marie) = (
            keys("Ann", "Zu").0,
            keys("Anna", "Abe").0,
            keys("Ann Marie", "Abe").0,
        );
        assert!(ann < ann_marie && ann_marie < anna);
    }

    #[test]
    fn sort_keys_are_bounded_and_end_with_a_whole_character() {
        // Unicode takes this one apart into eighteen.
        let long = "\u{fdfa}".repeat(100);
        let (by_first_name, _) = keys(&long, "x");
        assert!(by_first_name.len() <= SORT_KEY_BYTES_MAX);
        assert!(by_first_name.len() > SORT_KEY_BYTES_MAX - 4);
    }

    #[test]
    fn a_search_looks_at_names_and_headline_each_by_itself() {
        let card = Card {
            headline: "Dr. in 東京".to_owned(),
            ..card("王", "小")
        };
        let words = CardKeys::of(&card).words;
        assert_eq!(words.as_str(), " 王 小 dr in 東\u{1f}京");
    }

    #[test]
    fn nobody_reads_a_card_in_a_log() {
        let card = card("Ann", "Zu");
        let shown = format!("{card:?} {:?}", CardKeys::of(&card));
        assert_eq!(shown, "Card CardKeys");
    }
}
