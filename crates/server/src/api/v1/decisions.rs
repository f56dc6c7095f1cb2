//! `/api/v1/decisions`: the ledger.

pub(super) mod list;

pub(super) mod show;
