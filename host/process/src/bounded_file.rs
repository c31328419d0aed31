//! Reading files that anybody may have written.

use std::{
    fs::{self, Metadata},
    io::{self, Read as _},
    os::unix::fs::FileTypeExt as _,
    path::Path,
};

use rustix::fs::{Mode, OFlags, open};

/// The largest file with certificates, in bytes: all authorities of the web are a tenth of it.
pub const MAX_CERTIFICATES_BYTES: u64 = 4 * 1024 * 1024;

/// The largest file with one value, such as a secret, in bytes. Secrets have a few hundred.
const MAX_VALUE_BYTES: u64 = 64 * 1024;

/// Reads a file of at most `limit` bytes. Never waits for anybody to write to it.
///
/// # Errors
/// Why it can't be read. The error for something that isn't a regular file says so.
pub fn read_bounded(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    // Checked before opening, since opening a device may set it off.
    check_kind(&fs::metadata(path).map_err(|error| link_to_nowhere(path).unwrap_or(error))?)?;
    // The file may have been replaced meanwhile, and opening a named pipe waits for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = fs::File::from(open(path, flags, Mode::empty())?);
    let metadata = file.metadata()?;
    check_kind(&metadata)?;
    let too_large = || io::Error::other(format!("it's larger than {}", size(limit)));
    if metadata.len() > limit {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // It may grow meanwhile, and some files don't know their length.
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(too_large()) } else { Ok(bytes) }
}

/// As [`read_bounded`], of text.
///
/// # Errors
/// As [`read_bounded`], and where it isn't UTF-8.
pub fn read_text_bounded(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read_bounded(path, limit)?).map_err(|_| io::Error::other("it isn't UTF-8 text"))
}

/// The one value that a file holds, without what editors put before and behind it.
///
/// # Errors
/// As [`read_text_bounded`].
pub fn read_value(path: &Path) -> io::Result<String> {
    let text = read_text_bounded(path, MAX_VALUE_BYTES)?;
    // Some begin files with a mark, and most end them with a line break.
    Ok(text.trim_start_matches('\u{feff}').trim().to_owned())
}

fn check_kind(metadata: &Metadata) -> io::Result<()> {
    let kind = metadata.file_type();
    let what = if kind.is_file() {
        return Ok(());
    } else if kind.is_dir() {
        "folder"
    } else if kind.is_fifo() {
        "pipe"
    } else if kind.is_socket() {
        "socket"
    } else {
        "device"
    };
    Err(io::Error::other(format!("it's a {what}, not a file")))
}

/// What is wrong with a link whose target is missing. The system says the same of a file that isn't there.
fn link_to_nowhere(path: &Path) -> Option<io::Error> {
    let target = fs::read_link(path).ok()?;
    Some(io::Error::other(format!(
        "it's a link to {}, which doesn't exist or can't be reached",
        target.display()
    )))
}

fn size(bytes: u64) -> String {
    let kib = bytes / 1024;
    if kib.is_multiple_of(1024) { format!("{} MiB", kib / 1024) } else { format!("{kib} KiB") }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{CWD, mkfifoat};

    use super::*;

    #[test]
    fn what_is_no_file_or_too_large_is_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("secret");
        fs::write(&file, "rose").unwrap();
        assert_eq!(read_text_bounded(&file, 4).unwrap(), "rose");
        fs::write(&file, "a".repeat(1025)).unwrap();
        assert_eq!(read_bounded(&file, 1024).unwrap_err().to_string(), "it's larger than 1 KiB");
        fs::write(&file, [0xFF]).unwrap();
        assert_eq!(read_text_bounded(&file, 4).unwrap_err().to_string(), "it isn't UTF-8 text");
        fs::write(&file, "\u{feff} rose \r\n").unwrap();
        assert_eq!(read_value(&file).unwrap(), "rose");
        let pipe = folder.path().join("pipe");
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        for (other, told) in [
            (&*pipe, "it's a pipe, not a file"),
            (folder.path(), "it's a folder, not a file"),
            (Path::new("/dev/null"), "it's a device, not a file"),
        ] {
            assert_eq!(read_bounded(other, 4).unwrap_err().to_string(), told);
        }
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/nowhere/at/all", &link).unwrap();
        let told = "it's a link to /nowhere/at/all, which doesn't exist or can't be reached";
        assert_eq!(read_bounded(&link, 4).unwrap_err().to_string(), told);
        assert_eq!((size(64 << 20), size(1_536 << 10)), ("64 MiB".to_owned(), "1536 KiB".to_owned()));
        let missing = read_bounded(&folder.path().join("missing"), 4).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }
}
