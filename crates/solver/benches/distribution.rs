//! Times of loading and solving a whole distribution.
fn main() {}
