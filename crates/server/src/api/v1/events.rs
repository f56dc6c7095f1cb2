//! `/api/v1/events`

pub(super) mod list;

pub(super) mod show;

pub(super) mod rules;
