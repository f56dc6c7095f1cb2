//! Byte strings, each kept once and known by a number.

use super::column::Column;
use super::index::Index;
use bytemuck::{Pod, Zeroable};
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// Number of a string. The empty string is number 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Pod, Zeroable)]
#[repr(transparent)]
pub struct StringId(pub(crate) u32);

impl StringId {
    /// The empty string.
    pub const EMPTY: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// All strings, one behind the other.
#[derive(Debug, Clone)]
pub struct Strings {
    pub(super) bytes: Column<u8>,
    pub(super) ends: Column<u32>,
    pub(super) numbers: Index,
}

impl Default for Strings {
    fn default() -> Self {
        let mut strings =
            Self { bytes: Column::new(), ends: Column::new(), numbers: Index::default() };
        strings.intern(b"");
        strings
    }
}

pub(crate) fn hash_bytes(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

fn slice<'a>(bytes: &'a [u8], ends: &[u32], index: usize) -> &'a [u8] {
    let start = if index == 0 { 0 } else { ends[index - 1] as usize };
    &bytes[start..ends[index] as usize]
}

impl Strings {
    /// The number of a string, new or known.
    pub fn intern(&mut self, text: &[u8]) -> StringId {
        let hash = hash_bytes(text);
        let (bytes, ends): (&[u8], &[u32]) = (&self.bytes, &self.ends);
        let known = |number: u32| slice(bytes, ends, number as usize) == text;
        if let Some(number) = self.numbers.find(hash, known) {
            return StringId(number);
        }
        let number = self.ends.len() as u32;
        let bytes = self.bytes.to_mut();
        bytes.extend_from_slice(text);
        self.ends.to_mut().push(bytes.len() as u32);
        let (bytes, ends) = (&self.bytes, &self.ends);
        self.numbers.insert(hash, number, |other| hash_bytes(slice(bytes, ends, other as usize)));
        StringId(number)
    }

    /// The number of a string that is known, without adding it.
    #[must_use]
    pub fn find(&self, text: &[u8]) -> Option<StringId> {
        let known = |number: u32| self.get(StringId(number)) == text;
        self.numbers.find(hash_bytes(text), known).map(StringId)
    }

    /// The bytes of a string.
    #[must_use]
    pub fn get(&self, id: StringId) -> &[u8] {
        slice(&self.bytes, &self.ends, id.index())
    }

    /// The string as text; what is not UTF-8 shows as `?`, for reports only.
    #[must_use]
    pub fn text(&self, id: StringId) -> &str {
        std::str::from_utf8(self.get(id)).unwrap_or("?")
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Never: the empty string is always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many bytes they take together.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// All of them by number.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|index| slice(&self.bytes, &self.ends, index))
    }

    pub(crate) fn shrink(&mut self) {
        self.bytes.shrink();
        self.ends.shrink();
    }
}
