//! Calling the host, which exists only inside WebAssembly.

/// Calls a function of the host: `host!(storage::get(scope, key))`.
macro_rules! host {
    ($module:ident :: $function:ident ( $($argument:expr),* )) => {{
        if cfg!(not(target_family = "wasm")) {
            $crate::host::absent(concat!(stringify!($module), "::", stringify!($function)));
        }
        $module::$function($($argument),*)
    }};
}
pub(crate) use host;

/// Ends the test that calls the host. The generated code would abort all of them.
pub(crate) fn absent(function: &str) -> ! {
    panic!(
        "{function} can only be called on a host: keep the answer apart from the asking \
         (plugins/README.md, Testing)"
    )
}
