//! Why a file in the plugins folder can't run.

use std::io;

use crate::{
    inspection::preflight::PreflightError,
    loading::{cache::MAX_ENTRY_BYTES, name_fault::NameFault, plugin_memory_budget::Ceiling},
    policy::admission::Forbidden,
    running::invoke::Fault,
};
use maro_texts::plugins::refused_files;

/// Why a file in the plugins folder can't run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{}", refused_files::unreadable(.0))]
    Unreadable(#[source] io::Error),
    #[error("{}", refused_files::UNSETTLED)]
    Unsettled,
    #[error(transparent)]
    Misnamed(#[from] NameFault),
    #[error("{}", refused_files::in_manifest(.file, .problem))]
    Manifest { file: String, problem: String },
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// It ran until its manifest was changed.
    #[error("{}", .0.withdrawn())]
    Withdrawn(Forbidden),
    /// This version can't run, and the one before it ran until the manifest was changed.
    #[error("{}", refused_files::no_version(.reason, &.earlier.withdrawn_earlier()))]
    NoVersion { reason: Box<Self>, earlier: Forbidden },
    /// Not the plugin is at fault, but the machine: none can run.
    #[error("{} {}", refused_files::NO_CODE_RUNS, refused_files::LET_CODE_RUN)]
    NoCodeRuns,
    #[error("{}", refused_files::not_compiled(.0))]
    Compile(String),
    #[error("{}", refused_files::code_too_large(MAX_ENTRY_BYTES >> 20))]
    CodeTooLarge,
    #[error("{}", refused_files::compiling_too_slow(*.seconds))]
    CompilerTime { seconds: u64 },
    #[error("{}", refused_files::compiling_too_large(*.mib))]
    CompilerMemory { mib: u64 },
    /// Not the plugin is at fault, but where it runs.
    #[error("{}", .0.too_small_to_compile())]
    NoRoomToCompile(Ceiling),
    /// Somebody or the system ended the compiler.
    #[error("{}", refused_files::compiler_killed(*.signal))]
    CompilerKilled { signal: i32 },
    #[error("{}", refused_files::compiler_unreachable(.0))]
    CompilerUnreachable(#[source] io::Error),
    #[error("{}", refused_files::larger_than_share(*.mib, *.share_mib))]
    LargerThanShare { mib: u64, share_mib: u64 },
    #[error("{}", refused_files::other_interface(.0))]
    Link(String),
    /// It couldn't be compiled or linked, and this is why.
    #[error("{}", refused_files::later_wasi(.version))]
    LaterWasi { version: String },
    #[error("{}", refused_files::not_described(.0))]
    Describe(#[source] Fault),
    #[error("{}", refused_files::invalid_description(.0))]
    Description(String),
    #[error("{}", refused_files::reserved_name(.name))]
    ReservedName { name: String },
    #[error("{}", refused_files::other_name(.name))]
    OtherName { name: String },
    #[error("{}", refused_files::cases_unreadable(.0))]
    UnreadableCases(#[source] io::Error),
    #[error("{}", refused_files::other_replies(&.cases.join(", "), .file))]
    OtherReplies { cases: Vec<String>, file: String },
}

impl LoadError {
    /// Whether the same file may run later, though nothing of it changes.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreadable(_)
            | Self::UnreadableCases(_)
            | Self::CompilerKilled { .. }
            | Self::CompilerUnreachable(_) => true,
            Self::Describe(fault) => fault.is_crowded() || matches!(fault, Fault::TimedOut { .. }),
            Self::NoVersion { reason, .. } => reason.may_pass(),
            _ => false,
        }
    }

    /// Whether it's the machine's fault, and every plugin's alike.
    pub fn is_of_the_machine(&self) -> bool {
        self.of_the_machine().is_some()
    }

    /// What is wrong with the machine, and what to do about it: two sentences, the second without its end. `None` if it
    /// isn't the machine's fault.
    pub fn of_the_machine(&self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::NoCodeRuns => Some((refused_files::NO_CODE_RUNS, refused_files::LET_CODE_RUN)),
            Self::NoVersion { reason, .. } => reason.of_the_machine(),
            _ => None,
        }
    }

    /// The reason without what the guest printed.
    pub fn in_public(&self) -> String {
        match self {
            Self::Describe(fault) => refused_files::not_described(fault.in_public()),
            Self::NoVersion { reason, earlier } => {
                refused_files::no_version(reason.in_public(), &earlier.withdrawn_earlier())
            }
            other => other.to_string(),
        }
    }
}
