//! Write a subcommand of `/maro` as a sandboxed WebAssembly component.
//!
//! A plugin is a type that implements [`Plugin`], passed to [`register!`]. It needs what it calls: for each
//! function, the operator has to grant its module. Nothing else is imported. With `?` the errors of all modules
//! turn into a [`RunError`].
//!
//! | module | for |
//! |---|---|
//! | [`jira`], [`jira_edit`] | reading and searching issues; changing them |
//! | [`tracker`], [`tracker_edit`] | reading the channel's list; changing it |
//! | [`storage`] | texts that are kept between commands |
//! | [`settings`] | what the operator sets for this plugin |
//! | [`http`] | requests to hosts that the operator lists |
//! | [`caller`] | an id of the person who typed the command, and whether that is an admin |
//! | [`clock`] | the time of day |
//! | [`log`] | lines for the operator; needs no grant |
//! | [`reply`], [`keys`], [`typed`] | building replies, and reading what people type; need no host |
//!
//! ```
//! use maro_plugin::{Description, Plugin, Reply, RunError, register, spans, typed::unescape};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     fn describe() -> Description {
//!         Description {
//!             name: "hello",
//!             version: env!("CARGO_PKG_VERSION"),
//!             summary: "Greet someone",
//!             usage: "[NAME]",
//!         }
//!     }
//!
//!     fn run(arguments: &str) -> Result<Reply, RunError> {
//!         let name = unescape(arguments.trim());
//!         Ok(Reply::to_caller().paragraph(spans!["Hello, ", &*name, "!"]))
//!     }
//! }
//!
//! register!(Hello);
//! ```

#[cfg(target_family = "wasm")]
mod arena;
#[doc(hidden)]
pub mod bindings;
pub mod caller;
pub mod clock;
mod host;
pub mod http;
pub mod jira;
pub mod jira_edit;
pub mod keys;
pub mod log;
mod plugin;
pub mod reply;
pub mod settings;
pub mod storage;
pub mod tracker;
pub mod tracker_edit;
pub mod typed;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use crate::arena::Arena;
#[doc(hidden)]
pub use crate::plugin::Component;
pub use crate::{
    bindings::maro::plugin::types::{IssueKey, UserId},
    plugin::{Description, Plugin, RunError},
    reply::Reply,
};

/// Makes a [`Plugin`] the one that this crate provides. Use it once, at the crate's root.
///
/// Outside WebAssembly nothing is exported, so the crate's tests run like any other tests.
#[macro_export]
macro_rules! register {
    ($plugin:ty) => {
        #[cfg(target_family = "wasm")]
        const _: () = {
            #[global_allocator]
            static ALLOCATOR: $crate::Arena = $crate::Arena::new();

            type Registered = $crate::Component<$plugin>;
            $crate::bindings::export_subcommand! { Registered with_types_in $crate::bindings }
        };

        // Keeps the compiler from calling the plugin dead code where nothing is exported.
        #[cfg(not(target_family = "wasm"))]
        #[doc(hidden)]
        pub fn __run(arguments: &str) -> Result<$crate::Reply, $crate::RunError> {
            <$plugin as $crate::Plugin>::run(arguments)
        }
    };
}

/// The code in the guide compiles and does what it says.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Guide;

/// The code in the reference, likewise.
#[cfg(doctest)]
#[doc = include_str!("../../REFERENCE.md")]
struct Reference;

/// The code in the repository's own README, likewise.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Overview;
