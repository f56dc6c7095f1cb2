//! `/api/v1/artifacts`

pub(super) mod list;

pub(super) mod show;

pub(super) mod history;

pub(super) mod why;

pub(super) mod why_not;

pub(super) mod rules;

pub(super) mod address;
