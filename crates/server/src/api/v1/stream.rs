//! `/api/v1/stream`

pub(super) mod show;
