//! Collects what a snapshot holds, a section for each array.

use super::format::Section;
use crate::tables::Lists;
use bytemuck::Pod;
use std::borrow::Cow;

/// The sections so far. They are read in the order they are written.
#[derive(Default)]
pub(crate) struct Writer<'a> {
    pub(super) sections: Vec<Section<'a>>,
}

impl<'a> Writer<'a> {
    /// An array that is there.
    pub(crate) fn column<T: Pod>(&mut self, name: &str, items: &'a [T]) {
        self.push(name, Cow::Borrowed(bytemuck::cast_slice(items)), size_of::<T>());
    }

    /// An array that was put together for the snapshot.
    pub(crate) fn copied<T: Pod>(&mut self, name: &str, items: &[T]) {
        let bytes = bytemuck::cast_slice(items).to_vec();
        self.push(name, Cow::Owned(bytes), size_of::<T>());
    }

    /// The same of numbers.
    pub(crate) fn numbers(&mut self, name: &str, numbers: &[u32]) {
        self.copied(name, numbers);
    }

    /// A text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.push(name, Cow::Owned(text.as_bytes().to_vec()), 1);
    }

    /// Lists, as two sections.
    pub(crate) fn lists(&mut self, name: &str, lists: &'a Lists) {
        let (spans, items) = lists.parts();
        self.column(&format!("{name}, spans"), spans);
        self.column(name, items);
    }

    fn push(&mut self, name: &str, bytes: Cow<'a, [u8]>, item_size: usize) {
        self.sections.push(Section { name: name.to_owned(), bytes, item_size });
    }
}
