//! Every decision Millstream takes, as pure functions from values to values.

pub mod intake;

pub mod graph;

pub mod affected;
pub mod facts;
pub mod plan;
pub mod schedule;
pub mod progress;
pub mod gate;
pub mod publish;
