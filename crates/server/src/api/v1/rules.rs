//! `/api/v1/rules`

pub(super) mod list;

pub(super) mod show;
