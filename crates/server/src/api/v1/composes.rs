//! `/api/v1/composes`

pub(super) mod list;

pub(super) mod show;
