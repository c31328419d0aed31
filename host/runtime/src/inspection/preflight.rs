//! What a component wants and offers, read from its outermost layer before anything is compiled.
//!
//! The linker's own errors look the same for "not granted" and "wrong version". These name the item and the
//! remedy.

use std::cmp::Ordering;

use wasmparser::{Encoding, Parser, Payload};

use crate::{
    inspection::{
        complexity::{self, Excess},
        instance_size::Needs,
        lookalike::Lookalike,
    },
    interface::{
        versions::{VERSIONS, Version},
        wasi,
    },
    policy::{
        admission::Forbidden,
        grants::Grant,
        limits::{MAX_MEMORY_MIB, MAX_TABLE_ELEMENTS},
        manifest::Manifest,
    },
};
use maro_texts::plugins::refused_files;

/// The interface that every plugin must export.
const COMMAND: &str = "maro:plugin/command";

/// Interfaces of `maro:plugin` that give no access and need no grant.
const UNGRANTED: [&str; 3] = ["log", "reply", "types"];

/// The first bytes of all WebAssembly, and what follows in a component: a version, and the layer.
const MAGIC: &[u8] = b"\0asm";
const COMPONENT_VERSION: u16 = 0x0d;
const COMPONENT_LAYER: u8 = 1;

/// How many exports are named of a component that isn't a plugin.
const MAX_SHOWN_EXPORTS: usize = 5;

/// The most imports and exports: more than any honest plugin has.
const MAX_ITEMS: usize = 256;

