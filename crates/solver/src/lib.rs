//! What would be installed, and why: repository metadata in, install sets and explanations out.

pub mod load;
pub mod tables;

pub mod rich;
pub mod universe;

pub mod solve;

pub mod batch;
