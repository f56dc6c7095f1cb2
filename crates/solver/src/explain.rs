//! Reasons: why a package is in an answer, why it is not, and why there is no answer.
//!
//! Everything comes as data that names packages and dependencies by number, and in sentences. Nothing here
//! is needed to solve: it is asked afterwards, from the tables, with packages that can never be installed
//! looked at too.

mod absence;
mod fact;
mod impossible;
mod presence;
mod request;
#[cfg(test)]
mod tests;

pub use crate::solve::Rule;
pub use absence::{Absence, Claim, Defeat, why_not};
pub use fact::{Fact, NearMiss};
pub use impossible::{Proof, impossible};
pub use presence::{Chain, Link, Paths, Step};
pub use request::Request;
