//! The plugins folder: which files there are, each read once and whole.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

/// The largest component that is read, in bytes. A plugin in Python has some 18 MiB.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// The largest `NAME.toml` that is read, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;

/// One `NAME.wasm` with its `NAME.toml`.
#[derive(Debug)]
pub struct PluginFile {
    /// `NAME`.
    pub stem: String,
    pub wasm: Vec<u8>,
    pub manifest: Option<String>,
}

/// What stands in the folder under one name: the file, or why it cannot be read.
#[derive(Debug)]
pub struct FolderEntry {
    /// `NAME`.
    pub stem: String,
    pub file: io::Result<PluginFile>,
}

/// Reads all plugins of a folder, in the order of their names.
///
/// Files that do not end in `.wasm`, and hidden ones, are none of its business.
///
/// # Errors
/// The folder itself cannot be read.
pub fn read(dir: &Path) -> io::Result<Vec<FolderEntry>> {
    let mut stems = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "wasm")
            && let Some(stem) = path.file_stem()
            && !stem.to_string_lossy().starts_with('.')
        {
            stems.push(stem.to_string_lossy().into_owned());
        }
    }
    stems.sort();
    Ok(stems.into_iter().map(|stem| FolderEntry { file: read_one(dir, &stem), stem }).collect())
}

fn read_one(dir: &Path, stem: &str) -> io::Result<PluginFile> {
    let wasm = read_bounded(&dir.join(format!("{stem}.wasm")), MAX_COMPONENT_BYTES)?;
    let manifest = match read_bounded(&dir.join(format!("{stem}.toml")), MAX_MANIFEST_BYTES) {
        Ok(bytes) => Some(
            String::from_utf8(bytes)
                .map_err(|_| io::Error::other(format!("{stem}.toml is not UTF-8 text")))?,
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(io::Error::new(error.kind(), format!("{stem}.toml: {error}"))),
    };
    Ok(PluginFile { stem: stem.to_owned(), wasm, manifest })
}

fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Asked before opening: to open a named pipe waits until somebody writes to it.
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let file = File::open(path)?;
    bytes.reserve(usize::try_from(metadata.len().min(limit)).unwrap_or(0));
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::other(format!("it is larger than {} KiB", limit / 1024)));
    }
    Ok(bytes)
}
