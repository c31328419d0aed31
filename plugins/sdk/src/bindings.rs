//! The code that `wit-bindgen` makes of `wit/`, and nothing else.
//!
//! It is checked in, so that a plugin's first build needs no macros. `tests/bindings.rs` compares it with
//! `wit/` and makes it again.
//!
//! Hidden from the documentation: the other modules show its types under the names that authors use.
#![allow(
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    clippy::unwrap_used,
    unreachable_pub,
    unsafe_code,
    reason = "generated code"
)]

include!("bindings/generated.rs");
