//! Sorted lists of numbers in a fraction of their size: differences, in as many bytes as they need.

/// Sorted lists without repetitions, each changed as a whole.
#[derive(Debug, Clone, Default)]
pub(crate) struct PackedLists {
    /// Where each list starts and ends.
    spans: Vec<(u32, u32)>,
    bytes: Vec<u8>,
    /// How many bytes belong to no list any more.
    abandoned: usize,
}

impl PackedLists {
    /// How many lists there are.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// One list in ascending order; empty where there is none of this number.
    pub(crate) fn get(&self, list: u32) -> impl Iterator<Item = u32> + '_ {
        let (start, end) = self.spans.get(list as usize).copied().unwrap_or_default();
        let mut bytes = self.bytes[start as usize..end as usize].iter();
        let mut last = 0;
        std::iter::from_fn(move || {
            let (mut difference, mut shift) = (0, 0);
            loop {
                let byte = *bytes.next()?;
                difference |= u32::from(byte & 127) << shift;
                if byte < 128 {
                    break;
                }
                shift += 7;
            }
            last += difference;
            Some(last)
        })
    }

    /// Whether a list has no items.
    pub(crate) fn is_empty(&self, list: u32) -> bool {
        self.spans.get(list as usize).is_none_or(|(start, end)| start == end)
    }

    /// Replaces one list; where there is none of this number yet, there is then. Items are ascending.
    pub(crate) fn set(&mut self, list: u32, items: impl IntoIterator<Item = u32>) {
        if self.spans.len() <= list as usize {
            self.spans.resize(list as usize + 1, (0, 0));
        }
        let (start, end) = self.spans[list as usize];
        self.abandoned += (end - start) as usize;
        let start = self.bytes.len();
        let mut last = 0;
        for item in items {
            let mut difference = item - last;
            last = item;
            while difference >= 128 {
                self.bytes.push(difference as u8 | 128);
                difference >>= 7;
            }
            self.bytes.push(difference as u8);
        }
        self.spans[list as usize] = (start as u32, self.bytes.len() as u32);
        self.tidy();
    }

    /// Adds and takes away items; edits are pairs of item and whether it is added, sorted.
    pub(crate) fn edit(&mut self, list: u32, edits: &[(u32, bool)]) {
        let mut merged = Vec::new();
        let mut edits = edits.iter().peekable();
        for item in self.get(list) {
            while let Some((new, is_added)) = edits.next_if(|(edited, _)| *edited < item) {
                merged.extend(is_added.then_some(*new));
            }
            match edits.next_if(|(edited, _)| *edited == item) {
                Some((_, false)) => {}
                _ => merged.push(item),
            }
        }
        merged.extend(edits.filter(|(_, is_added)| *is_added).map(|(item, _)| *item));
        self.set(list, merged);
    }

    fn tidy(&mut self) {
        const SMALL: usize = 1 << 20;
        if self.abandoned < SMALL + (self.bytes.len() - self.abandoned) / 4 {
            return;
        }
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.abandoned + SMALL);
        for span in &mut self.spans {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(&self.bytes[span.0 as usize..span.1 as usize]);
            *span = (start, bytes.len() as u32);
        }
        self.bytes = bytes;
        self.abandoned = 0;
    }

    /// Gives back what growing set aside.
    pub(crate) fn shrink(&mut self) {
        self.spans.shrink_to_fit();
        self.bytes.shrink_to_fit();
    }

    /// Bytes they take.
    pub(crate) fn byte_len(&self) -> usize {
        self.spans.capacity() * 8 + self.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_and_edits() {
        let mut lists = PackedLists::default();
        lists.set(1, [0, 5, 300, 70_000]);
        lists.edit(1, &[(4, true), (5, false), (300, true), (80_000, true)]);
        assert_eq!(lists.get(1).collect::<Vec<_>>(), [0, 4, 300, 70_000, 80_000]);
        assert!(lists.is_empty(0) && lists.is_empty(7) && !lists.is_empty(1));
    }
}
