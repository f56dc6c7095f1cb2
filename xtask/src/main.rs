//! House rules a machine can check (`cargo xtask tidy`) and the one definition of green (`cargo xtask ci`).
fn main() {}
