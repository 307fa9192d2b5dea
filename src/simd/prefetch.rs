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

/// A list with room for `items`, which will be filled: in large pages where it is long. Handing memory out page by page takes as long as
/// writing to it. Large pages are a wish; where the system does not grant it, nothing is lost.
#[must_use]
pub fn large_list<T>(items: usize) -> Vec<T> {
    let mut list = Vec::with_capacity(items);
    in_large_pages(list.spare_capacity_mut());
    list
}

/// As many zeros, as [`large_list`] has them.
#[must_use]
pub fn large_zeros(bytes: usize) -> Vec<u8> {
    // The system hands out zeros: none are written.
    let mut zeros = vec![0; bytes];
    in_large_pages(&mut zeros);
    zeros
}

fn in_large_pages<T>(memory: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        /// Of x86-64, and of ARM with pages of 4 KiB.
        const PAGE: usize = 2 << 20;
        let before = memory.as_ptr().cast::<u8>().align_offset(PAGE);
        let len = size_of_val(memory).saturating_sub(before) / PAGE * PAGE;
        if len > 0 {
            // SAFETY: these bytes are borrowed alone, and advice changes neither what they hold nor whose they are.
            let _ = unsafe {
                let pages = memory.as_mut_ptr().byte_add(before).cast();
                rustix::mm::madvise(pages, len, rustix::mm::Advice::LinuxHugepage)
            };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_any_length_can_be_filled() {
        for len in [0, 1, 1000, 1_000_000] {
            let mut list = large_list(len);
            list.extend(0..len);
            assert!(list.into_iter().eq(0..len));
            assert!(large_zeros(len * 7) == vec![0; len * 7]);
        }
        assert_eq!(large_list::<()>(usize::MAX), []);
    }
}
