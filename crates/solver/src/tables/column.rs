//! An array that is either the tables' own or lies in a snapshot that is mapped into memory.

use crate::snapshot::View;
use std::fmt;
use std::ops::Deref;

/// Items one behind the other. Reading does not care where they are; a change to those of a snapshot copies
/// them first.
#[derive(Clone)]
pub(crate) enum Column<T: 'static> {
    /// The tables' own.
    Owned(Vec<T>),
    /// In a snapshot, which is kept open for it.
    Mapped(View<T>),
}

impl<T> Column<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self::Owned(Vec::new())
    }
}

impl<T: Clone> Column<T> {
    /// The items as a vector that can be changed.
    #[inline]
    pub(crate) fn to_mut(&mut self) -> &mut Vec<T> {
        if let Self::Mapped(view) = self {
            *self = Self::Owned(view.to_vec());
        }
        match self {
            Self::Owned(items) => items,
            Self::Mapped(_) => unreachable!("what was mapped has just been copied"),
        }
    }

    /// Gives back what growing set aside.
    pub(crate) fn shrink(&mut self) {
        if let Self::Owned(items) = self {
            items.shrink_to_fit();
        }
    }
}

impl<T> Column<T> {
    /// Bytes it takes.
    pub(crate) fn byte_len(&self) -> usize {
        let items = match self {
            Self::Owned(items) => items.capacity(),
            Self::Mapped(view) => view.len(),
        };
        items * size_of::<T>()
    }
}

impl<T> Deref for Column<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        match self {
            Self::Owned(items) => items,
            Self::Mapped(view) => view,
        }
    }
}

impl<T> Default for Column<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(items: Vec<T>) -> Self {
        Self::Owned(items)
    }
}

impl<T: fmt::Debug> fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
