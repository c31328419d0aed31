//! Why the content of a plugin's file can't run, and what to do about it. Each is the end of a sentence.

use std::fmt::Display;

/// A build of a plugin doesn't make such a file.
const NOT_A_BUILD: &str = "a normal plugin build doesn't";

pub fn unreadable(cause: impl Display) -> String {
    format!("it can't be read: {cause}")
}

pub const READING_TOO_SLOW: &str = "reading it takes too long";

pub fn manifest_not_utf8(file: &str) -> String {
    format!("{file} isn't UTF-8 text")
}

pub fn in_manifest(file: &str, problem: impl Display) -> String {
    format!("{file}: {problem}")
}

pub const UNSETTLED: &str = "it changes each time it's read: is it still being written?";
pub const NAME_NOT_UTF8: &str = "its name isn't UTF-8 text: rename it";
pub const NAME_IN_CAPITALS: &str = "its name must end in .wasm, in lowercase: rename it";

pub const OTHER_ENDING: &str = "its name must end in .wasm: rename it";
pub const SOURCE: &str =
    "it's source code: build it with `maro plugin build`, and copy the .wasm file it produces";
pub const UNFINISHED: &str = "its name doesn't end in .wasm, so it may be an unfinished copy: copy it again or \
rename it, or delete this file";

pub const IN_A_SUBFOLDER: &str =
    "it's in a subfolder, and MARO loads only what is in the plugins folder itself: move it there";
pub const MANIFEST_ALONE: &str = "there's no component beside it: add the .wasm file of the same name";
pub const MANIFEST_IN_CAPITALS: &str =
    "it and the component beside it differ in capital letters: give both the same name, in lowercase";
pub const NOT_MOUNTED: &str = "it's empty and on a different device than before: is its volume mounted? The \
plugins already loaded keep running";
pub const BACK_AND_EMPTY: &str = "it was gone, and came back empty: is its volume mounted? If it's meant to be empty, type \
`/maro plugins reload`. The plugins already loaded keep running";

/// A warning.
pub const ROLLED_BACK: &str = "it was rolled back to this version, which runs until its file changes";

pub const EMPTY: &str = "it's empty: build or copy it again";
pub const NOT_WEBASSEMBLY: &str = "it isn't WebAssembly: build it with `maro plugin build`";

pub const LFS_POINTER: &str = "it's a Git LFS pointer, not the file itself: fetch it with `git lfs pull`, and \
copy it again";
pub const ANNEX_POINTER: &str = "it's a git-annex pointer, not the file itself: fetch it with `git annex \
get`, and copy it again";
pub const HTML: &str = "it's an HTML page, perhaps a server's error or login page: download the plugin again";
pub const JSON: &str = "it's JSON, perhaps a server's error message: download the plugin again";
pub const MACHINE_CODE: &str = "it's machine code, which MARO makes itself: copy the component that it was made from, or build it with `maro plugin \
     build`";
pub const WAT: &str = "it's WebAssembly as text: turn it into a component with `wasm-tools parse`";
pub const BASE64: &str = "it's base64, perhaps of WebAssembly: decode it with `base64 -d`";
pub const SCRIPT: &str = "it's a script: build a component from it with `maro plugin build`";
pub const ZEROS: &str = "it's all zeros, so it wasn't written completely: copy it again";

pub fn compressed(undo: &str) -> String {
    format!("it's compressed: unpack it with `{undo}`")
}

pub fn archive(kind: &str) -> String {
    format!("it's a {kind} archive: unpack it, and copy the .wasm file in it")
}

pub const EARLIER_FORMAT: &str =
    "it was made for an earlier component format: build it again with current tools";
pub const LATER_FORMAT: &str = "it was made for a later component format: update MARO, or build it with `maro \
                                plugin build`";

/// It uses functions of an edition of WASI that came after 0.2.
pub fn later_wasi(version: &str) -> String {
    format!("it was built for WASI {version}, but this host has WASI 0.2: build it for wasm32-wasip2")
}

