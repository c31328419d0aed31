//! Memory that work of a moment leaves behind.

/// Gives back to the system what compiling took, which is many times what running takes: freed memory, all of
/// which the allocator of glibc would keep, and the compiler's code, which is most of this program and comes back
/// by itself when it is called. A few milliseconds; does nothing elsewhere.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(
            unsafe_code,
            reason = "malloc_trim is a foreign function; it takes a number, and no memory in use is touched"
        )]
        // SAFETY: it may be called at any time and from any thread.
        unsafe {
            libc::malloc_trim(0);
        }
        for code in own_code().unwrap_or_default() {
            #[expect(
                unsafe_code,
                reason = "it has no safe form, as for other memory it would lose what is there"
            )]
            // SAFETY: these pages hold the program's code, as it is in its file, from which they are read again.
            unsafe {
                libc::madvise(code.start as *mut libc::c_void, code.len(), libc::MADV_DONTNEED);
            }
        }
    }
}

/// Where the code of this program is mapped, and cannot be written.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn own_code() -> std::io::Result<Vec<std::ops::Range<usize>>> {
    let program = std::fs::read_link("/proc/self/exe")?;
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    let range = |line: &str| {
        let mut words = line.split_ascii_whitespace();
        let (addresses, rights) = (words.next()?, words.next()?);
        if rights != "r-xp" || words.nth(3)? != program.to_str()? {
            return None;
        }
        let (start, end) = addresses.split_once('-')?;
        Some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
    };
    Ok(maps.lines().filter_map(range).collect())
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    #[test]
    fn the_program_goes_on_after_its_code_was_given_back() {
        let here = give_back as fn() as usize;
        assert!(own_code().unwrap().iter().any(|code| code.contains(&here)));
        give_back();
        assert_eq!(own_code().unwrap().len(), 1);
    }
}
