//! Composes: from what maintainers write down to what a compose holds, what it reuses, and what changed.

pub mod comps;
pub mod definition;

pub mod contents;

pub mod deliverables;
pub mod reuse;

pub mod contains;
pub mod difference;

#[cfg(test)]
mod fixture;
