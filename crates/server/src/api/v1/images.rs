//! `/api/v1/images`

pub(super) mod list;

pub(super) mod show;
