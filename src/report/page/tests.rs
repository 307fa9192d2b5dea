//! The page as a whole: what stands in it, what must not, and that it is the same every time.

use super::*;

fn hostile() -> ReportData {
    let name = "<script>alert(1)</script>\"'&".to_owned();
    let exclusion = Exclusion {
        source: name.clone(),
        stage: name.clone(),
        code: name.clone(),
        reason: name.clone(),
        byte_offset: Some(7),
        command: name.clone(),
    };
    let relation = Relation {
        text_feature: name.clone(),
        audio_feature: name.clone(),
        n: 3,
        spearman: Some(0.5),
        ..Relation::default()
    };
    ReportData {
        job: name.clone(),
        version: name.clone(),
        config_hash: name.clone(),
        documents: Some(DocumentsRead {
            documents: 1,
            groups: vec![Count { name: name.clone(), count: 1 }],
            lengths: vec![f64::NAN, 3.0],
            ..DocumentsRead::default()
        }),
        words: Some(Words {
            top_terms: vec![TopTerm { term: name.clone(), cf: 1, df: 1, idf: 1.0 }],
            embeddings: Some(Embeddings {
                map: vec![MapWord { term: name.clone(), count: 1, ..MapWord::default() }],
                neighbours: vec![Neighbours {
                    term: name.clone(),
                    count: 1,
                    near: vec![(name.clone(), 0.5)],
                }],
                ..Embeddings::default()
            }),
            ..Words::default()
        }),
        corpus: Some(Corpus {
            laws: vec![Law { law: name.clone(), exponent: Some(f64::NAN), ..Law::default() }],
            phrases: Some(vec![Phrase { phrase: name.clone(), count: 1, score: f64::NAN }]),
            topics: vec![Topic { terms: vec![(name.clone(), 0.5)], ..Topic::default() }],
            dispersed: vec![Dispersed { term: name.clone(), ..Dispersed::default() }],
        }),
        relations: Some(Relations {
            pairs: 3,
            relations: vec![relation],
            scatters: vec![Scatter {
                text_feature: name.clone(),
                audio_feature: name.clone(),
                points: vec![Point { id: name.clone(), x: 1.0, y: 1.0 }],
            }],
            suspects: vec![Suspect {
                doc_id: name.clone(),
                clip_id: name.clone(),
                score: 7.5,
                explanation: name.clone(),
            }],
            all_suspects: 2,
            predictions: vec![Prediction {
                target: name.clone(),
                r2: Some(0.5),
                q: Some(0.001),
                n: 30,
                ..Prediction::default()
            }],
            ..Relations::default()
        }),
        quarantine: vec![exclusion],
        tables: vec![TableFile { file: name, rows: 1 }],
        ..ReportData::default()
    }
}

#[test]
fn hostile_names_are_text() {
    let page = render(&hostile());
    assert_eq!(page.matches("<script>").count(), 1, "the page's own script alone");
    assert!(!page.contains("<script>alert"));
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;"));
    assert!(!page.contains("NaN"));
}

#[test]
fn laws_stand_in_the_summary() {
    let law = |law: &str, exponent| Law { law: law.into(), exponent: Some(exponent), ..Law::default() };
    let corpus = Corpus { laws: vec![law("zipf", 1.034), law("heaps", 0.651)], ..Corpus::default() };
    let page = render(&ReportData { corpus: Some(corpus), ..ReportData::default() });
    assert!(
        page.contains("The word of rank r occurs about r to the power of −1.03 times as often"),
        "{page}"
    );
    assert!(page.contains("to the power of 0.65 (Heaps)."));
}

#[test]
fn the_same_data_give_the_same_bytes() {
    assert_eq!(render(&hostile()), render(&hostile()));
}

#[test]
fn stages_that_did_not_run_leave_no_section() {
    let page = render(&ReportData { job: "empty".into(), ..ReportData::default() });
    for absent in ["inputs", "words", "corpus", "sound", "relations"] {
        assert!(!page.contains(&format!("id=\"{absent}\"")), "{absent}");
    }
    for present in ["summary", "quarantine", "guide"] {
        assert!(page.contains(&format!("id=\"{present}\"")), "{present}");
    }
    assert!(page.contains("Nothing is in quarantine"));
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let page = render(&hostile());
    for address in ["http://", "https://", "url(", "@import", " src=\"/"] {
        assert!(!page.contains(address), "{address}");
    }
}
