//! `/api/v1/results`; other systems report theirs as messages.

pub(super) mod list;
