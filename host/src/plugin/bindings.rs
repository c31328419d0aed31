//! What wasmtime generates from `wit/`. Nothing else invokes `bindgen!`.

wasmtime::component::bindgen!({
    path: "../wit",
    world: "subcommand",
    imports: {
        "maro:plugin/log": trappable,
        default: async | trappable,
    },
    exports: { default: async },
    additional_derives: [PartialEq],
});
