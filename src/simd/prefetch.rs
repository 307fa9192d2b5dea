//! Asking for memory before it is needed.

/// Lets the processor fetch the cache line of `items[at]`, where there is such an item, while other work goes on.
#[inline(always)]
pub fn prefetch_item<T>(items: &[T], at: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(at) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch changes nothing that a program can see, and every x86-64 has it.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, at);
}

/// Asks the system to hold `memory`, which will be written to, in large pages where it is large: handing it out page by page takes as long
/// as reading a file from the cache of the disk into it. A wish: where it is not granted, nothing is lost.
pub fn in_large_pages(memory: &mut [u8]) {
    #[cfg(target_os = "linux")]
    {
        /// Of x86-64, and of ARM with pages of 4 KiB.
        const PAGE: usize = 2 << 20;
        let before = memory.as_ptr().align_offset(PAGE);
        let pages = memory.get_mut(before..).unwrap_or_default();
        let len = pages.len() / PAGE * PAGE;
        if len > 0 {
            // SAFETY: the memory is borrowed alone, and advice changes neither what it holds nor whose it is.
            let _ = unsafe {
                rustix::mm::madvise(pages.as_mut_ptr().cast(), len, rustix::mm::Advice::LinuxHugepage)
            };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}
