//! Which part of a listing is wanted.

/// A part of a listing, the newest first: at most `limit` entries with numbers below `before`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The lowest number of the page before; none for the first page.
    pub before: Option<i64>,
    /// How many entries at most.
    pub limit: u32,
}

impl Page {
    /// The first page.
    pub fn first(limit: u32) -> Self {
        Self { before: None, limit }
    }

    /// The page whose entries have numbers below `number`.
    pub fn before(number: i64, limit: u32) -> Self {
        Self { before: Some(number), limit }
    }

    pub(crate) fn below(self) -> i64 {
        self.before.unwrap_or(i64::MAX)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(100)
    }
}

/// The first page of so many entries.
impl From<u32> for Page {
    fn from(limit: u32) -> Self {
        Self::first(limit)
    }
}
