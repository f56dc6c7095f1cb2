//! `/api/v1/waivers`

pub(super) mod list;

pub(super) mod show;

pub(super) mod create;
