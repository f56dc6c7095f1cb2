//! `/api/v1`

pub(super) mod messages;
