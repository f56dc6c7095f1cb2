//! What a change affects: edges from facts, what they listen to, and how builds differ.

pub mod compare;
pub mod edges;
pub mod listen;
