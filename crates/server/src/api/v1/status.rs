//! `/api/v1/status`

pub(super) mod show;
