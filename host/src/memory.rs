//! Memory that work of a moment leaves behind.

/// Gives freed memory back to the system. Compiling takes many times what running does, and the allocator of
/// glibc would keep all of it for as long as the process lives. A few milliseconds; does nothing elsewhere.
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
    }
}
