//! What folds alike and what does not, in many scripts; what words are, and where a term is found.

use proptest::prelude::*;

use super::*;

#[test]
fn what_is_looked_for_alike_folds_alike() {
    for (text, folded) in [
        // Case, also where it changes the length.
        ("ANNA", "anna"),
        ("Straße", "strasse"),
        ("STRASSE", "strasse"),
        ("ẞ", "ss"),
        // Accents, composed or not, also several on a letter.
        ("Zoë", "zoe"),
        ("Zoe\u{308}", "zoe"),
        ("Nguyễn Thị Ánh", "nguyen thi anh"),
        ("Çağrı Işık", "cagri isik"),
        ("IŞIK", "isik"),
        ("İpek", "ipek"),
        // Letters that do not come apart.
        ("Søren Ærø", "soren aero"),
        ("Łukasz", "lukasz"),
        ("Þórður", "thordur"),
        ("Đorđe", "dorde"),
        ("Œuvre", "oeuvre"),
        // Width, ligatures and other forms.
        ("Ｆｕｌｌ", "full"),
        ("ﬁn", "fin"),
        ("ｱ", "ア"),
        // Greek: accents, and the sigma at the end.
        ("Σίσυφος", "σισυφοσ"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("ᾳ", "α"),
        // Cyrillic.
        ("Фёдор Толстой", "федор толстои"),
        // Hebrew and Arabic without their points; the alefs, and a stretched word.
        ("שָׁלוֹם", "שלום"),
        ("مُحَمَّد", "محمد"),
        ("أحمد آدم", "احمد ادم"),
        ("محـــمد", "محمد"),
        // Armenian and Georgian have case, too.
        ("ՀԱՅԿ", "հայկ"),
        ("ᲗᲐᲛᲐᲠ", "თამარ"),
        // What cannot be seen.
        ("a\u{ad}n\u{200d}n\u{200c}a\u{feff}", "anna"),
        ("\u{845b}\u{e0100}", "葛"),
    ] {
        assert_eq!(fold(text), folded, "{text}");
    }
}

#[test]
fn what_spells_another_word_stays() {
    // Kana and their voicing, vowels of Devanagari, tones of Thai, vowels of Tamil.
    for (one, other) in [
        ("が", "か"),
        ("कुमार", "कमार"),
        ("राम", "रम"),
        ("ป่า", "ปา"),
        ("குமார்", "கமார்"),
        ("김", "기"),
    ] {
        assert_ne!(fold(one), fold(other), "{one}");
    }
}

#[test]
fn words_are_cut_as_unicode_says() {
    let check = |text: &str, terms: &[&str]| {
        let found = Words::of(&[text]).terms();
        let found: Vec<_> = found
            .iter()
            .map(|term| term.replace('\u{1f}', "|"))
            .collect();
        assert_eq!(found, terms, "{text}");
    };
    check("", &[]);
    check(" - 🙂 \u{2605} +++ ", &[]);
    check("Jean-Luc", &["jean", "luc"]);
    check("O'Brien", &["o'brien"]);
    check("C++ / R&D, 3.5 years", &["3.5", "c", "d", "r", "years"]);
    check("Anna de la Cruz", &["anna", "cruz", "de", "la"]);
    // Without spaces.
    check("王小明", &["王|小|明"]);
    check("王 小明", &["小|明", "王"]);
    check("東京Tower", &["東|京|tower"]);
    check("さくら", &["さ|く|ら"]);
    check("タナカ", &["タナカ"]);
    // The beginning of another word says nothing more.
    check("an anna ann ANNA bob", &["anna", "bob"]);
}

#[test]
fn words_read_as_they_are_sorted() {
    for (text, read) in [
        ("  (Ann-Marie)  O'Neil", "ann marie o'neil"),
        ("王小明", "王小明"),
        ("🙂", ""),
    ] {
        assert_eq!(Words::of(&[text]).read(), read, "{text}");
    }
}

#[test]
fn a_term_is_found_where_a_word_begins() {
    let check = |text: &str, query: &str, found: bool| {
        let words = Words::of(&[text]);
        let terms = Words::of(&[query]).terms();
        let every = terms.iter().all(|term| has_term(words.as_str(), term));
        assert_eq!(every, found, "{query} in {text}");
    };
    check("Anna Schmidt", "an", true);
    check("Anna Schmidt", "SCH ann", true);
    check("Anna Schmidt", "nna", false);
    check("Anna Schmidt", "anna x", false);
    check("Anna Schmidt", "anna schmidts", false);
    check("Jean-Luc", "jean luc", true);
    check("Jean Luc", "jean-luc", true);
    check("Jean Luc", "uc", false);
    check("Żółć Łukasz", "zolc luk", true);
    // Anywhere in what is written without spaces, in its order.
    check("王小明", "小明", true);
    check("王小明", "明小", false);
    check("王小明", "王明", false);
    check("สมชาย", "ชาย", true);
    check("สมชาย", "ยชา", false);
    check("東京Tower", "京tow", true);
    check("東京Tower", "ower", false);
    // While a syllable is being typed.
    check("김철수", "기", true);
    check("김철수", "김철", true);
    check("김철수", "철수", false);
}

proptest! {
    #[test]
    fn folding_what_is_folded_changes_nothing(text in any::<String>()) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
    }

    #[test]
    fn every_word_is_found_in_its_own_text_by_each_of_its_beginnings(text in any::<String>(), keep in 0_usize..8) {
        let words = Words::of(&[&text]);
        for term in words.terms() {
            prop_assert!(has_term(words.as_str(), &term), "{:?}", term);
            let beginning: String = term.chars().take(keep).collect();
            prop_assert!(has_term(words.as_str(), &beginning), "{:?}", beginning);
        }
    }

    #[test]
    fn case_and_form_change_nothing(text in "\\PC{0,20}") {
        let decomposed: String = text.nfd().collect();
        prop_assert_eq!(fold(&decomposed), fold(&text));
        let composed: String = text.nfkc().collect();
        prop_assert_eq!(fold(&composed), fold(&text));
    }
}
