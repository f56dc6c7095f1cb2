//! `/api/v1/where`

pub(super) mod show;
