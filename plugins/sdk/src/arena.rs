//! The memory of one invocation: handed out from front to back while it is little, and by the default allocator
//! beyond.
//!
//! An instance answers one command and is thrown away, so for most of them a general allocator would keep track
//! of memory that is never used again. In the first chunk an allocation is an addition. Only the newest one is
//! freed or grown in place, which is what a growing text and a loop's temporaries need. A list of fifty issues
//! fits into it, and takes less than half as many instructions as with the default allocator. A command that
//! needs more gets the default one, so that what it frees is used again.
#![expect(unsafe_code, reason = "GlobalAlloc is an unsafe trait")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::{Cell, UnsafeCell},
    ptr,
};

/// The size of the first chunk in bytes: more than a reply of fifty lines needs. Together with a plugin's constants it
/// fits into a page or two, which an instance has anyway.
const FIRST_CHUNK: usize = 48 * 1024;

/// See the module's documentation. [`crate::register!`] makes it the component's allocator.
pub struct Arena {
    first_chunk: UnsafeCell<[u8; FIRST_CHUNK]>,
    /// Where the free rest of the first chunk begins, in bytes from its start.
    next: Cell<usize>,
}

// SAFETY: a WASI 0.2 component has only one thread.
unsafe impl Sync for Arena {}

impl Arena {
    #[expect(clippy::new_without_default, reason = "a static needs a const function")]
    pub const fn new() -> Self {
        Self { first_chunk: UnsafeCell::new([0; FIRST_CHUNK]), next: Cell::new(0) }
    }

    fn start(&self) -> usize {
        self.first_chunk.get() as usize
    }

    /// Takes a range of the first chunk if there is room.
    fn take(&self, layout: Layout) -> Option<*mut u8> {
        let free = (self.start() + self.next.get()).checked_next_multiple_of(layout.align())?;
        let end = (free - self.start()).checked_add(layout.size())?;
        if end > FIRST_CHUNK {
            return None;
        }
        self.next.set(end);
        Some(free as *mut u8)
    }

    /// Where a range begins within the first chunk, if that is where it is.
    fn offset(&self, start: *mut u8) -> Option<usize> {
        (start as usize).checked_sub(self.start()).filter(|offset| *offset < FIRST_CHUNK)
    }
}

// SAFETY: `take` hands out each address of the first chunk at most once, unless it was freed as the newest. What
// isn't in that chunk was handed out by `System`, and goes back to it alone.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.take(layout) {
            Some(start) => start,
            // SAFETY: the caller follows `alloc`'s rules.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, start: *mut u8, layout: Layout) {
        match self.offset(start) {
            Some(offset) if offset + layout.size() == self.next.get() => self.next.set(offset),
            Some(_) => {}
            // SAFETY: it isn't in the first chunk, so it came from there.
            None => unsafe { System.dealloc(start, layout) },
        }
    }

    unsafe fn realloc(&self, start: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let Some(offset) = self.offset(start) else {
            // SAFETY: as above.
            return unsafe { System.realloc(start, layout, new_size) };
        };
        let is_newest = offset + layout.size() == self.next.get();
        if is_newest && offset.checked_add(new_size).is_some_and(|end| end <= FIRST_CHUNK) {
            self.next.set(offset + new_size);
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
                self.dealloc(start, layout);
            }
            moved
        }
    }
}
