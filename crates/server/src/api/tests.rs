//! The API over a real socket, on a store that holds a little of everything.

mod scene;

mod described;

mod merging;
mod reading;
mod writing;

mod following;

mod bad_days;

#[cfg(feature = "oidc")]
mod login;
