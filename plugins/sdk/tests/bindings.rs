//! The checked-in bindings are what `wit-bindgen` makes of `wit/`.

use std::{fs, path::Path};

use wit_bindgen_core::{Files, WorldGenerator as _, wit_parser::Resolve};
use wit_bindgen_rust::Opts;

fn generated() -> String {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(here().join("../../wit")).expect("wit/ can be read");
    let world = resolve.select_world(&[package], Some("subcommand")).expect("wit/world.wit has it");
    let options = Opts {
        format: true,
        generate_all: true,
        additional_derive_attributes: ["PartialEq", "Eq"].map(str::to_owned).into(),
        pub_export_macro: true,
        export_macro_name: Some("export_subcommand".to_owned()),
        default_bindings_module: Some("maro_plugin::bindings".to_owned()),
        ..Opts::default()
    };
    let mut files = Files::default();
    options.build().generate(&mut resolve, world, &mut files).expect("the interface has bindings");
    let (_, code) = files.iter().next().expect("the bindings are one file");
    String::from_utf8(code.to_vec()).expect("Rust is UTF-8")
}

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_bindings_are_those_of_the_interface() {
    let file = here().join("src/bindings/generated.rs");
    let generated = generated();
    if std::env::var_os("UPDATE_BINDINGS").is_some() {
        fs::write(&file, &generated).expect("the file can be written");
    }
    let present = fs::read_to_string(&file).expect("the bindings are checked in");
    assert!(
        present == generated,
        "plugins/sdk/src/bindings/generated.rs isn't what wit-bindgen makes of wit/. To refresh it, run \
         `UPDATE_BINDINGS=1 cargo test -p maro-plugin --test bindings` and commit the result."
    );
}
