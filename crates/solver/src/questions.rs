//! Questions about a whole distribution: what can be installed and built, who needs what, what would break.

pub mod build_graph;
pub mod buildability;
pub mod consumers;
pub mod difference;
pub mod installability;
mod proofs;
pub mod reason;
pub mod reverse_closure;
pub mod upgrade;
mod world;

pub use build_graph::BuildGraph;
pub use buildability::Buildability;
pub use consumers::Consumers;
pub use difference::Difference;
pub use installability::Installability;
pub use reason::Reason;
pub use reverse_closure::ReverseClosure;
pub use upgrade::UpgradePath;

#[cfg(test)]
mod tests;
