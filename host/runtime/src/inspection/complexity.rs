//! How large a component becomes once its parts are put together, read before anything is compiled.
//!
//! A component can instantiate a part twice, which instantiates another twice, and so on: a few hundred bytes
//! that ask for more instances than fit into memory. The compiler would build them all; this counts them
//! first, without building any, and with them what an instance takes of the pool. The compiler itself refuses
//! types that are too large.

use wasmparser::{
    BinaryReaderError, Chunk, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, Instance, Parser, Payload,
};

use crate::{
    inspection::instance_size::Needs,
    policy::limits::{
        MAX_CORE_INSTANCES, MAX_MEMORIES, MAX_MEMORY_MIB, MAX_TABLE_ELEMENTS, MAX_TABLES, TABLE_ELEMENT_BYTES,
    },
};

/// The most instances, of modules and components, that a component may come to. A plugin with an interpreter
/// has a few dozen.
const MAX_INSTANCES: u64 = 1_000;

/// The most bytes of a component's own sections, each counted as often as it is instantiated.
const MAX_SECTION_BYTES: u64 = 8 * 1024 * 1024;

/// The deepest nesting of components. Composed components have two levels.
const MAX_DEPTH: usize = 16;

/// The largest function, in bytes. Compiling takes more than linear time. An interpreter's main loop has a
/// few hundred KiB.
const MAX_FUNCTION_BYTES: usize = 2 * 1024 * 1024;

/// The most bytes of data that instantiating a component copies, counted as often as its module is
/// instantiated: nothing interrupts that. It is the size of the largest file.
const MAX_INITIAL_BYTES: u64 = 64 * 1024 * 1024;

/// How many bytes of data are copied in the time that one byte of a table's elements takes.
const ELEMENT_WEIGHT: u64 = 8;

/// The most functions of all modules of a component: the compiler keeps each in memory several times over. An
/// interpreter has about 13,000.
const MAX_FUNCTIONS: u32 = 100_000;

/// Why a component isn't worth compiling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Excess {
    /// The bytes make no sense from this offset on.
    Damaged { offset: usize },
    /// More parts, or larger ones, than any honest plugin has.
    TooLarge(&'static str),
    /// A memory whose initial size is above the limit.
    Memory { mib: u64 },
    /// A table whose initial size is above the limit.
    Table { elements: u64 },
    /// More of something than an instance has room for.
    Instance { what: &'static str, count: u32, max: u32 },
}

impl From<BinaryReaderError> for Excess {
    fn from(error: BinaryReaderError) -> Self {
        Self::Damaged { offset: error.offset() }
    }
}

/// What it costs to instantiate a component once.
#[derive(Debug, Clone, Copy, Default)]
struct Cost {
    instances: u64,
    section_bytes: u64,
    initial_bytes: u64,
    needs: Needs,
}

impl Cost {
    /// # Errors
    /// The sum is too large.
    fn add(&mut self, other: Self) -> Result<(), Excess> {
        self.instances += other.instances;
        self.section_bytes += other.section_bytes;
        self.initial_bytes = self.initial_bytes.saturating_add(other.initial_bytes);
        self.needs.add(other.needs);
        if self.instances > MAX_INSTANCES {
            return Err(Excess::TooLarge("instances"));
        }
        if self.section_bytes > MAX_SECTION_BYTES {
            return Err(Excess::TooLarge("repeated parts"));
        }
        if self.initial_bytes > MAX_INITIAL_BYTES {
            return Err(Excess::TooLarge("repeated parts"));
        }
        Ok(())
    }
}

/// A component that is being read.
#[derive(Default)]
struct Frame {
    cost: Cost,
    /// The costs of the components that it can instantiate, by index. `None` for one from outside.
    components: Vec<Option<Cost>>,
    /// What an instance of each module costs that it can instantiate, by index. `None` for one from outside.
    modules: Vec<Option<Cost>>,
}

/// Counts what a component costs. Returns what an instance of it needs.
///
/// # Errors
/// It is too large to be compiled or to have room, or damaged.
pub(super) fn check(wasm: &[u8]) -> Result<Needs, Excess> {
    let mut outer: Vec<(Frame, Parser)> = Vec::new();
    let mut functions = 0_u32;
    let (mut frame, mut parser, mut rest) = (Frame::default(), Parser::new(0), wasm);
    loop {
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Err(Excess::Damaged { offset: wasm.len() });
        };
        rest = &rest[consumed..];
        match payload {
            Payload::ComponentSection { parser: nested, .. } => {
                if outer.len() >= MAX_DEPTH {
                    return Err(Excess::TooLarge("nested components"));
                }
                outer.push((std::mem::take(&mut frame), std::mem::replace(&mut parser, nested)));
            }
            Payload::ModuleSection { unchecked_range, .. } => {
                let length = unchecked_range.end - unchecked_range.start;
                let (module, after) =
                    rest.split_at_checked(length).ok_or(Excess::Damaged { offset: wasm.len() })?;
                let module = check_module(module)?;
                frame.modules.push(Some(module.cost()));
                functions = functions.saturating_add(module.functions);
                if functions > MAX_FUNCTIONS {
                    return Err(Excess::TooLarge("functions"));
                }
                rest = after;
            }
            Payload::End(_) => {
                let Some((parent, parents_parser)) = outer.pop() else {
                    return check_room(frame.cost.needs);
                };
                let cost = std::mem::replace(&mut frame, parent).cost;
                frame.components.push(Some(cost));
                parser = parents_parser;
            }
            // Names and notes cost nothing.
            Payload::CustomSection(_) => {}
            payload => {
                frame.cost.add(Cost { section_bytes: consumed as u64, ..Cost::default() })?;
                frame.read(payload, &outer)?;
            }
        }
    }
}

