//! `/api/v1/resolve`, `/api/v1/whatrequires`, `/api/v1/depcheck`: questions about what is published.

pub(super) mod resolve;

pub(super) mod whatrequires;

pub(super) mod depcheck;