pub fn damaged(offset: usize) -> String {
    format!("it's damaged or was cut short at byte {offset}: build or copy it again")
}

pub const CORE_MODULE: &str = "it's a core module, not a component: build it for the target wasm32-wasip2";

/// `exports` are the first of those that it has.
pub fn no_command(exports: &[String]) -> String {
    match exports {
        [] => {
            "it doesn't export maro:plugin/command, or anything else: it isn't a complete plugin. Build it with `maro \
               plugin build`"
                .to_owned()
        }
        [one] => format!("it exports {one}, but not maro:plugin/command: it isn't a plugin"),
        [first @ .., last] => {
            let first = first.join(", ");
            format!("it exports {first} and {last}, but not maro:plugin/command: it isn't a plugin")
        }
    }
}

/// Instead of the version that a plugin was built for.
pub const NO_INTERFACE_VERSION: &str = "without a version";

/// What to do about a plugin for another version.
pub const BUILD_FOR_THIS_HOST: &str = "build it for this host's interface";
pub const UPDATE_MARO: &str = "update MARO";
pub const BUILD_AGAIN: &str = "build the plugin again";

pub fn other_version(wanted: &str, spoken: &str, cure: &str) -> String {
    format!("it was built for maro:plugin {wanted}, but this host has {spoken}: {cure}")
}

pub fn unknown_import(import: &str) -> String {
    format!("it imports {import}, which MARO doesn't provide: stop using it and build it again")
}

pub fn too_complex(what: &str) -> String {
    format!("it has too many {what} to compile: {NOT_A_BUILD}")
}

pub fn large_memory(mib: u64, max_mib: u32) -> String {
    format!(
        "its memory starts at {mib} MiB, but this host allows {max_mib} MiB at most: build it with a smaller initial \
         memory"
    )
}

pub fn large_table(elements: u64, max_elements: usize) -> String {
    format!(
        "its table starts with {elements} elements, but this host allows {max_elements} at most: build it with fewer \
         functions"
    )
}

/// `what` is what it has too many of.
pub fn large_instance(what: &str, count: u32, max: u32) -> String {
    format!("each command needs {count} {what}, over this host's limit of {max}: {NOT_A_BUILD}")
}

pub fn too_many_items(max: usize) -> String {
    format!("it has over {max} imports and exports: {NOT_A_BUILD}")
}

/// `missing` and `quoted` are the same grants: as people say them, and as they are written in `file`.
pub fn not_granted(missing: &str, quoted: &str, file: &str) -> String {
    format!("it needs {missing}, which isn't granted: add {quoted} to `grants` in {file}")
}

/// As [`not_granted`], for a plugin that ran until its manifest was changed.
pub fn no_longer_granted(missing: &str, quoted: &str, file: &str) -> String {
    format!(
        "it needs {missing}, which is no longer granted: to let it run again, add {quoted} to `grants` in {file}"
    )
}

/// Of the version before, while another is in its file.
pub fn previous_no_longer_granted(missing: &str) -> String {
    format!("the previous version was stopped because it needs {missing}, which is no longer granted")
}

pub fn other_content(file: &str, pinned: &str, found: &str) -> String {
    format!(
        "{file} pins a different build: change `sha256` there if you trust this one. It pins {pinned}; this \
        is {found}"
    )
}

/// As [`other_content`], for a plugin that ran until its manifest was changed.
pub fn content_no_longer_allowed(file: &str, pinned: &str, found: &str) -> String {
    format!(
        "{file} no longer allows this build: to let it run again, change `sha256` there. It pins {pinned}; \
        this is {found}"
    )
}

/// Of the version before, while another is in its file.
pub fn previous_no_longer_allowed(file: &str) -> String {
    format!("the previous version was stopped because {file} no longer allows it")
}

/// Neither this version nor the previous one runs.
pub fn no_version(reason: impl Display, previous: &str) -> String {
    format!("{reason}; {previous}")
}

/// A sentence for the machine, whichever plugin it is.
pub const NO_CODE_RUNS: &str =
    "No plugin can run: this machine doesn't let MARO run code that it compiled (W^X).";

