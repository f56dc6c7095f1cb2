//! `/api/v1/messages`

pub(crate) mod create;

pub(crate) mod writer;
