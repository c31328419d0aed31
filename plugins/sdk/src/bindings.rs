//! The code that `wit-bindgen` makes of `wit/`, and nothing else.
//!
//! Hidden from the documentation: the other modules show its types under the names that authors use.

wit_bindgen::generate!({
    path: "../../wit",
    world: "subcommand",
    generate_all,
    additional_derives: [PartialEq, Eq],
    pub_export_macro: true,
    export_macro_name: "export_subcommand",
    default_bindings_module: "maro_plugin::bindings",
});