/// What to do about [`NO_CODE_RUNS`]: the next sentence, without its end.
pub const LET_CODE_RUN: &str = "Allow it for MARO: with \
     `MemoryDenyWriteExecute=no` in its systemd unit, or in the rules of SELinux or seccomp";

pub fn not_compiled(cause: &str) -> String {
    format!("it doesn't compile: {cause}")
}

pub fn compiler_unreachable(cause: impl Display) -> String {
    format!("its compiler can't be reached: {cause}. MARO will try again")
}

/// Not the plugin is at fault.
pub fn compiler_killed(signal: i32) -> String {
    format!(
        "its compiler was killed (signal {signal}) before it was done, perhaps because memory ran out. MARO will try \
         again"
    )
}

/// For [`not_compiled`].
pub fn compiler_failed(status: impl Display) -> String {
    format!("the compiler failed: {status}")
}

pub fn code_too_large(max_mib: u64) -> String {
    format!("it compiles to over {max_mib} MiB of machine code: {NOT_A_BUILD}")
}

pub fn compiling_too_slow(seconds: u64) -> String {
    format!("it takes over {seconds} s of processor time to compile: {NOT_A_BUILD}")
}

pub fn compiling_too_large(mib: u64) -> String {
    format!("it takes over {mib} MiB of memory to compile: {NOT_A_BUILD}")
}

/// Compiling it takes more than there is.
pub fn container_too_small(mib: u64) -> String {
    format!(
        "MARO's container is too small to compile it: it has {mib} MiB of memory, and compiling takes more. Give the \
         container more memory"
    )
}

/// As [`container_too_small`], where the setting is what is small.
pub fn setting_too_small(mib: u64) -> String {
    format!(
        "MARO_PLUGIN_MEMORY_MIB is too small to compile it: it allows {mib} MiB, and compiling takes more. Raise it"
    )
}

/// It needs more memory than one plugin can have here.
pub fn larger_than_share(mib: u64, share_mib: u64) -> String {
    format!(
        "it needs {mib} MiB of memory for each command, but one plugin can have only {share_mib} MiB here: raise \
         MARO_PLUGIN_MEMORY_MIB, or give MARO's container more memory"
    )
}

pub fn other_interface(cause: &str) -> String {
    format!("it doesn't match this host's interface: {cause}; build it again")
}

pub fn not_described(fault: impl Display) -> String {
    format!("it couldn't describe itself: {fault}")
}

pub fn invalid_description(problem: &str) -> String {
    format!("its description of itself is invalid: {problem}")
}

pub fn not_a_name(name: &str, max_length: usize) -> String {
    format!(
        "{name:?} isn't a command name: use 1–{max_length} lowercase letters, digits or hyphens, starting with a letter"
    )
}

pub const NO_SUMMARY: &str = "it has no summary, which the help needs";

pub fn reserved_name(name: &str) -> String {
    format!("it calls itself {name}, which is built into MARO: give it another name")
}

/// The file's name is the plugin's, and this isn't the one that the plugin says.
pub fn other_name(name: &str) -> String {
    format!("it calls itself {name}, but a plugin must have its file's name: rename it to {name}.wasm")
}

pub fn cases_unreadable(cause: impl Display) -> String {
    format!("its recorded cases can't be read: {cause}")
}

pub fn too_many_cases(max: usize) -> String {
    format!("there are more than {max}")
}

pub fn other_replies(cases: &str, file: &str) -> String {
    format!(
        "it doesn't answer as recorded in {cases}: fix it, record the cases again, or set cases = \"warn\" in {file}"
    )
}

/// As [`other_replies`], if the operator wants only a warning.
pub fn other_replies_warning(cases: &str) -> String {
    format!("it doesn't answer as recorded in {cases}")
}

/// A warning: its imports aren't linked to anything.
pub fn unoffered_imports(imports: &str) -> String {
    format!("it imports {imports}, which this host doesn't offer: a command that calls it will crash")
}
