//! What a file is that isn't WebAssembly: what people copy by mistake, and what becomes of a file on its way.

use maro_texts::plugins::refused_files;

/// How much of a text is looked at, in bytes.
const HEAD: usize = 512;

/// What a file is that isn't WebAssembly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookalike {
    /// What a repository has in place of a file that is kept elsewhere.
    LfsPointer,
    AnnexPointer,
    Html,
    /// An answer of a server, most likely.
    Json,
    /// Compressed: what undoes it.
    Compressed(&'static str),
    /// An archive, which may have the file in it.
    Archive(&'static str),
    /// A program, or what `wasmtime compile` makes.
    MachineCode,
    /// WebAssembly for people to read.
    Wat,
    /// Base64 of WebAssembly.
    Base64,
    Script,
    Zeros,
    Other,
}

/// The first bytes of compressed files and archives, and what is told of each.
const SIGNATURES: [(&[u8], Lookalike); 11] = [
    (b"\x1f\x8b", Lookalike::Compressed("gunzip")),
    (b"BZh", Lookalike::Compressed("bunzip2")),
    (b"\xfd7zXZ\0", Lookalike::Compressed("unxz")),
    (b"\x28\xb5\x2f\xfd", Lookalike::Compressed("unzstd")),
    (b"PK\x03\x04", Lookalike::Archive("zip")),
    (b"7z\xbc\xaf\x27\x1c", Lookalike::Archive("7z")),
    (b"\x7fELF", Lookalike::MachineCode),
    (b"\xcf\xfa\xed\xfe", Lookalike::MachineCode),
    (b"MZ", Lookalike::MachineCode),
    (b"AGFzb", Lookalike::Base64),
    (b"#!", Lookalike::Script),
];

/// The beginnings of texts, in lower case and without what is white.
const TEXTS: [(&str, Lookalike); 10] = [
    ("version https://git-lfs.github.com/", Lookalike::LfsPointer),
    ("/annex/objects/", Lookalike::AnnexPointer),
    ("<!doctype html", Lookalike::Html),
    ("<html", Lookalike::Html),
    ("<head", Lookalike::Html),
    ("{", Lookalike::Json),
    ("[", Lookalike::Json),
    ("(component", Lookalike::Wat),
    ("(module", Lookalike::Wat),
    (";;", Lookalike::Wat),
];

impl Lookalike {
    /// What the content of a file is that isn't empty and not WebAssembly.
    pub(super) fn of(content: &[u8]) -> Self {
        let signature = SIGNATURES.iter().find(|(start, _)| content.starts_with(start));
        if let Some((_, known)) = signature {
            return *known;
        }
        if content.get(257..262) == Some(b"ustar") {
            return Self::Archive("tar");
        }
        let head = &content[..content.len().min(HEAD)];
        if head.iter().all(|byte| *byte == 0) {
            return Self::Zeros;
        }
        let text = String::from_utf8_lossy(head).to_lowercase();
        let text = text.trim_start_matches('\u{feff}').trim_start();
        // A page may begin with a comment or a declaration.
        let is_page = text.starts_with("<!--") || text.starts_with("<?xml");
        if is_page && text.contains("<html") {
            return Self::Html;
        }
        // A list in JSON has no bare words: that's a section of TOML.
        let is_section = text.strip_prefix('[').is_some_and(|rest| {
            let word = rest.trim_start_matches('[').split([']', '.', '\n']).next().unwrap_or_default();
            !["true", "false", "null"].iter().any(|value| word.starts_with(value))
                && word.starts_with(|first: char| first.is_ascii_alphabetic())
        });
        if is_section {
            return Self::Other;
        }
        TEXTS.iter().find(|(start, _)| text.starts_with(start)).map_or(Self::Other, |(_, known)| *known)
    }

    pub(crate) fn sentence(self) -> String {
        match self {
            Self::LfsPointer => refused_files::LFS_POINTER.to_owned(),
            Self::AnnexPointer => refused_files::ANNEX_POINTER.to_owned(),
            Self::Html => refused_files::HTML.to_owned(),
            Self::Json => refused_files::JSON.to_owned(),
            Self::Compressed(undo) => refused_files::compressed(undo),
            Self::Archive(kind) => refused_files::archive(kind),
            Self::MachineCode => refused_files::MACHINE_CODE.to_owned(),
            Self::Wat => refused_files::WAT.to_owned(),
            Self::Base64 => refused_files::BASE64.to_owned(),
            Self::Script => refused_files::SCRIPT.to_owned(),
            Self::Zeros => refused_files::ZEROS.to_owned(),
            Self::Other => refused_files::NOT_WEBASSEMBLY.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_by_mistake_is_told_for_what_it_is() {
        let mut tar = vec![b'x'; 600];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: [(&[u8], &str); 20] = [
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a", "a Git LFS pointer"),
            (b"/annex/objects/SHA256E-s12--aa.wasm", "a git-annex pointer"),
            (b"<!DOCTYPE html>\n<title>Sign in</title>", "an HTML page"),
            (b"\xef\xbb\xbf \n<HTML lang=en>", "an HTML page"),
            (b"<!-- proxy --><html>", "an HTML page"),
            (b"{\"message\": \"Not Found\"}", "JSON"),
            (b"[[1, true], \"a\"]", "JSON"),
            (b"[true]", "JSON"),
            (b"[package]\nname = \"x\"", "it isn't WebAssembly"),
            (b"\x1f\x8b\x08\0\0", "compressed: unpack it with `gunzip`"),
            (b"\x28\xb5\x2f\xfd1", "compressed: unpack it with `unzstd`"),
            (b"BZh91AY", "compressed: unpack it with `bunzip2`"),
            (b"PK\x03\x04\x14", "a zip archive"),
            (&tar, "a tar archive"),
            (b"\x7fELF\x02\x01", "machine code"),
            (b"  (component\n", "WebAssembly as text"),
            (b"AGFzbQ0AAQ==", "base64"),
            (b"#!/bin/sh\n", "a script"),
            (&[0; 700], "all zeros"),
            (b"hello", "it isn't WebAssembly"),
        ];
        for (content, expected) in cases {
            let sentence = Lookalike::of(content).sentence();
            assert!(sentence.contains(expected), "{sentence:?} has no {expected:?}");
        }
    }
}
