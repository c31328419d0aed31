//! Components written by hand: a core module with the parts that a test cares about, made a component of the
//! contract in `wit/`.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A core module that describes itself as `wat` and answers "done", unless its parts say otherwise.
pub(crate) struct Guest<'a> {
    /// What the module imports.
    pub(crate) imports: &'a str,
    /// Items of the module beside the usual ones.
    pub(crate) items: &'a str,
    /// Instructions before `describe` returns.
    pub(crate) describe: &'a str,
    /// Instructions before `run` returns.
    pub(crate) run: &'a str,
    /// Address and length of the name in the description.
    pub(crate) name: (u32, u32),
    /// Address and length of the sentence in the answer.
    pub(crate) sentence: (u32, u32),
    /// What `cabi_realloc` returns.
    pub(crate) allocate: &'a str,
    /// A package beside the contract, of whose interface `types` the module may import.
    pub(crate) also: Option<&'a str>,
}

impl Default for Guest<'_> {
    fn default() -> Self {
        Self {
            imports: "",
            items: "",
            describe: "",
            run: "",
            name: (512, 3),
            sentence: (520, 4),
            allocate: "(global.set $next (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
                (global.get $next)
                (global.set $next (i32.add (global.get $next) (local.get 3)))",
            also: None,
        }
    }
}

impl Guest<'_> {
    pub(crate) fn component(&self) -> Vec<u8> {
        let Self { imports, items, describe, run, name, sentence, allocate, also } = self;
        let module = format!(
            r#"(module
                {imports}
                (memory (export "memory") 2)
                (global $next (mut i32) (i32.const 4096))
                (data (i32.const 512) "wat     done1a summary")
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) {allocate})
                (func (export "maro:plugin/command@0.2.0#describe") (result i32)
                    {describe}
                    (i32.store (i32.const 256) (i32.const {name_at}))
                    (i32.store (i32.const 260) (i32.const {name_length}))
                    (i32.store (i32.const 264) (i32.const 524))
                    (i32.store (i32.const 268) (i32.const 1))
                    (i32.store (i32.const 272) (i32.const 525))
                    (i32.store (i32.const 276) (i32.const 9))
                    (i32.const 256))
                (func (export "maro:plugin/command@0.2.0#run") (param i32 i32) (result i32)
                    {run}
                    ;; The error `failed` with a sentence.
                    (i32.store8 (i32.const 320) (i32.const 1))
                    (i32.store8 (i32.const 324) (i32.const 1))
                    (i32.store (i32.const 328) (i32.const {sentence_at}))
                    (i32.store (i32.const 332) (i32.const {sentence_length}))
                    (i32.const 320))
                {items})"#,
            name_at = name.0 as i32,
            name_length = name.1 as i32,
            sentence_at = sentence.0 as i32,
            sentence_length = sentence.1 as i32,
        );
        encode(wat::parse_str(module).unwrap(), *also)
    }
}

fn encode(mut module: Vec<u8>, also: Option<&str>) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(wit).unwrap();
    let mut world = resolve.select_world(&[package], Some("subcommand")).unwrap();
    if let Some(also) = also {
        let other = resolve.push_str("also.wit", also).unwrap();
        let interface = &resolve.packages[other].name.interface_id("types");
        let both = format!(
            "package maro:test; world both {{ include maro:plugin/subcommand@0.2.0; import {interface}; }}"
        );
        let test = resolve.push_str("test.wit", &both).unwrap();
        world = resolve.select_world(&[test], Some("both")).unwrap();
    }
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    // Validating is the host's business.
    ComponentEncoder::default().validate(false).module(&module).unwrap().encode().unwrap()
}

/// A component of more than a mebibyte with a lot of code, another for each `number`, which traps when it describes
/// itself.
pub(crate) fn large(number: u32) -> Vec<u8> {
    of_functions(number, 3_000)
}

/// A small plugin `wat` that takes long to compile, another for each `number`. It answers "1a".
pub(crate) fn slow(number: u32) -> Vec<u8> {
    let step = "(local.set 0 (i32.mul (local.get 0) (i32.const 77777)))";
    let function = format!("(func (param i32) (result i32) {} (local.get 0))", step.repeat(16));
    let items = format!("(global i32 (i32.const {number})) {}", function.repeat(4_000));
    Guest { items: &items, sentence: (524, 2), ..Guest::default() }.component()
}

/// As [`large`], with this many functions to compile.
pub(crate) fn of_functions(number: u32, functions: usize) -> Vec<u8> {
    let step = "(local.set 0 (i32.mul (local.get 0) (i32.const 77777)))";
    let function = format!("(func (param i32) (result i32) {} (local.get 0))", step.repeat(16));
    let padding = "x".repeat(1024 * 1024);
    let items =
        format!("(global i32 (i32.const {number})) (data \"{padding}\") {}", function.repeat(functions));
    let component = Guest { describe: "(unreachable)", items: &items, ..Guest::default() }.component();
    assert!(component.len() > 1024 * 1024);
    component
}

/// A component of half a mebibyte that the compiler wants many gigabytes for: each of its blocks hands on a
/// thousand values.
pub(crate) fn bomb() -> Vec<u8> {
    let many = |text: &str| text.repeat(1_000);
    let blocks = "local.get 0 if (type $wide) else end ".repeat(80_000);
    let items = format!(
        "(type $wide (func (param {0}) (result {0}))) (func (param i32) {1} {blocks} {2})",
        many("i32 "),
        many("local.get 0 "),
        many("drop ")
    );
    Guest { items: &items, ..Guest::default() }.component()
}

/// A component with so many empty core modules instantiated beside what it has.
pub(crate) fn crowded(component: &[u8], more: u8) -> Vec<u8> {
    const MODULE: &[u8] = b"\0asm\x01\0\0\0";
    let mut crowded = component.to_vec();
    // A core module, and instances of it without arguments. The module's index is how many there were before.
    crowded.extend([1, MODULE.len() as u8]);
    crowded.extend(MODULE);
    let index = core_modules(component);
    let instances: Vec<u8> = (0..more).flat_map(|_| [0, index, 0]).collect();
    let length = instances.len() + 1;
    assert!(length < 1 << 14 && more < 128, "the numbers take more bytes");
    crowded.extend([2, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8, more]);
    crowded.extend(instances);
    crowded
}

/// How many core modules a component's outermost layer has.
fn core_modules(component: &[u8]) -> u8 {
    let (mut at, mut count) = (8, 0);
    while at < component.len() {
        count += u8::from(component[at] == 1);
        let (mut length, mut shift) = (0, 0);
        loop {
            at += 1;
            length |= usize::from(component[at] & 0x7f) << shift;
            shift += 7;
            if component[at] & 0x80 == 0 {
                break;
            }
        }
        at += 1 + length;
    }
    count
}

/// A component with each mention of a name exchanged for another of the same length.
pub(crate) fn renamed(component: &[u8], name: &str, to: &str) -> Vec<u8> {
    assert_eq!(name.len(), to.len());
    let mut renamed = component.to_vec();
    for at in 0..=component.len() - name.len() {
        if component[at..].starts_with(name.as_bytes()) {
            renamed[at..at + to.len()].copy_from_slice(to.as_bytes());
        }
    }
    renamed
}