/// Why a file can't be a plugin here. Each sentence says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreflightError {
    #[error("{}", refused_files::EMPTY)]
    Empty,
    #[error("{}", .0.sentence())]
    NotWebAssembly(Lookalike),
    #[error("{}", refused_files::EARLIER_FORMAT)]
    EarlierFormat,
    #[error("{}", refused_files::LATER_FORMAT)]
    LaterFormat,
    #[error("{}", refused_files::damaged(*.offset))]
    Damaged { offset: usize },
    #[error("{}", refused_files::CORE_MODULE)]
    CoreModule,
    #[error("{}", refused_files::no_command(.exports))]
    NoCommand { exports: Vec<String> },
    #[error("{}", refused_files::other_version(.wanted, &spoken_versions(), .cure))]
    OtherVersion { wanted: String, cure: &'static str },
    #[error("{}", refused_files::unknown_import(.import))]
    UnknownImport { import: String },
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
    #[error("{}", refused_files::too_complex(.what))]
    TooComplex { what: &'static str },
    #[error("{}", refused_files::large_memory(*.mib, MAX_MEMORY_MIB))]
    LargeMemory { mib: u64 },
    #[error("{}", refused_files::large_table(*.elements, MAX_TABLE_ELEMENTS))]
    LargeTable { elements: u64 },
    #[error("{}", refused_files::large_instance(.what, *.count, *.max))]
    LargeInstance { what: &'static str, count: u32, max: u32 },
    #[error("{}", refused_files::too_many_items(MAX_ITEMS))]
    TooManyItems,
}

/// What a component asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// The grants that it needs, in the order of [`Grant::ALL`].
    pub grants: Vec<Grant>,
    /// The version of `maro:plugin` that it exports.
    pub(crate) version: Version,
    /// The interfaces of WASI that this host doesn't have.
    pub(crate) unoffered: Vec<String>,
    /// Whether it can ask WASI for the time of day, for which it needs the grant `clock` too.
    pub reads_time: bool,
    /// What an instance of it takes of the pool.
    pub(crate) needs: Needs,
}

impl Wishes {
    /// The edition of WASI that it was built for, if it's later than the one that this host has.
    pub(crate) fn later_wasi(&self) -> Option<&str> {
        let versions = self.unoffered.iter().filter_map(|import| import.rsplit_once('@'));
        versions.map(|(_, version)| version).find(|version| {
            let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
            (parts.next(), parts.next()) > (Some(0), Some(2))
        })
    }

    /// What the operator may not have meant or expected, a sentence each, under the manifest in `file`.
    pub fn warnings(&self, manifest: &Manifest, file: &str) -> Vec<String> {
        let time = self.reads_time.then_some(Grant::Clock);
        let used: Vec<_> = self.grants.iter().copied().chain(time).collect();
        let mut warnings = manifest.warnings(&used, file);
        if !self.unoffered.is_empty() {
            warnings.push(refused_files::unoffered_imports(&shown(&self.unoffered.join(", "))));
        }
        warnings
    }
}

/// The versions of `maro:plugin` that this host speaks, for people.
pub fn spoken_versions() -> String {
    VERSIONS.map(version_text).join(" and ")
}

/// Reads a component's imports and exports and compares them with what this host has.
///
/// Skips code, so honest plugins take milliseconds, and a malicious file takes a few hundred.
///
/// # Errors
/// The first reason why the host couldn't run it.
pub fn inspect(wasm: &[u8]) -> Result<Wishes, PreflightError> {
    let (imports, exports) = outer_names(wasm)?;
    let command = exports.iter().find_map(|export| split_version(export, COMMAND));
    let Some(command) = command else {
        let exports = exports.iter().take(MAX_SHOWN_EXPORTS).map(|export| shown(export)).collect();
        return Err(PreflightError::NoCommand { exports });
    };
    let version = check_version(command)?;
    let (mut wanted, mut unoffered) = (Vec::new(), Vec::new());
    for import in &imports {
        let Some(rest) = import.strip_prefix("maro:plugin/") else {
            if import.starts_with("wasi:") {
                unoffered.extend((!wasi::is_offered(import)).then(|| import.clone()));
                continue;
            }
            return Err(PreflightError::UnknownImport { import: shown(import) });
        };
        let (interface, import_version) = rest.split_once('@').unwrap_or((rest, ""));
        check_version(import_version)?;
        match Grant::from_interface(interface) {
            Some(grant) => wanted.push(grant),
            None if UNGRANTED.contains(&interface) => {}
            None => return Err(PreflightError::UnknownImport { import: shown(import) }),
        }
    }
    let needs = complexity::check(wasm).map_err(|excess| match excess {
        Excess::Damaged { offset } => PreflightError::Damaged { offset },
        Excess::TooLarge(what) => PreflightError::TooComplex { what },
        Excess::Memory { mib } => PreflightError::LargeMemory { mib },
        Excess::Table { elements } => PreflightError::LargeTable { elements },
        Excess::Instance { what, count, max } => PreflightError::LargeInstance { what, count, max },
    })?;
    let grants = Grant::ALL.into_iter().filter(|grant| wanted.contains(grant)).collect();
    let reads_time = imports.iter().any(|import| import.starts_with("wasi:clocks/wall-clock@"));
    Ok(Wishes { grants, version, unoffered, reads_time, needs })
}

/// The names that the outermost component imports and exports.
fn outer_names(wasm: &[u8]) -> Result<(Vec<String>, Vec<String>), PreflightError> {
    if wasm.is_empty() {
        return Err(PreflightError::Empty);
    }
    check_format(wasm)?;
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut parser = Parser::new(0);
    let mut rest = wasm;
    let damaged = |error: wasmparser::BinaryReaderError| PreflightError::Damaged { offset: error.offset() };
    loop {
        let (consumed, payload) = match parser.parse(rest, true).map_err(damaged)? {
            wasmparser::Chunk::Parsed { consumed, payload } => (consumed, payload),
            wasmparser::Chunk::NeedMoreData(_) => {
                return Err(PreflightError::Damaged { offset: wasm.len() });
            }
        };
        rest = &rest[consumed..];
        match payload {
            Payload::Version { encoding: Encoding::Module, .. } => return Err(PreflightError::CoreModule),
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                // The compiler validates nested code, so it is skipped.
                let length = unchecked_range.end - unchecked_range.start;
                rest = rest.get(length..).ok_or(PreflightError::Damaged { offset: wasm.len() })?;
            }
            Payload::ComponentImportSection(section) => {
                check_count(&imports, &exports, section.count())?;
                for import in section {
                    imports.push(import.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                check_count(&imports, &exports, section.count())?;
                for export in section {
                    exports.push(export.map_err(damaged)?.name.name.to_owned());
                }
            }
            Payload::End(_) => return Ok((imports, exports)),
            _ => {}
        }
    }
}

/// Checks the first eight bytes: the magic number, the version of the format, and whether it's a component.
fn check_format(wasm: &[u8]) -> Result<(), PreflightError> {
    if !wasm.starts_with(MAGIC) {
        return Err(PreflightError::NotWebAssembly(Lookalike::of(wasm)));
    }
    match wasm[MAGIC.len()..] {
        [low, high, COMPONENT_LAYER, 0, ..] => {
            match u16::from_le_bytes([low, high]).cmp(&COMPONENT_VERSION) {
                Ordering::Less => Err(PreflightError::EarlierFormat),
                Ordering::Equal => Ok(()),
                Ordering::Greater => Err(PreflightError::LaterFormat),
            }
        }
        // The parser says what is wrong with the rest.
        _ => Ok(()),
    }
}

/// Checks how many more there are before they are read.
fn check_count(imports: &[String], exports: &[String], more: u32) -> Result<(), PreflightError> {
    let count = imports.len() + exports.len() + more as usize;
    if count > MAX_ITEMS { Err(PreflightError::TooManyItems) } else { Ok(()) }
}

/// The version in `name@version` if `name` is the item; empty if it has none.
fn split_version<'a>(item: &'a str, name: &str) -> Option<&'a str> {
    match item.strip_prefix(name)? {
        "" => Some(""),
        rest => rest.strip_prefix('@'),
    }
}

