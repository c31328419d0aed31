//! What the name or the place of a file in the plugins folder says against it. Content isn't looked at here.

use crate::inspection::lookalike::Lookalike;
use maro_texts::plugins::refused_files;

/// Why the name or the place of a file rules it out as a plugin, though it looks like one or like a part of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("{}", refused_files::NAME_NOT_UTF8)]
    NotUtf8,
    #[error("{}", refused_files::NAME_IN_CAPITALS)]
    UpperCase,
    #[error("{}", refused_files::IN_A_SUBFOLDER)]
    InSubfolder,
    #[error("{}", refused_files::MANIFEST_ALONE)]
    ManifestAlone,
    #[error("{}", refused_files::MANIFEST_IN_CAPITALS)]
    ManifestInCapitals,
    /// A component could be made of it.
    #[error("{}", .0.sentence())]
    NotYet(Lookalike),
    #[error("{}", refused_files::SOURCE)]
    Source,
    #[error("{}", refused_files::OTHER_ENDING)]
    OtherEnding,
    /// What copies are called while they are written.
    #[error("{}", refused_files::UNFINISHED)]
    Unfinished,
}

/// What follows `NAME` or `NAME.wasm` if the file isn't a component yet.
const ENDINGS: [(&str, NameFault); 20] = [
    (".wasm.gz", NameFault::NotYet(Lookalike::Compressed("gunzip"))),
    (".wasm.bz2", NameFault::NotYet(Lookalike::Compressed("bunzip2"))),
    (".wasm.xz", NameFault::NotYet(Lookalike::Compressed("unxz"))),
    (".wasm.zst", NameFault::NotYet(Lookalike::Compressed("unzstd"))),
    (".wasm.br", NameFault::NotYet(Lookalike::Compressed("brotli -d"))),
    (".wasm.zip", NameFault::NotYet(Lookalike::Archive("zip"))),
    (".wasm.7z", NameFault::NotYet(Lookalike::Archive("7z"))),
    (".wasm.tar", NameFault::NotYet(Lookalike::Archive("tar"))),
    (".wasm.tgz", NameFault::NotYet(Lookalike::Archive("tar"))),
    (".wasm.tar.gz", NameFault::NotYet(Lookalike::Archive("tar"))),
    (".wasm.base64", NameFault::NotYet(Lookalike::Base64)),
    (".wasm.b64", NameFault::NotYet(Lookalike::Base64)),
    (".wat", NameFault::NotYet(Lookalike::Wat)),
    (".cwasm", NameFault::NotYet(Lookalike::MachineCode)),
    (".component", NameFault::OtherEnding),
    (".wasm.txt", NameFault::OtherEnding),
    (".py", NameFault::Source),
    (".js", NameFault::Source),
    (".ts", NameFault::Source),
    (".rs", NameFault::Source),
];

/// What follows `.wasm` in the names of copies that somebody keeps on purpose, and of what is said about a component.
const KEPT: [&str; 15] = [
    "~",
    ".asc",
    ".bak",
    ".disabled",
    ".json",
    ".md5",
    ".minisig",
    ".off",
    ".old",
    ".orig",
    ".save",
    ".sha256",
    ".sha512",
    ".sig",
    ".sigstore",
];

impl NameFault {
    /// What is wrong with a name that doesn't end in `.wasm`, if the file would be a component otherwise.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let known = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
        if let Some((_, fault)) = known {
            return (!name.starts_with('.')).then_some(*fault);
        }
        let (_, rest) = name.split_once(".wasm")?;
        let is_kept = rest.is_empty() || KEPT.contains(&rest);
        (!is_kept).then_some(Self::Unfinished)
    }

    /// Whether the rest may be on its way.
    pub(crate) fn may_be_half(self) -> bool {
        !matches!(self, Self::NotUtf8 | Self::UpperCase)
    }
}

/// The component that a file would be if its name were right.
pub(super) fn component_meant(name: &str) -> String {
    let name = name.trim_start_matches('.');
    let stem = name.split_once(".wasm").or_else(|| name.rsplit_once('.')).map_or(name, |(stem, _)| stem);
    format!("{stem}.wasm")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_say_what_a_file_is_are_told_apart() {
        for (name, expected) in [
            ("count.wasm.gz", Some("it's compressed: unpack it with `gunzip`")),
            ("count.WASM.GZ", Some("it's compressed: unpack it with `gunzip`")),
            ("count.wasm.tar.gz", Some("it's a tar archive: unpack it, and copy the .wasm file in it")),
            ("count.component", Some("its name must end in .wasm: rename it")),
            (
                "count.py",
                Some("it's source code: build it with `maro plugin build`, and copy the .wasm file"),
            ),
            ("count.wasm.tmp", Some("its name doesn't end in .wasm, so it may be an unfinished copy")),
            (".count.wasm.Ab3dEf", Some("its name doesn't end in .wasm, so it may be an unfinished copy")),
            ("count.wasm ", Some("its name doesn't end in .wasm, so it may be an unfinished copy")),
            ("count.wasm~", None),
            ("count.wasm.sha256", None),
            ("._count.wasm", None),
            (".hidden.py", None),
            ("README.md", None),
            ("count", None),
        ] {
            let told = NameFault::of_name(name).map(|fault| fault.to_string());
            let is_expected = match (&told, expected) {
                (Some(told), Some(expected)) => told.starts_with(expected),
                (None, None) => true,
                _ => false,
            };
            assert!(is_expected, "{name:?}: {told:?}");
        }
    }
}
