//! Compares a component's interface with the host's, function by function. The linker would report only the
//! first mismatch. This reports all of them, by name and with what to do.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use wit_parser::{Function, Interface, Resolve, SourceMap, Type, TypeDefKind, WorldId, WorldItem, decoding};

use crate::languages::embedded::{self, Files, interface_version};

/// The package of the contract between host and plugins.
const PACKAGE: &str = "maro:plugin/";

/// The interface that every plugin provides.
const COMMAND: &str = "command";

/// What a component imports and exports of `maro:plugin`.
pub(crate) struct Contract {
    /// The version that it was built for. Empty if there is none.
    pub(crate) version: String,
    /// The interfaces of `maro:plugin` that it imports, with the functions it calls.
    pub(crate) imports: Vec<(String, Vec<String>)>,
    /// Whether it imports anything of WASI, which is empty here.
    pub(crate) uses_wasi: bool,
    /// One sentence each.
    pub(crate) mismatches: Vec<String>,
}

/// Reads a component's interface and compares it with the version it was built for.
///
/// # Errors
/// It isn't a component, or it is damaged.
pub(crate) fn read(wasm: &[u8]) -> anyhow::Result<Contract> {
    let decoded = decoding::decode(wasm).map_err(|error| anyhow!("{error:#}"))?;
    let decoding::DecodedWasm::Component(resolve, world) = decoded else {
        return Err(anyhow!("it contains an interface but no code"));
    };
    let theirs = interfaces(&resolve, world);
    let version = theirs.iter().find(|found| found.is_export && found.name == COMMAND);
    let version = version.map(|command| command.version.clone()).unwrap_or_default();
    let mut contract = Contract {
        imports: Vec::new(),
        uses_wasi: resolve.packages.iter().any(|(_, package)| package.name.namespace == "wasi"),
        mismatches: Vec::new(),
        version,
    };
    let Some(files) = released(&contract.version) else {
        contract.mismatches.push(format!(
            "it was built for maro:plugin {}, but this host has {}: update MARO, or build it against the host's interface",
            if contract.version.is_empty() { "of an unknown version" } else { &contract.version },
            interface_version(),
        ));
        return Ok(contract);
    };
    let (host, host_world) = parse(files)?;
    let ours = interfaces(&host, host_world);
    for found in &theirs {
        if !found.is_export {
            contract.imports.push((found.name.clone(), found.interface.functions.keys().cloned().collect()));
        }
        let counterpart = ours.iter().find(|own| own.name == found.name && own.is_export == found.is_export);
        match counterpart {
            Some(own) => compare(&resolve, found, &host, own, &mut contract.mismatches),
            // An interface with types alone needs no linking.
            None if found.interface.functions.is_empty() => {}
            None => contract.mismatches.push(format!(
                "a host of version {1} doesn't have maro:plugin/{0}: stop using it",
                found.name, contract.version
            )),
        }
    }
    contract.imports.retain(|(_, functions)| !functions.is_empty());
    Ok(contract)
}

fn released(version: &str) -> Option<Files> {
    if version == interface_version() {
        return Some(embedded::wit());
    }
    embedded::RELEASED.iter().find(|(released, _)| *released == version).map(|(_, files)| *files)
}

fn parse(files: Files) -> anyhow::Result<(Resolve, WorldId)> {
    let mut sources = SourceMap::new();
    for (path, text) in files {
        sources.push(Path::new(path), *text);
    }
    let group = sources.parse().map_err(|(_, error)| anyhow!("can't read wit/: {error:?}"))?;
    let mut resolve = Resolve::default();
    let package = resolve.push_group(group).map_err(|error| anyhow!("can't read wit/: {error:?}"))?;
    let world = resolve.packages[package].worlds.values().next().copied();
    Ok((resolve, world.context("wit/ has no world")?))
}

/// An interface of `maro:plugin` in a world.
struct Found<'a> {
    name: String,
    version: String,
    is_export: bool,
    interface: &'a Interface,
}

fn interfaces(resolve: &Resolve, world: WorldId) -> Vec<Found<'_>> {
    let world = &resolve.worlds[world];
    let imports = world.imports.iter().map(|item| (item, false));
    let exports = world.exports.iter().map(|item| (item, true));
    imports
        .chain(exports)
        .filter_map(|((key, item), is_export)| {
            let WorldItem::Interface { id, .. } = item else { return None };
            let name = resolve.name_world_key(key);
            let (name, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
            let (name, version) = (name.to_owned(), version.to_owned());
            Some(Found { name, version, is_export, interface: &resolve.interfaces[*id] })
        })
        .collect()
}

