//! Why a guest trapped, in words.

use std::collections::BTreeMap;

use wasmtime::{Trap, WasmBacktrace};

use maro_texts::plugins::faults::{self, OverflowPlace};

/// A guest in Rust has a second stack, at the start of its memory. What is below that is beyond the end, since
/// addresses wrap around: no memory is so large.
const BELOW_ZERO: u64 = 0xf000_0000;

/// How the functions of Python's interpreter begin that are at work whatever is done.
const PYTHONS_GENERAL: [&str; 2] = ["Py", "_Py"];

/// Why a guest trapped. The stack goes only to the log, for those who ask for it: authors want to know what the guest
/// itself said.
pub(super) fn causes(error: &wasmtime::Error) -> String {
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    let stack = backtrace.map(ToString::to_string);
    if let Some(stack) = &stack {
        tracing::debug!("a guest trapped: {stack}");
    }
    let causes = error.chain().map(ToString::to_string).filter(|cause| stack.as_ref() != Some(cause));
    let causes = causes.collect::<Vec<_>>().join(": ");
    let is_overflow = error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow);
    if !is_overflow && !is_below_zero(&causes) {
        return causes;
    }
    let names = backtrace.into_iter().flat_map(WasmBacktrace::frames).filter_map(|frame| frame.func_name());
    faults::out_of_stack(&place(names), &causes)
}

/// Whether memory was touched where only the end of the second stack leads.
fn is_below_zero(causes: &str) -> bool {
    let address = causes.split("memory fault at wasm address 0x").nth(1);
    let address = address.and_then(|rest| u64::from_str_radix(rest.split(' ').next()?, 16).ok());
    address.is_some_and(|address| address > BELOW_ZERO)
}

/// Which function called itself, by the names of the innermost ones.
fn place<'a>(names: impl Iterator<Item = &'a str> + Clone) -> OverflowPlace {
    if let Some(own) = commonest(names.clone().filter_map(authors_name)) {
        return OverflowPlace::Own(own);
    }
    // It says whether values are shown, compared, written or freed, which authors have to guess otherwise: no line of
    // theirs is at work.
    let is_general = |name: &&str| PYTHONS_GENERAL.iter().any(|start| name.starts_with(start));
    let special = || names.clone().filter(|name| !is_general(name)).map(str::to_owned);
    match names.clone().any(|name| is_general(&name)).then(|| commonest(special())).flatten() {
        Some(function) => OverflowPlace::Interpreter(function),
        None => OverflowPlace::Unknown,
    }
}

/// The name that comes most often, or the innermost of several.
fn commonest(names: impl Iterator<Item = String>) -> Option<String> {
    let mut seen = BTreeMap::<String, (usize, usize)>::new();
    for (depth, name) in names.enumerate() {
        seen.entry(name).or_insert((0, usize::MAX - depth)).0 += 1;
    }
    seen.into_iter().max_by_key(|(_, rank)| *rank).map(|(name, _)| name)
}

/// A function as its author calls it. Only Rust's.
fn authors_name(mangled: &str) -> Option<String> {
    let name = rustc_demangle::try_demangle(mangled).ok()?;
    // Without the hash.
    Some(format!("{name:#}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_second_stack_is_told_from_other_wrong_addresses() {
        assert!(is_below_zero("memory fault at wasm address 0xffffffe4 in linear memory of size 0x80000"));
        assert!(!is_below_zero("memory fault at wasm address 0x90000 in linear memory of size 0x80000"));
        assert!(!is_below_zero("wasm `unreachable` instruction executed"));
    }

    #[test]
    fn only_functions_in_rust_have_names_that_authors_know() {
        let mangled = "_ZN18maro_plugin_oncall3sum17h1363b959edd008c9E";
        assert_eq!(authors_name(mangled).as_deref(), Some("maro_plugin_oncall::sum"));
        assert_eq!(authors_name("_PyEval_EvalFrameDefault"), None);
    }

    #[test]
    fn the_function_that_called_itself_is_named() {
        let place = |names: &[&'static str]| place(names.iter().copied());
        let own = "_ZN18maro_plugin_oncall3sum17h1363b959edd008c9E";
        assert_eq!(place(&["memcpy", own, own]), OverflowPlace::Own("maro_plugin_oncall::sum".to_owned()));
        let shown = ["unicode_new", "PyObject_Repr", "list_repr", "PyObject_Repr", "list_repr"];
        assert_eq!(place(&shown), OverflowPlace::Interpreter("list_repr".to_owned()));
        assert_eq!(place(&["down", "down"]), OverflowPlace::Unknown);
        assert_eq!(place(&["_PyEval_EvalFrameDefault"]), OverflowPlace::Unknown);
    }
}
