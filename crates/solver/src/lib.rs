//! What would be installed, and why: repository metadata in, install sets and explanations out.

pub mod batch;
pub mod change;
pub mod load;
pub mod reverse;
pub mod rich;
pub mod solve;
pub mod tables;
pub mod universe;