fn compare(
    theirs: &Resolve,
    found: &Found<'_>,
    ours: &Resolve,
    own: &Found<'_>,
    mismatches: &mut Vec<String>,
) {
    let interface = &found.name;
    let asked = if found.is_export { own } else { found };
    for name in asked.interface.functions.keys() {
        match (found.interface.functions.get(name), own.interface.functions.get(name)) {
            (Some(their), Some(our)) => {
                if let Some(difference) = signature_difference(theirs, their, ours, our) {
                    mismatches.push(format!(
                        "{interface}.{name}: {difference}. Build it against wit/ of version {}",
                        own.version
                    ));
                }
            }
            (None, _) => {
                mismatches.push(format!("{interface}.{name} is missing: every plugin must provide it"))
            }
            (_, None) => mismatches.push(format!(
                "version {} has no function {interface}.{name}: stop using it, or update MARO",
                own.version
            )),
        }
    }
}

fn signature_difference(
    theirs: &Resolve,
    their: &Function,
    ours: &Resolve,
    our: &Function,
) -> Option<String> {
    if their.params.len() != our.params.len() {
        return Some(format!(
            "it takes {} parameters in the plugin but {} in the host",
            their.params.len(),
            our.params.len()
        ));
    }
    let parameters = their.params.iter().zip(&our.params);
    let mut parameters = parameters
        .filter_map(|(a, b)| difference(theirs, &a.ty, ours, &b.ty, &format!("parameter {}", b.name)));
    parameters
        .next()
        .or_else(|| optional(theirs, their.result.as_ref(), ours, our.result.as_ref(), "the result"))
}

fn optional(
    theirs: &Resolve,
    their: Option<&Type>,
    ours: &Resolve,
    our: Option<&Type>,
    place: &str,
) -> Option<String> {
    match (their, our) {
        (None, None) => None,
        (Some(a), Some(b)) => difference(theirs, a, ours, b, place),
        (Some(_), None) => Some(format!("{place} has a value in the plugin but none in the host")),
        (None, Some(_)) => Some(format!("{place} has no value in the plugin but one in the host")),
    }
}

/// The first place where two types differ, however deep. Only their shapes count, not their names.
fn difference(theirs: &Resolve, their: &Type, ours: &Resolve, our: &Type, place: &str) -> Option<String> {
    let (a, b) = (shape(theirs, their), shape(ours, our));
    let deeper =
        |a: &Type, b: &Type, inside: &str| difference(theirs, a, ours, b, &format!("{place}{inside}"));
    match (&a, &b) {
        (Shape::Plain(a), Shape::Plain(b)) if a == b => None,
        (Shape::Kind(TypeDefKind::List(a)), Shape::Kind(TypeDefKind::List(b)))
        | (Shape::Kind(TypeDefKind::Option(a)), Shape::Kind(TypeDefKind::Option(b))) => deeper(a, b, "[]"),
        (Shape::Kind(TypeDefKind::Tuple(a)), Shape::Kind(TypeDefKind::Tuple(b)))
            if a.types.len() == b.types.len() =>
        {
            a.types.iter().zip(&b.types).find_map(|(a, b)| deeper(a, b, "[]"))
        }
        (Shape::Kind(TypeDefKind::Result(a)), Shape::Kind(TypeDefKind::Result(b))) => {
            optional(theirs, a.ok.as_ref(), ours, b.ok.as_ref(), &format!("{place}.ok"))
                .or_else(|| optional(theirs, a.err.as_ref(), ours, b.err.as_ref(), &format!("{place}.err")))
        }
        (Shape::Kind(TypeDefKind::Record(a)), Shape::Kind(TypeDefKind::Record(b))) => names_difference(
            a.fields.iter().map(|field| &field.name),
            b.fields.iter().map(|field| &field.name),
            place,
        )
        .or_else(|| {
            let mut fields = a.fields.iter().zip(&b.fields);
            fields.find_map(|(a, b)| deeper(&a.ty, &b.ty, &format!(".{}", b.name)))
        }),
        (Shape::Kind(TypeDefKind::Variant(a)), Shape::Kind(TypeDefKind::Variant(b))) => names_difference(
            a.cases.iter().map(|case| &case.name),
            b.cases.iter().map(|case| &case.name),
            place,
        )
        .or_else(|| {
            let mut cases = a.cases.iter().zip(&b.cases);
            cases.find_map(|(a, b)| {
                optional(theirs, a.ty.as_ref(), ours, b.ty.as_ref(), &format!("{place}.{}", b.name))
            })
        }),
        (Shape::Kind(TypeDefKind::Enum(a)), Shape::Kind(TypeDefKind::Enum(b))) => names_difference(
            a.cases.iter().map(|case| &case.name),
            b.cases.iter().map(|case| &case.name),
            place,
        ),
        (a, b) => Some(format!("{place} is {} in the plugin but {} in the host", a.name(), b.name())),
    }
}

