//! Many short lists in two arrays: where each ends, and the items one behind the other.

use super::column::Column;

/// Lists of `u32` numbers by number, as a compressed sparse row.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    pub(super) ends: Column<u32>,
    pub(super) items: Column<u32>,
}

impl Lists {
    /// One list; empty where there is none of this number.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u32) -> &[u32] {
        let index = index as usize;
        let Some(&end) = self.ends.get(index) else { return &[] };
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.items[start as usize..end as usize]
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no list.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many items they hold together.
    #[must_use]
    pub fn item_count(&self) -> usize {
        self.items.len()
    }

    /// Appends a list.
    pub fn push(&mut self, list: impl IntoIterator<Item = u32>) -> u32 {
        let (items, ends) = (self.items.to_mut(), self.ends.to_mut());
        items.extend(list);
        ends.push(items.len() as u32);
        ends.len() as u32 - 1
    }

    /// Keeps only the first lists.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.ends.to_mut().truncate(count);
        self.items.to_mut().truncate(self.ends.last().map_or(0, |&end| end as usize));
    }

    /// Lists from pairs of list and item, each list's items in the order of the pairs.
    #[must_use]
    pub fn from_pairs(count: usize, pairs: &[(u32, u32)]) -> Self {
        let mut ends = vec![0u32; count];
        for &(list, _) in pairs {
            ends[list as usize] += 1;
        }
        let mut start = 0;
        for end in &mut ends {
            let length = *end;
            *end = start;
            start += length;
        }
        let mut items = vec![0u32; pairs.len()];
        for &(list, item) in pairs {
            let at = &mut ends[list as usize];
            items[*at as usize] = item;
            *at += 1;
        }
        Self { ends: ends.into(), items: items.into() }
    }

    /// The list of lists each item is in.
    #[must_use]
    pub fn inverted(&self, count: usize) -> Self {
        let mut pairs = Vec::with_capacity(self.items.len());
        for list in 0..self.ends.len() as u32 {
            pairs.extend(self.get(list).iter().map(|&item| (item, list)));
        }
        Self::from_pairs(count, &pairs)
    }

    /// All lists in turn.
    pub fn iter(&self) -> impl Iterator<Item = &[u32]> {
        (0..self.ends.len() as u32).map(|list| self.get(list))
    }
}

impl Lists {
    /// The same lists, each sorted and without repetitions.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let (items, ends) = (self.items.to_mut(), self.ends.to_mut());
        let (mut start, mut kept) = (0, 0);
        for list_end in ends {
            let end = *list_end as usize;
            items[start..end].sort_unstable();
            let first = kept;
            for at in start..end {
                let item = items[at];
                if kept == first || items[kept - 1] != item {
                    items[kept] = item;
                    kept += 1;
                }
            }
            *list_end = kept as u32;
            start = end;
        }
        items.truncate(kept);
        items.shrink_to_fit();
        self
    }

    /// Changes the items of each list in place.
    pub(crate) fn for_each_mut(&mut self, mut change: impl FnMut(u32, &mut [u32])) {
        let items = self.items.to_mut();
        let mut start = 0;
        for (list, &end) in self.ends.iter().enumerate() {
            change(list as u32, &mut items[start..end as usize]);
            start = end as usize;
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