/// A plugin runs on a host that has its 0.x line in a version at least as new.
fn check_version(wanted: &str) -> Result<Version, PreflightError> {
    let mut numbers = wanted.split(['-', '+']).next().unwrap_or("").split('.').map(str::parse::<u64>);
    let wanted = match (numbers.next(), numbers.next(), numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor)), Some(Ok(patch)), None) => (major, minor, patch),
        _ => {
            return Err(PreflightError::OtherVersion {
                wanted: if wanted.is_empty() {
                    refused_files::NO_INTERFACE_VERSION.to_owned()
                } else {
                    shown(wanted)
                },
                cure: refused_files::BUILD_FOR_THIS_HOST,
            });
        }
    };
    let line = |version: &Version| (version.0, version.1) == (wanted.0, wanted.1);
    if VERSIONS.iter().any(|version| line(version) && wanted.2 <= version.2) {
        return Ok(wanted);
    }
    let is_newer = VERSIONS.last().is_some_and(|newest| wanted > *newest) || VERSIONS.iter().any(line);
    let cure = if is_newer { refused_files::UPDATE_MARO } else { refused_files::BUILD_AGAIN };
    Err(PreflightError::OtherVersion { wanted: version_text(wanted), cure })
}

fn version_text((major, minor, patch): Version) -> String {
    format!("{major}.{minor}.{patch}")
}

