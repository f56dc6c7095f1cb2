//! Decisions -> notices, one for each cause; notices and wishes -> who is told, when, and in which words.

mod gather;
mod recipients;
mod text;
mod timing;

pub use gather::gather;
pub use recipients::{concerns, recipients};
pub use text::{Cause, Text, Told, compose};
pub use timing::{Patience, backoff, is_due, next_digest};

#[cfg(test)]
mod tests;
