//! The memory of one invocation, handed out from front to back.
//!
//! An instance answers one command and is thrown away, so a general allocator would keep track of memory that
//! is almost never used again. Here an allocation is an addition. Only the newest one is freed or grown in
//! place, which is what a growing text and a loop's temporaries need. A list of fifty issues takes less than
//! half as many instructions as with the default allocator.
#![expect(unsafe_code, reason = "GlobalAlloc is an unsafe trait")]

use std::{
    alloc::{GlobalAlloc, Layout},
    arch::wasm32::memory_grow,
    cell::{Cell, UnsafeCell},
    ptr,
};

/// The memory that every instance starts with, in bytes: more than a reply of fifty lines needs. Together
/// with a stack of 64 KiB and a plugin's constants it fits into the two pages that an instance has anyway, so
/// the host has nothing more to reset afterwards.
const FIRST_CHUNK: usize = 48 * 1024;

/// A page of WebAssembly memory, in bytes.
const PAGE: usize = 64 * 1024;

/// See the module's documentation. [`crate::register!`] makes it the component's allocator.
pub struct Arena {
    first_chunk: UnsafeCell<[u8; FIRST_CHUNK]>,
    /// The free range, as addresses; both 0 before the first allocation.
    next: Cell<usize>,
    end: Cell<usize>,
}

// SAFETY: a WASI 0.2 component has only one thread.
unsafe impl Sync for Arena {}

impl Arena {
    #[expect(clippy::new_without_default, reason = "a static needs a const function")]
    pub const fn new() -> Self {
        Self { first_chunk: UnsafeCell::new([0; FIRST_CHUNK]), next: Cell::new(0), end: Cell::new(0) }
    }

    /// Takes `[start, start + size)` from the free range if it is large enough.
    fn take(&self, layout: Layout) -> Option<usize> {
        let start = self.next.get().checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if end > self.end.get() {
            return None;
        }
        self.next.set(end);
        Some(start)
    }

    /// Makes the free range large enough for `layout`, or fails at the memory limit.
    #[cold]
    fn refill(&self, layout: Layout) -> Option<()> {
        if self.end.get() == 0 {
            let start = self.first_chunk.get() as usize;
            self.next.set(start);
            self.end.set(start + FIRST_CHUNK);
            return Some(());
        }
        let needed = layout.size().checked_add(layout.align())?;
        let pages = needed.div_ceil(PAGE);
        let grown_from = memory_grow::<0>(pages);
        if grown_from == usize::MAX {
            return None;
        }
        let start = grown_from * PAGE;
        // The last page of four gigabytes would end at 0, which stands for "not started".
        let end = start.checked_add(pages * PAGE)?;
        if start != self.end.get() {
            self.next.set(start);
        }
        self.end.set(end);
        Some(())
    }
}

// SAFETY: `take` hands out each address at most once, unless it was freed as the newest, and only from ranges
// that nothing else uses: the first chunk and what `memory_grow` has added for this arena.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        loop {
            if let Some(start) = self.take(layout) {
                return start as *mut u8;
            }
            if self.refill(layout).is_none() {
                return ptr::null_mut();
            }
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        if start as usize + layout.size() == self.next.get() {
            self.next.set(start as usize);
        }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let is_newest = start as usize + layout.size() == self.next.get();
        if is_newest && (start as usize).checked_add(new_size).is_some_and(|end| end <= self.end.get()) {
            self.next.set(start as usize + new_size);
            return start;
        }
        if new_size <= layout.size() {
            return start;
        }
        // SAFETY: the caller follows `alloc`'s rules, and the new range can't overlap the old one, which
        // isn't free.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(start, moved, layout.size());
            }
            moved
        }
    }
}
