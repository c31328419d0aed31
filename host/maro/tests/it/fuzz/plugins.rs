//! What lies in the plugins folder: manifests, components, recorded cases.

use std::fs;

use maro_runtime::{
    inspection::preflight,
    policy::manifest::Manifest,
    recording::cases::{Case, ending_lines},
};

use crate::{
    fuzz::{Corpus, fuzz, fuzz_from, fuzz_text},
    handwritten_components::{Guest, of_functions},
};

#[test]
fn a_manifest_is_read_or_refused_in_a_sentence() {
    fuzz_text("manifests", |text| match Manifest::parse(text) {
        Ok(manifest) => {
            let warnings = manifest.warnings(&[], "fuzz.toml");
            assert!(warnings.iter().all(|warning| !warning.trim().is_empty()), "{warnings:?}");
        }
        Err(sentence) => assert!(!sentence.trim().is_empty()),
    });
}

#[test]
fn a_component_is_inspected_or_refused_before_anything_of_it_is_compiled() {
    let mut corpus = Corpus::read("components");
    for text in &mut corpus.0 {
        *text = wat::parse_bytes(text).unwrap().into_owned();
    }
    corpus.0.extend([Guest::default().component(), of_functions(1, 20)]);
    fuzz_from(&corpus, |wasm| match preflight::inspect(wasm) {
        Ok(wishes) => {
            let _ = wishes.warnings(&Manifest::parse("").unwrap(), "fuzz.toml");
        }
        Err(error) => assert!(!error.to_string().trim().is_empty()),
    });
}

#[test]
fn a_recorded_case_is_read_as_it_is_written_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (read, written) = (folder.path().join("read.json"), folder.path().join("written.json"));
    fuzz("cases", |json| {
        fs::write(&read, json).unwrap();
        let Ok(case) = Case::read(&read) else { return };
        assert!(!ending_lines(&case.ending).is_empty());
        case.write(&written).unwrap();
        assert_eq!(Case::read(&written).unwrap(), case);
    });
}