impl Frame {
    /// Follows which instances and components a section adds.
    fn read(&mut self, payload: Payload<'_>, outer: &[(Self, Parser)]) -> Result<(), Excess> {
        match payload {
            Payload::InstanceSection(section) => {
                for instance in section {
                    let cost = match instance? {
                        Instance::Instantiate { module_index, .. } => {
                            self.module(module_index)?.ok_or(Excess::TooLarge("unknown modules"))?
                        }
                        Instance::FromExports(_) => Cost { instances: 1, ..Cost::default() },
                    };
                    self.cost.add(cost)?;
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section {
                    let mut cost = Cost::default();
                    if let ComponentInstance::Instantiate { component_index, .. } = instance? {
                        cost =
                            self.component(component_index)?.ok_or(Excess::TooLarge("unknown components"))?;
                    }
                    cost.instances += 1;
                    self.cost.add(cost)?;
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section {
                    match alias? {
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::Component, count, index } => {
                            self.components.push(self.outer(outer, count)?.component(index)?);
                        }
                        ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, count, index } => {
                            self.modules.push(self.outer(outer, count)?.module(index)?);
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Component, .. } => {
                            self.components.push(None);
                        }
                        ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. } => {
                            self.modules.push(None);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentImportSection(section) => {
                for import in section {
                    match import?.ty {
                        ComponentTypeRef::Component(_) => self.components.push(None),
                        ComponentTypeRef::Module(_) => self.modules.push(None),
                        _ => {}
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                // An export gives the exported item another index.
                for export in section {
                    let export = export?;
                    match export.kind {
                        ComponentExternalKind::Component => {
                            self.components.push(self.component(export.index)?);
                        }
                        ComponentExternalKind::Module => self.modules.push(self.module(export.index)?),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn component(&self, index: u32) -> Result<Option<Cost>, Excess> {
        self.components.get(index as usize).copied().ok_or(Excess::TooLarge("unknown components"))
    }

    fn module(&self, index: u32) -> Result<Option<Cost>, Excess> {
        self.modules.get(index as usize).copied().ok_or(Excess::TooLarge("unknown modules"))
    }

    /// The component this many levels further out.
    fn outer<'a>(&'a self, outer: &'a [(Self, Parser)], count: u32) -> Result<&'a Self, Excess> {
        if count == 0 {
            return Ok(self);
        }
        let frame = outer.len().checked_sub(count as usize).and_then(|place| outer.get(place));
        frame.map(|(frame, _)| frame).ok_or(Excess::TooLarge("unknown components"))
    }
}

/// # Errors
/// There is never room for an instance.
fn check_room(needs: Needs) -> Result<Needs, Excess> {
    for (what, count, max) in [
        ("core modules", needs.core_instances, MAX_CORE_INSTANCES),
        ("memories", needs.memories, MAX_MEMORIES),
        ("tables", needs.tables, MAX_TABLES),
    ] {
        if count > max {
            return Err(Excess::Instance { what, count, max });
        }
    }
    Ok(needs)
}

/// What a module contains.
#[derive(Default)]
struct ModuleSize {
    functions: u32,
    initial_bytes: u64,
    memories: u32,
    tables: u32,
    /// What its memories and tables have at first, in bytes.
    room: u64,
}

impl ModuleSize {
    /// The cost of an instance.
    fn cost(&self) -> Cost {
        let &Self { initial_bytes, memories, tables, room, .. } = self;
        let needs = Needs { core_instances: 1, memories, tables, bytes: room };
        Cost { instances: 1, section_bytes: 0, initial_bytes, needs }
    }
}

/// Looks at the sizes of a module's functions, memories and tables, and measures the rest. Errors in the
/// module are left to the compiler.
fn check_module(module: &[u8]) -> Result<ModuleSize, Excess> {
    let mut size = ModuleSize::default();
    for payload in Parser::new(0).parse_all(module) {
        match payload {
            Ok(Payload::CodeSectionEntry(body)) if body.range().len() > MAX_FUNCTION_BYTES => {
                return Err(Excess::TooLarge("large functions"));
            }
            Ok(Payload::CodeSectionStart { count, .. }) => size.functions = count,
            Ok(Payload::DataSection(data)) => size.initial_bytes += data.range().len() as u64,
            Ok(Payload::ElementSection(elements)) => {
                size.initial_bytes += elements.range().len() as u64 * ELEMENT_WEIGHT;
            }
            Ok(Payload::MemorySection(memories)) => {
                for memory in memories.into_iter().flatten() {
                    let mib = memory.initial >> 20_u32.saturating_sub(memory.page_size_log2.unwrap_or(16));
                    if mib > u64::from(MAX_MEMORY_MIB) {
                        return Err(Excess::Memory { mib });
                    }
                    size.memories += 1;
                    size.room =
                        size.room.saturating_add(memory.initial << memory.page_size_log2.unwrap_or(16));
                }
            }
            Ok(Payload::TableSection(tables)) => {
                for table in tables.into_iter().flatten() {
                    if table.ty.initial > MAX_TABLE_ELEMENTS as u64 {
                        return Err(Excess::Table { elements: table.ty.initial });
                    }
                    size.tables += 1;
                    size.room = size.room.saturating_add(table.ty.initial * TABLE_ELEMENT_BYTES as u64);
                }
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Ok(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_text(text: &str) -> Result<(), Excess> {
        check(&wat::parse_str(text).unwrap()).map(drop)
    }

    #[test]
    fn what_an_instance_needs_is_counted_as_often_as_it_is_instantiated() {
        let module = "(core module $m (memory 3) (table 100 funcref) (table 20 funcref))";
        let text = |times: usize| {
            let instances = "(core instance (instantiate $m))".repeat(times);
            let nested =
                "(component $c (alias outer 1 $m (core module $n)) (core instance (instantiate $n)))";
            format!("(component {module} {instances} {nested} (instance (instantiate $c)))")
        };
        let needs = check(&wat::parse_str(text(2)).unwrap()).unwrap();
        let expected = Needs { core_instances: 3, memories: 3, tables: 6, bytes: 3 * (3 * 65_536 + 120 * 8) };
        assert_eq!(needs, expected);
        assert_eq!(check_text(&text(4)), Err(Excess::Instance { what: "memories", count: 5, max: 4 }));
        let empty = |times: usize| {
            format!("(component (core module $m) {})", "(core instance (instantiate $m))".repeat(times))
        };
        assert_eq!(check_text(&empty(64)), Ok(()));
        assert_eq!(
            check_text(&empty(65)),
            Err(Excess::Instance { what: "core modules", count: 65, max: 64 })
        );
    }

    /// Components that each instantiate the one before `times` times.
    fn chain(length: usize, times: usize) -> String {
        let mut text =
            "(component (component $c0 (core module $m) (core instance (instantiate $m)))".to_owned();
        for number in 1..length {
            let instances = format!("(instance (instantiate $c{}))", number - 1).repeat(times);
            text += &format!(
                "(component $c{number} (alias outer 1 $c{} (component $c{})) {instances})",
                number - 1,
                number - 1
            );
        }
        text + &format!("(instance (instantiate $c{})))", length - 1)
    }

    #[test]
    fn parts_are_counted_as_often_as_they_are_instantiated() {
        assert_eq!(check_text(&chain(5, 2)), Ok(()));
        assert_eq!(check_text(&chain(40, 2)), Err(Excess::TooLarge("instances")));
        assert_eq!(check_text(&chain(900, 1)), Ok(()));
        assert_eq!(check_text(&chain(1_200, 1)), Err(Excess::TooLarge("instances")));
    }

    #[test]
    fn a_component_from_outside_is_not_instantiated() {
        let text = r#"(component (component (import "c" (component $c)) (instance (instantiate $c))))"#;
        assert_eq!(check_text(text), Err(Excess::TooLarge("unknown components")));
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| "(component ".repeat(depth) + &")".repeat(depth);
        assert_eq!(check_text(&nested(10)), Ok(()));
        assert_eq!(check_text(&nested(30)), Err(Excess::TooLarge("nested components")));
    }

    #[test]
    fn crowds_of_functions_are_refused() {
        let modules = |count: usize| format!("(core module {})", "(func)".repeat(count));
        assert_eq!(check_text(&format!("(component {})", modules(60_000))), Ok(()));
        let two = format!("(component {0} (component {0}))", modules(60_000));
        assert_eq!(check_text(&two), Err(Excess::TooLarge("functions")));
    }

    #[test]
    fn data_is_counted_as_often_as_it_is_copied() {
        let component = |segments: &str, times: usize| {
            let instances = "(core instance (instantiate $m))".repeat(times);
            format!("(component (core module $m (memory 16) (table 16 funcref) {segments}) {instances})")
        };
        let data = format!("(data (i32.const 0) \"{}\")", "x".repeat(1024 * 1024));
        let fits = |text: &str| !matches!(check_text(text), Err(Excess::TooLarge(_)));
        assert!(fits(&component(&data, 60)));
        assert_eq!(check_text(&component(&data, 70)), Err(Excess::TooLarge("repeated parts")));
        let elements = format!("(func) (elem (i32.const 0) func {})", "0 ".repeat(512 * 1024));
        assert!(fits(&component(&elements, 15)));
        assert_eq!(check_text(&component(&elements, 17)), Err(Excess::TooLarge("repeated parts")));
        let nested = format!(
            "(component $c (alias outer 1 $m (core module $n)) {})",
            "(core instance (instantiate $n))".repeat(35)
        );
        let nested = format!(
            "(component (core module $m {data} (memory 16)) {nested} (instance (instantiate $c)) (instance (instantiate $c)))"
        );
        assert_eq!(check_text(&nested), Err(Excess::TooLarge("repeated parts")));
    }

    #[test]
    fn an_endless_function_is_refused() {
        let function = |length: usize| format!("(component (core module (func {})))", "nop ".repeat(length));
        assert_eq!(check_text(&function(1_000)), Ok(()));
        assert_eq!(check_text(&function(MAX_FUNCTION_BYTES + 1)), Err(Excess::TooLarge("large functions")));
    }
}
