//! `/api/v1/steps`

pub(super) mod list;
