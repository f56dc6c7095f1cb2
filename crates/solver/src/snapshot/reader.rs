//! Hands out what a snapshot holds, once it is sure that no number leads out of the array it points into.

use super::SnapshotError;
use super::format::Sections;
use crate::tables::{Column, Lists};
use bytemuck::Pod;

/// The sections, in the order they were written.
pub(crate) struct Reader {
    sections: Sections,
}

impl Reader {
    pub(super) fn new(sections: Sections) -> Self {
        Self { sections }
    }

    /// The next array. What its items point to is the caller's to check.
    pub(crate) fn column<T: Pod>(&mut self, name: &str) -> Result<Column<T>, SnapshotError> {
        self.sections.take(name).map(Column::Mapped)
    }

    /// An array that must have so many items.
    pub(crate) fn column_of<T: Pod>(
        &mut self,
        name: &str,
        length: usize,
    ) -> Result<Column<T>, SnapshotError> {
        let column = self.column(name)?;
        if column.len() == length { Ok(column) } else { Err(out_of_range(name)) }
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str) -> Result<String, SnapshotError> {
        let bytes: Column<u8> = self.column(name)?;
        String::from_utf8(bytes.to_vec()).map_err(|_| out_of_range(name))
    }

    /// At most so many lists, of numbers below a bound.
    pub(crate) fn lists(
        &mut self,
        name: &str,
        most: usize,
        bound: usize,
    ) -> Result<Lists, SnapshotError> {
        let spans = self.column(&format!("{name}, spans"))?;
        let items: Column<u32> = self.column(name)?;
        let is_sound = spans.len() <= most && are_below(&items, bound);
        let lists = if is_sound { Lists::from_parts(spans, items) } else { None };
        lists.ok_or_else(|| out_of_range(name))
    }

    /// Numbers that are read one after the other.
    pub(crate) fn numbers(&mut self, name: &'static str) -> Result<Numbers, SnapshotError> {
        Ok(Numbers { name, all: self.column(name)?, at: 0 })
    }

    /// Nothing may be left.
    pub(super) fn finish(&self) -> Result<(), SnapshotError> {
        if self.sections.is_done() { Ok(()) } else { Err(out_of_range("table of sections")) }
    }
}

/// That a section holds a number which leads out of what it points into.
pub(crate) fn out_of_range(name: &str) -> SnapshotError {
    SnapshotError::OutOfRange(name.to_owned())
}

/// Whether all numbers are below a bound.
pub(crate) fn are_below(numbers: &[u32], bound: usize) -> bool {
    let highest = numbers.iter().fold(0, |highest, &number| highest.max(number));
    numbers.is_empty() || (highest as usize) < bound
}

/// Whether these can be the ends of lists that stand one behind the other in so many items.
pub(crate) fn are_ends(ends: &[u32], items: usize) -> bool {
    let falls = ends.iter().zip(ends.iter().skip(1)).fold(false, |falls, (a, b)| falls | (a > b));
    !falls && ends.last().is_none_or(|&last| last as usize <= items)
}

/// Numbers read one after the other, each of which may be a count or point somewhere.
pub(crate) struct Numbers {
    name: &'static str,
    all: Column<u32>,
    at: usize,
}

impl Numbers {
    /// Whether all were read.
    pub(crate) fn is_done(&self) -> bool {
        self.at == self.all.len()
    }

    /// The next number, whatever it is.
    pub(crate) fn any(&mut self) -> Result<u32, SnapshotError> {
        let number = self.all.get(self.at).ok_or_else(|| out_of_range(self.name))?;
        self.at += 1;
        Ok(*number)
    }

    /// The next number, which must be below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> Result<u32, SnapshotError> {
        let number = self.any()?;
        if (number as usize) < bound { Ok(number) } else { Err(out_of_range(self.name)) }
    }

    /// As many as the next number says, each read as told.
    pub(crate) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, SnapshotError>,
    ) -> Result<Vec<T>, SnapshotError> {
        let count = self.any()?;
        // Collected one by one: a count that is a lie ends where the numbers do.
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(read(self)?);
        }
        Ok(list)
    }
}