/// A name from an unchecked file, short and on one line.
fn shown(name: &str) -> String {
    maro_domain::issue::one_line(name, 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::admission::check_grants;

    fn component(body: &str) -> Vec<u8> {
        wat::parse_str(format!("(component {body})")).unwrap()
    }

    const COMMAND_EXPORT: &str = r#"(instance $c) (export "maro:plugin/command@0.2.0" (instance $c))"#;

    #[test]
    fn a_components_imports_are_its_wishes() {
        let wasm = component(&format!(
            r#"(import "maro:plugin/tracker-edit@0.2.0" (instance))
               (import "maro:plugin/jira@0.2.0" (instance))
               (import "maro:plugin/log@0.2.0" (instance))
               (import "wasi:io/poll@0.2.6" (instance))
               {COMMAND_EXPORT}"#
        ));
        let wishes = inspect(&wasm).unwrap();
        assert_eq!(wishes.grants, [Grant::Jira, Grant::TrackerEdit]);
        assert!(!wishes.reads_time);

        let manifest = Manifest { grants: vec![Grant::Jira], ..Manifest::default() };
        let error = check_grants(&wishes.grants, &manifest, "track.toml").unwrap_err();
        assert_eq!(
            error.to_string(),
            "it needs tracker-edit, which isn't granted: add \"tracker-edit\" to `grants` in track.toml"
        );
    }

    #[test]
    fn a_later_wasi_is_told_from_a_part_of_this_one_that_is_not_there() {
        for (import, expected) in [
            ("wasi:clocks/monotonic-clock@0.3.0", Some("0.3.0")),
            ("wasi:io/streams@1.0.0", Some("1.0.0")),
            ("wasi:nn/graph@0.2.0-rc-2024", None),
            ("wasi:http/types@0.2.6", None),
            ("wasi:unversioned/thing", None),
        ] {
            let wishes = Wishes { unoffered: vec![import.to_owned()], ..Wishes::default() };
            assert_eq!(wishes.later_wasi(), expected, "{import}");
        }
    }

    #[test]
    fn what_is_no_plugin_is_told_why() {
        let newer = component(&format!(r#"(import "maro:plugin/jira@0.9.0" (instance)) {COMMAND_EXPORT}"#));
        let foreign = component(&format!(r#"(import "evil:http/fetch@1.0.0" (instance)) {COMMAND_EXPORT}"#));
        let unknown = component(&format!(r#"(import "maro:plugin/root@0.2.0" (instance)) {COMMAND_EXPORT}"#));
        let other = component(
            r#"(instance $run) (export "wasi:cli/run@0.2.6" (instance $run))
               (export "harbor:tools/tides@1.2.0" (instance $run))"#,
        );
        let whole = component(COMMAND_EXPORT);
        for (wasm, expected) in [
            (b"hello".to_vec(), "it isn't WebAssembly"),
            (Vec::new(), "it's empty"),
            (wat::parse_str("(module)").unwrap(), "it's a core module"),
            (component(""), "it doesn't export maro:plugin/command"),
            (newer, "it was built for maro:plugin 0.9.0, but this host has 0.1.0 and 0.2.0: update MARO"),
            (b"\0asm\x0a\0\x01\0".to_vec(), "it was made for an earlier component format: build it again"),
            (b"\0asm\x0c\0\x01\0 and so on".to_vec(), "it was made for an earlier component format"),
            (b"\0asm\x0e\0\x01\0".to_vec(), "it was made for a later component format: update MARO"),
            (
                other,
                "it exports wasi:cli/run@0.2.6 and harbor:tools/tides@1.2.0, but not maro:plugin/command",
            ),
            (foreign, "it imports evil:http/fetch@1.0.0, which MARO doesn't provide"),
            (unknown, "it imports maro:plugin/root@0.2.0, which MARO doesn't provide"),
            (whole[..whole.len() - 3].to_vec(), "it's damaged or was cut short"),
        ] {
            let error = inspect(&wasm).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error:?} does not start with {expected:?}");
        }
    }

    #[test]
    fn a_truncated_file_is_refused_or_lacks_nothing_that_counts() {
        let whole = component(&format!(r#"(core module (func)) {COMMAND_EXPORT}"#));
        let wishes = inspect(&whole).unwrap();
        let mut refused = 0;
        for length in 0..whole.len() {
            match inspect(&whole[..length]) {
                Ok(part) => assert_eq!(part, wishes, "{length} of {} bytes", whole.len()),
                Err(_) => refused += 1,
            }
        }
        assert!(refused > whole.len() / 2, "only {refused} of {} were refused", whole.len());
    }

    #[test]
    fn the_clock_is_not_granted_in_vain_to_who_asks_wasi_for_the_time() {
        let manifest = Manifest { grants: vec![Grant::Clock], ..Manifest::default() };
        let warnings = |import: &str| {
            let wasm = component(&format!("{import} {COMMAND_EXPORT}"));
            inspect(&wasm).unwrap().warnings(&manifest, "count.toml")
        };
        assert_eq!(warnings(r#"(import "wasi:clocks/wall-clock@0.2.6" (instance))"#), [""; 0]);
        assert!(warnings("")[0].contains("never uses it"));
    }
}
