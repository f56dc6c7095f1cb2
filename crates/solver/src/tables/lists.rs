//! Many short lists in two arrays: where each stands, and the items.

use super::column::Column;

/// Lists of numbers, known by number, as a compressed sparse row. A list that grows moves to the end, so that
/// one list can be changed without moving the others.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    /// Where each list starts and ends.
    pub(super) spans: Column<[u32; 2]>,
    pub(super) items: Column<u32>,
    /// How many items belong to no list any more.
    pub(super) abandoned: usize,
}

/// Lists as two plain slices, wherever they are kept: what inner loops read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    spans: &'a [[u32; 2]],
    items: &'a [u32],
}

impl<'a> Rows<'a> {
    /// One list; empty where there is none of this number.
    #[inline]
    pub(crate) fn get(self, index: u32) -> &'a [u32] {
        let Some(&[start, end]) = self.spans.get(index as usize) else { return &[] };
        &self.items[start as usize..end as usize]
    }

    /// How many lists there are.
    #[inline]
    pub(crate) fn len(self) -> u32 {
        self.spans.len() as u32
    }
}

/// One item more or less in a sorted list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Edit {
    pub(crate) list: u32,
    pub(crate) item: u32,
    pub(crate) is_added: bool,
}

impl Lists {
    /// One list; empty where there is none of this number.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> &[u32] {
        let Some(&[start, end]) = self.spans.get(index as usize) else { return &[] };
        &self.items[start as usize..end as usize]
    }

    /// The same for inner loops.
    pub(crate) fn rows(&self) -> Rows<'_> {
        Rows { spans: &self.spans, items: &self.items }
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether there is no list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// How many items they hold together.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.items.len() - self.abandoned
    }

    /// Appends a list.
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) -> u32 {
        let (items, spans) = (self.items.to_mut(), self.spans.to_mut());
        let start = items.len() as u32;
        items.extend(list);
        spans.push([start, items.len() as u32]);
        spans.len() as u32 - 1
    }

    /// Keeps only the first lists. For lists that were only pushed.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.spans.to_mut().truncate(count);
        self.items.to_mut().truncate(self.spans.last().map_or(0, |&[_, end]| end as usize));
    }

    /// Lists from pairs of list and item, each list's items in the order of the pairs.
    #[must_use]
    pub fn from_pairs(count: usize, pairs: &[(u32, u32)]) -> Self {
        let mut spans = vec![[0u32; 2]; count];
        for &(list, _) in pairs {
            spans[list as usize][1] += 1;
        }
        let mut start = 0;
        for span in &mut spans {
            let length = span[1];
            *span = [start, start];
            start += length;
        }
        let mut items = vec![0u32; pairs.len()];
        for &(list, item) in pairs {
            let at = &mut spans[list as usize][1];
            items[*at as usize] = item;
            *at += 1;
        }
        Self { spans: spans.into(), items: items.into(), abandoned: 0 }
    }

    /// The list of lists each item is in.
    #[must_use]
    pub fn inverted(&self, count: usize) -> Self {
        let mut pairs = Vec::with_capacity(self.items.len());
        for list in 0..self.spans.len() as u32 {
            pairs.extend(self.get(list).iter().map(|&item| (item, list)));
        }
        Self::from_pairs(count, &pairs)
    }

    /// All lists in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.spans.len() as u32).map(|list| self.get(list))
    }
}

impl Lists {
    /// The same lists, each sorted and without repetitions. For lists that were only pushed.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let (items, spans) = (self.items.to_mut(), self.spans.to_mut());
        let mut kept = 0;
        for span in spans {
            let (start, end) = (span[0] as usize, span[1] as usize);
            items[start..end].sort_unstable();
            let first = kept;
            for at in start..end {
                let item = items[at];
                if kept == first || items[kept - 1] != item {
                    items[kept] = item;
                    kept += 1;
                }
            }
            *span = [first as u32, kept as u32];
        }
        items.truncate(kept);
        items.shrink_to_fit();
        self
    }

    /// Changes the items of each list in place.
    pub(crate) fn for_each_mut(&mut self, mut change: impl FnMut(u32, &mut [u32])) {
        let items = self.items.to_mut();
        for (list, &[start, end]) in self.spans.iter().enumerate() {
            change(list as u32, &mut items[start as usize..end as usize]);
        }
    }

    /// The same lists with only the items that are told to stay.
    #[must_use]
    pub(crate) fn filtered(&self, mut stays: impl FnMut(u32, u32) -> bool) -> Self {
        let mut filtered = Self::default();
        for (number, list) in self.iter().enumerate() {
            filtered.push(list.iter().copied().filter(|&item| stays(number as u32, item)));
        }
        filtered
    }
}

