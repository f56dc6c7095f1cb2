//! What would be installed, and why: repository metadata in, install sets and explanations out.

pub mod load;
