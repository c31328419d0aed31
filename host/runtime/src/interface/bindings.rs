//! What wasmtime generates from `wit/`. Nothing else invokes `bindgen!`.

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "subcommand",
    imports: {
        "maro:plugin/log": trappable,
        default: async | trappable,
    },
    exports: { default: async },
    additional_derives: [PartialEq, serde::Deserialize, serde::Serialize],
});

/// The exports of version 0.1.0. Its imports are the same in 0.2.0, so those types are used.
pub(crate) mod v0_1 {
    wasmtime::component::bindgen!({
        path: "../../wit/released/0.1.0",
        world: "subcommand",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "maro:plugin/types": super::maro::plugin::types,
            "maro:plugin/log": super::maro::plugin::log,
            "maro:plugin/jira": super::maro::plugin::jira,
            "maro:plugin/tracker": super::maro::plugin::tracker,
            "maro:plugin/tracker-edit": super::maro::plugin::tracker_edit,
        },
    });
}
