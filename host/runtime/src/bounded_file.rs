//! Reading files that anybody may have written.

use std::{
    fs::{self, Metadata, OpenOptions},
    io::{self, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use maro_tickets::texts::plugin_files;

/// Reads a file of at most `limit` bytes. Never waits for anybody to write to it.
pub(crate) fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Checked before opening, since opening a device may set it off.
    check_kind(&fs::metadata(path)?)?;
    // The file may have been replaced meanwhile, and opening a named pipe waits for a writer.
    let file = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let metadata = file.metadata()?;
    check_kind(&metadata)?;
    let too_large = || io::Error::other(plugin_files::too_large(limit / 1024));
    if metadata.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // It may grow meanwhile, and some files don't know their length.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

fn check_kind(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() { Ok(()) } else { Err(io::Error::other(plugin_files::NOT_A_FILE)) }
}
