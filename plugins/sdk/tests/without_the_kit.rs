//! Bindings without this crate, as the guide has authors make them.
//!
//! Made by what is behind `wit_bindgen::generate!`, not by the macro itself: as a dependency that would change how
//! the host's dependencies are built for tests.

use std::path::Path;

use wit_bindgen_core::{Files, WorldGenerator as _, wit_parser::Resolve};
use wit_bindgen_rust::Opts;

const GUIDE: &str = include_str!("../../README.md");

/// The world that the guide has authors write.
fn world() -> &'static str {
    let start = GUIDE.find("package third:party;").expect("the guide shows a world");
    GUIDE[start..].split("```").next().unwrap_or_default()
}

#[test]
fn the_guides_world_has_bindings_of_what_it_imports_alone() {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    resolve.push_path(wit).expect("wit/ can be read");
    let package = resolve.push_str("world.wit", world()).expect("the guide's world can be read");
    let world = resolve.select_world(&[package], Some("subcommand")).expect("it is called like this");
    let mut files = Files::default();
    let options = Opts { generate_all: true, ..Opts::default() };
    options.build().generate(&mut resolve, world, &mut files).expect("it has bindings");
    let code = files.iter().map(|(_, code)| String::from_utf8_lossy(code)).collect::<String>();
    for expected in ["pub mod exports", "pub trait Guest", "pub fn count_tracked(", "macro_rules! __export"] {
        assert!(code.contains(expected), "{expected}");
    }
    assert!(!code.contains("pub mod storage"), "the world doesn't import it");
}

#[test]
fn the_guide_names_what_the_bindings_need() {
    assert!(
        GUIDE.contains("`wit_bindgen::generate!({ path: \"wit\", world: \"subcommand\", generate_all })`")
    );
}
