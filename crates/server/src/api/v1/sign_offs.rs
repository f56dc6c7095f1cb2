//! `/api/v1/sign-offs`

pub(super) mod list;

pub(super) mod show;

pub(super) mod create;
