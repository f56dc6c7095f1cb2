//! `/api/v1/holds`

pub(super) mod list;

pub(super) mod show;

pub(super) mod create;

pub(super) mod release;
