//! The types of an interface in a form that a plugin's JavaScript can hold values against.

use std::path::Path;

use serde_json::{Map, Value, json};
use wit_parser::{Function, Resolve, Type, TypeDefKind, WorldItem};

use crate::languages::interpreted::WORLD;

/// The package of the contract between host and plugins.
const PACKAGE: &str = "maro:plugin/";

/// A module in JavaScript: `FUNCTIONS`, the parameters of each function that the world in the folder `wit` imports,
/// by names such as `storage.listKeys`, and `REPLY`, what `command.run` returns. An interface that can't be read has
/// no functions: the tool says better why.
pub(super) fn module(wit: &Path) -> String {
    let (functions, reply) = read(wit).unwrap_or_default();
    format!("export const FUNCTIONS = {};\nexport const REPLY = {reply};\n", Value::Object(functions))
}

fn read(wit: &Path) -> Option<(Map<String, Value>, Value)> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).ok()?;
    let world = &resolve.worlds[*resolve.packages[package].worlds.get(WORLD)?];
    let mut functions = Map::new();
    let mut reply = Value::Null;
    for (key, item) in world.imports.iter().chain(&world.exports) {
        let WorldItem::Interface { id, .. } = item else { continue };
        let name = resolve.name_world_key(key);
        let Some((interface, _)) = name.strip_prefix(PACKAGE).and_then(|name| name.split_once('@')) else {
            continue;
        };
        for (function, signature) in &resolve.interfaces[*id].functions {
            if (interface, &**function) == ("command", "run") {
                reply = ok(&resolve, signature.result.as_ref());
            } else {
                let parameters = parameters(&resolve, signature);
                functions.insert(format!("{}.{}", camel(interface), camel(function)), parameters);
            }
        }
    }
    Some((functions, reply))
}

fn parameters(resolve: &Resolve, function: &Function) -> Value {
    let parameters = function.params.iter();
    parameters.map(|parameter| json!([camel(&parameter.name), shape(resolve, &parameter.ty)])).collect()
}

/// What a function returns unless it fails.
fn ok(resolve: &Resolve, result: Option<&Type>) -> Value {
    let Some(Type::Id(id)) = result else { return Value::Null };
    match &resolve.types[*id].kind {
        TypeDefKind::Type(alias) => ok(resolve, Some(alias)),
        TypeDefKind::Result(result) => result.ok.as_ref().map_or(Value::Null, |ok| shape(resolve, ok)),
        _ => Value::Null,
    }
}

/// A text for a type of WIT's own, else an object with one key: pairs keep the order of the interface. Types that no
/// function of the interface takes are `any`.
fn shape(resolve: &Resolve, of: &Type) -> Value {
    let Type::Id(id) = of else { return json!(format!("{of:?}").to_lowercase()) };
    let inner = |of: &Type| shape(resolve, of);
    match &resolve.types[*id].kind {
        TypeDefKind::Type(alias) => inner(alias),
        TypeDefKind::List(Type::U8) => json!("bytes"),
        TypeDefKind::List(of) => json!({ "list": inner(of) }),
        TypeDefKind::Option(of) => json!({ "option": inner(of) }),
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| json!([camel(&field.name), inner(&field.ty)]));
            json!({ "record": fields.collect::<Value>() })
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter();
            let cases = cases.map(|case| json!([case.name, case.ty.as_ref().map(inner)]));
            json!({ "variant": cases.collect::<Value>() })
        }
        TypeDefKind::Enum(choice) => {
            json!({ "enum": choice.cases.iter().map(|case| &case.name).collect::<Vec<_>>() })
        }
        _ => json!("any"),
    }
}

/// A name as the tool has it in JavaScript: `list-keys` is `listKeys`.
fn camel(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let mut letters = word.chars();
        let start = letters.next().map(|letter| letter.to_ascii_uppercase());
        all + &start.into_iter().chain(letters).collect::<String>()
    })
}
