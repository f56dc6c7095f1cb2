//! The words Millstream speaks, as types: what things are called, which states they have, and which transitions are allowed.
//!
//! Nothing here does I/O, reads a clock or rolls a die: time and ids come in as values.
//! The modules stand in the order in which a change travels.

pub mod clock;
pub mod digest;
pub mod id;

pub mod artifact;
pub mod edge;
pub mod facet;
pub mod package;
pub mod requirement;
pub mod version;

pub mod compose;
pub mod image;

pub mod event;
pub mod message;
pub mod source;

pub mod build;
pub mod decision;
pub mod gate;
pub mod hold;
pub mod notice;
pub mod plan;
pub mod publication;
pub mod reason;
pub mod removal;
pub mod rule;
pub mod shadow;
pub mod step;
pub mod test;

#[cfg(feature = "schema")]
mod schema;
