//! The bytes of a snapshot, mapped or held, and arrays that lie in them. The only unsafe code of the crate.
#![expect(unsafe_code, reason = "mapping a file, and an array that keeps what it lies in alive")]

use bytemuck::Pod;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

/// Bytes that neither move nor change, and begin at a multiple of eight.
pub(super) enum Region {
    /// A file.
    #[cfg(feature = "read")]
    Mapped(memmap2::Mmap),
    /// Bytes that were copied, and how many there are.
    Held(Vec<u64>, usize),
}

impl Region {
    /// Maps a file. Whoever changes it in place while it is mapped changes numbers that have been checked:
    /// a snapshot is therefore never written to, but replaced.
    #[cfg(feature = "read")]
    pub(super) fn map(file: &std::fs::File) -> std::io::Result<Self> {
        // SAFETY: snapshots are written beside their place and renamed into it, so that the file behind an
        // open descriptor stays as it is; `snapshot::open` asks others to keep to that.
        let map = unsafe { memmap2::Mmap::map(file) }?;
        Ok(Self::Mapped(map))
    }

    /// Copies bytes.
    pub(super) fn copy(bytes: &[u8]) -> Self {
        let mut words = vec![0u64; bytes.len().div_ceil(8)];
        bytemuck::cast_slice_mut(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self::Held(words, bytes.len())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            #[cfg(feature = "read")]
            Self::Mapped(map) => map,
            Self::Held(words, length) => &bytemuck::cast_slice(words)[..*length],
        }
    }

    /// The array in a range of bytes; none where the range does not fit the bytes, or the items the range.
    pub(super) fn view<T: Pod>(self: &Arc<Self>, range: Range<usize>) -> Option<View<T>> {
        let items: &[T] = bytemuck::try_cast_slice(self.bytes().get(range)?).ok()?;
        // SAFETY: the bytes neither move nor change while the region lives, which the view keeps alive, and
        // a view gives its items away only for as long as it is borrowed itself.
        let items = unsafe { std::slice::from_raw_parts(items.as_ptr(), items.len()) };
        Some(View { items, _region: Arc::clone(self) })
    }
}

/// An array in a snapshot.
pub(crate) struct View<T: 'static> {
    items: &'static [T],
    /// Where the items lie.
    _region: Arc<Region>,
}

impl<T> Clone for View<T> {
    fn clone(&self) -> Self {
        Self { items: self.items, _region: Arc::clone(&self._region) }
    }
}

impl<T> Deref for View<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.items
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.bytes().len())
    }
}
