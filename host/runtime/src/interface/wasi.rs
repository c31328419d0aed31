//! The part of WASI that this host has, and stand-ins for the rest: functions that end a command when called.
//!
//! Build tools import interfaces that their plugins never use, so importing one is no reason to refuse a
//! plugin.

use wasmtime::component::{
    Component, Linker, ResourceType,
    types::{ComponentInstance, ComponentItem},
};

use maro_texts as texts;

/// The interfaces of WASI 0.2 that this host has.
const OFFERED: [&str; 27] = [
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// A guest called a function of an interface that this host doesn't have.
#[derive(Debug, thiserror::Error)]
#[error("{}", texts::plugins::faults::unoffered_call(.function, .interface))]
struct NotOffered {
    interface: String,
    function: String,
}

/// Whether this host has an interface of WASI, given as `wasi:package/interface@version`.
pub(crate) fn is_offered(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    version.starts_with("0.2.") && OFFERED.contains(&interface)
}

/// A linker that also has the interfaces of `unoffered`, as the component imports them, with functions that
/// trap.
///
/// # Errors
/// A name is linked already, which is a bug.
pub(crate) fn with_stand_ins<T: 'static>(
    linker: &Linker<T>,
    component: &Component,
    unoffered: &[String],
) -> wasmtime::Result<Linker<T>> {
    let mut linker = linker.clone();
    let component_type = component.component_type();
    // A resource belongs to the import that named it first, and can't be defined again.
    let mut resources = Vec::new();
    for (name, import) in component_type.imports(component.engine()) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        if unoffered.iter().any(|interface| interface == name) {
            stand_in(&mut linker, component, name, &instance, &resources)?;
        }
        resources.extend(instance.exports(component.engine()).filter_map(|(_, export)| match export.ty {
            ComponentItem::Resource(resource) => Some(resource),
            _ => None,
        }));
    }
    Ok(linker)
}

fn stand_in<T: 'static>(
    linker: &mut Linker<T>,
    component: &Component,
    interface: &str,
    instance: &ComponentInstance,
    earlier: &[ResourceType],
) -> wasmtime::Result<()> {
    let mut stand_in = linker.instance(interface)?;
    for (name, export) in instance.exports(component.engine()) {
        match export.ty {
            ComponentItem::ComponentFunc(_) => {
                let (interface, function) = (interface.to_owned(), name.to_owned());
                stand_in.func_new(name, move |_, _, _, _| {
                    Err(NotOffered { interface: interface.clone(), function: function.clone() }.into())
                })?;
            }
            ComponentItem::Resource(resource) if !earlier.contains(&resource) => {
                stand_in.resource(name, ResourceType::host::<NotOffered>(), |_, _| Ok(()))?;
            }
            _ => {}
        }
    }
    Ok(())
}
