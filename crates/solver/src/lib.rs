//! What would be installed, and why: repository metadata in, install sets and explanations out.

pub mod batch;
mod clauses;
pub mod explain;
pub mod load;
pub mod rich;
mod rules;
pub mod solve;
pub mod tables;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod universe;