/// Changing single lists.
impl Lists {
    /// Makes room for lists up to this count; the new ones are empty.
    pub(crate) fn grow(&mut self, count: usize) {
        if self.spans.len() < count {
            self.spans.to_mut().resize(count, [0, 0]);
        }
    }

    /// Replaces one list; where there is none of this number yet, there is then.
    pub(crate) fn set(&mut self, list: u32, items: &[u32]) {
        self.grow(list as usize + 1);
        let (all, spans) = (self.items.to_mut(), self.spans.to_mut());
        let span = &mut spans[list as usize];
        let (start, old) = (span[0] as usize, (span[1] - span[0]) as usize);
        if items.len() <= old {
            let end = start + items.len();
            all[start..end].copy_from_slice(items);
            span[1] = end as u32;
            self.abandoned += old - items.len();
        } else {
            let start = all.len() as u32;
            all.extend_from_slice(items);
            *span = [start, all.len() as u32];
            self.abandoned += old;
        }
        self.tidy();
    }

    /// Adds and takes away single items of sorted lists; what is there already, or is not, stays so.
    pub(crate) fn edit(&mut self, edits: &mut Vec<Edit>) {
        edits.sort_unstable();
        let mut merged = Vec::new();
        for group in edits.chunk_by(|left, right| left.list == right.list) {
            merged.clear();
            let old = self.get(group[0].list);
            let mut from = 0;
            for edit in group {
                let at = from + old[from..].partition_point(|&item| item < edit.item);
                merged.extend_from_slice(&old[from..at]);
                from = at + usize::from(old.get(at) == Some(&edit.item));
                // Of both a removal and an addition of one item the addition comes last.
                if edit.is_added && merged.last() != Some(&edit.item) {
                    merged.push(edit.item);
                }
            }
            merged.extend_from_slice(&old[from..]);
            self.set(group[0].list, &merged);
        }
        edits.clear();
    }

    /// Gives up what belongs to no list, once it is more than what does.
    fn tidy(&mut self) {
        const SMALL: usize = 1 << 16;
        if self.abandoned < SMALL + self.item_count() {
            return;
        }
        let mut items = Vec::with_capacity(self.item_count() + SMALL);
        for span in self.spans.to_mut() {
            let start = items.len() as u32;
            items.extend_from_slice(&self.items[span[0] as usize..span[1] as usize]);
            *span = [start, items.len() as u32];
        }
        self.items = items.into();
        self.abandoned = 0;
    }

    /// Notes the difference of two sorted lists of items that each belong to `of`, in the index from item
    /// to owner.
    pub(crate) fn note_difference(edits: &mut Vec<Edit>, of: u32, old: &[u32], new: &[u32]) {
        let only_in = |one: &[u32], other: &[u32], is_added| -> Vec<Edit> {
            let only = one.iter().filter(|item| other.binary_search(item).is_err());
            only.map(|&list| Edit { list, item: of, is_added }).collect()
        };
        edits.extend(only_in(old, new, false));
        edits.extend(only_in(new, old, true));
    }

    /// Bytes they take.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.spans.byte_len() + self.items.byte_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_single_lists() {
        let mut lists = Lists::from_pairs(3, &[(0, 4), (0, 7), (2, 1)]);
        let edit = |list, item, is_added| Edit { list, item, is_added };
        lists.edit(&mut vec![
            edit(0, 5, true),
            edit(2, 1, false),
            edit(0, 4, false),
            edit(4, 9, true),
        ]);
        let all: Vec<&[u32]> = lists.iter().collect();
        assert_eq!(all, [&[5, 7][..], &[], &[], &[], &[9]]);
    }
}