/// The first name that only one side has, or whether the order differs.
fn names_difference<'a>(
    theirs: impl Iterator<Item = &'a String>,
    ours: impl Iterator<Item = &'a String>,
    place: &str,
) -> Option<String> {
    let (theirs, ours): (Vec<_>, Vec<_>) = (theirs.collect(), ours.collect());
    if let Some(name) = theirs.iter().find(|name| !ours.contains(name)) {
        return Some(format!("{place} has {name} in the plugin but not in the host"));
    }
    if let Some(name) = ours.iter().find(|name| !theirs.contains(name)) {
        return Some(format!("{place} lacks {name}, which the host has"));
    }
    (theirs != ours).then(|| format!("{place} has its parts in a different order"))
}

/// A type without its names.
enum Shape<'a> {
    Plain(&'a Type),
    Kind(&'a TypeDefKind),
}

fn shape<'a>(resolve: &'a Resolve, mut type_: &'a Type) -> Shape<'a> {
    loop {
        let Type::Id(id) = type_ else { return Shape::Plain(type_) };
        match &resolve.types[*id].kind {
            TypeDefKind::Type(alias) => type_ = alias,
            kind => return Shape::Kind(kind),
        }
    }
}

impl Shape<'_> {
    fn name(&self) -> String {
        match self {
            Self::Plain(type_) => format!("{type_:?}").to_lowercase(),
            Self::Kind(kind) => kind.as_str().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: &str = "package maro:plugin@0.2.0; interface i { f: func(x: PARAMETER) -> result<RESULT>; \
                         record r { a: string, b: u32 } enum e { one, two } variant v { none, some(u8) } } \
                         world w { import i; export i; }";

    fn world(parameter: &str, result: &str) -> (Resolve, WorldId) {
        let text = TYPES.replace("PARAMETER", parameter).replace("RESULT", result);
        let mut resolve = Resolve::default();
        let package = resolve.push_source("w.wit", &text).unwrap();
        let world = *resolve.packages[package].worlds.values().next().unwrap();
        (resolve, world)
    }

    fn first_mismatch(theirs: (&str, &str), ours: (&str, &str)) -> Option<String> {
        let ((theirs, their_world), (ours, our_world)) = (world(theirs.0, theirs.1), world(ours.0, ours.1));
        let mut mismatches = Vec::new();
        let (found, own) = (interfaces(&theirs, their_world), interfaces(&ours, our_world));
        compare(&theirs, &found[0], &ours, &own[0], &mut mismatches);
        mismatches.into_iter().next()
    }

    #[test]
    fn the_first_difference_is_named_however_deep_it_is() {
        let tail = ". Build it against wit/ of version 0.2.0";
        for (theirs, ours, expected) in [
            (("u32", "r"), ("u32", "r"), None),
            (
                ("string", "r"),
                ("u32", "r"),
                Some("i.f: parameter x is string in the plugin but u32 in the host"),
            ),
            (
                ("u32", "list<u8>"),
                ("u32", "list<u16>"),
                Some("i.f: the result.ok[] is u8 in the plugin but u16 in the host"),
            ),
            (("e", "r"), ("v", "r"), Some("i.f: parameter x is enum in the plugin but variant in the host")),
        ] {
            assert_eq!(first_mismatch(theirs, ours), expected.map(|text| format!("{text}{tail}")));
        }
    }

    #[test]
    fn every_released_interface_can_be_read() {
        for (version, files) in embedded::RELEASED {
            let (resolve, world) = parse(files).unwrap();
            assert!(interfaces(&resolve, world).iter().all(|found| found.version == *version));
        }
        let (resolve, world) = parse(embedded::wit()).unwrap();
        assert!(interfaces(&resolve, world).iter().any(|found| found.name == "tracker-edit"));
    }
}
