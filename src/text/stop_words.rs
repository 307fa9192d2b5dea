//! Words too frequent to tell documents apart, by language.

use super::error::TextError;

/// The stop list of a language by its English name, such as `"english"`.
///
/// English is scikit-learn's list of 318 words (the Glasgow Information Retrieval Group's, BSD-3-Clause); the other
/// languages are the lists of the Snowball project as NLTK has them.
///
/// # Errors
/// Where no list has that name.
pub fn stop_list(name: &str) -> Result<Vec<&'static str>, TextError> {
    if name == "english" {
        return Ok(ENGLISH.to_vec());
    }
    LANGUAGES
        .iter()
        .find(|(language, _)| *language == name)
        .and_then(|(_, code)| stop_words::lookup(code))
        .map(<[&str]>::to_vec)
        .ok_or_else(|| TextError::StopWords { name: name.to_owned(), known: known_languages() })
}

fn known_languages() -> String {
    let mut names: Vec<&str> = LANGUAGES.iter().map(|(language, _)| *language).collect();
    names.push("english");
    names.sort_unstable();
    names.join(", ")
}

/// Languages of the Snowball lists, with their ISO 639-1 codes.
const LANGUAGES: [(&str, &str); 14] = [
    ("danish", "da"),
    ("dutch", "nl"),
    ("finnish", "fi"),
    ("french", "fr"),
    ("german", "de"),
    ("hungarian", "hu"),
    ("italian", "it"),
    ("norwegian", "no"),
    ("portuguese", "pt"),
    ("romanian", "ro"),
    ("russian", "ru"),
    ("spanish", "es"),
    ("swedish", "sv"),
    ("turkish", "tr"),
];

#[rustfmt::skip]
const ENGLISH: [&str; 318] = [
    "a", "about", "above", "across", "after", "afterwards", "again", "against", "all", "almost", "alone",
    "along", "already", "also", "although", "always", "am", "among", "amongst", "amoungst", "amount", "an",
    "and", "another", "any", "anyhow", "anyone", "anything", "anyway", "anywhere", "are", "around", "as",
    "at", "back", "be", "became", "because", "become", "becomes", "becoming", "been", "before",
    "beforehand", "behind", "being", "below", "beside", "besides", "between", "beyond", "bill", "both",
    "bottom", "but", "by", "call", "can", "cannot", "cant", "co", "con", "could", "couldnt", "cry", "de",
    "describe", "detail", "do", "done", "down", "due", "during", "each", "eg", "eight", "either", "eleven",
    "else", "elsewhere", "empty", "enough", "etc", "even", "ever", "every", "everyone", "everything",
    "everywhere", "except", "few", "fifteen", "fifty", "fill", "find", "fire", "first", "five", "for",
    "former", "formerly", "forty", "found", "four", "from", "front", "full", "further", "get", "give", "go",
    "had", "has", "hasnt", "have", "he", "hence", "her", "here", "hereafter", "hereby", "herein",
    "hereupon", "hers", "herself", "him", "himself", "his", "how", "however", "hundred", "i", "ie", "if",
    "in", "inc", "indeed", "interest", "into", "is", "it", "its", "itself", "keep", "last", "latter",
    "latterly", "least", "less", "ltd", "made", "many", "may", "me", "meanwhile", "might", "mill", "mine",
    "more", "moreover", "most", "mostly", "move", "much", "must", "my", "myself", "name", "namely",
    "neither", "never", "nevertheless", "next", "nine", "no", "nobody", "none", "noone", "nor", "not",
    "nothing", "now", "nowhere", "of", "off", "often", "on", "once", "one", "only", "onto", "or", "other",
    "others", "otherwise", "our", "ours", "ourselves", "out", "over", "own", "part", "per", "perhaps",
    "please", "put", "rather", "re", "same", "see", "seem", "seemed", "seeming", "seems", "serious",
    "several", "she", "should", "show", "side", "since", "sincere", "six", "sixty", "so", "some", "somehow",
    "someone", "something", "sometime", "sometimes", "somewhere", "still", "such", "system", "take", "ten",
    "than", "that", "the", "their", "them", "themselves", "then", "thence", "there", "thereafter",
    "thereby", "therefore", "therein", "thereupon", "these", "they", "thick", "thin", "third", "this",
    "those", "though", "three", "through", "throughout", "thru", "thus", "to", "together", "too", "top",
    "toward", "towards", "twelve", "twenty", "two", "un", "under", "until", "up", "upon", "us", "very",
    "via", "was", "we", "well", "were", "what", "whatever", "when", "whence", "whenever", "where",
    "whereafter", "whereas", "whereby", "wherein", "whereupon", "wherever", "whether", "which", "while",
    "whither", "who", "whoever", "whole", "whom", "whose", "why", "will", "with", "within", "without",
    "would", "yet", "you", "your", "yours", "yourself", "yourselves",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_list_is_there() {
        for (language, _) in LANGUAGES {
            assert!(stop_list(language).unwrap().len() > 50, "{language}");
        }
        assert!(stop_list("german").unwrap().contains(&"aber"));
        assert_eq!(stop_list("english").unwrap().len(), 318);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_known_ones() {
        let message = stop_list("englisch").unwrap_err().to_string();
        assert!(message.contains("english, finnish") && message.contains("englisch"), "{message}");
    }
}
