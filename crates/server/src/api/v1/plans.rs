//! `/api/v1/plans`

pub(super) mod list;

pub(super) mod show;

pub(super) mod step;

pub(super) mod run;

pub(super) mod approve;

pub(super) mod retry;

pub(super) mod cancel;
