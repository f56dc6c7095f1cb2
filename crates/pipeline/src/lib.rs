//! Every decision Millstream takes, as pure functions from values to values.

pub mod intake;

pub mod graph;

pub mod rules;

pub mod affected;
pub mod compose;
pub mod facts;
pub mod gate;
pub mod notify;
pub mod plan;
pub mod progress;
pub mod publish;
pub mod retention;
pub mod schedule;
pub mod shadow;
