//! What runs: one reconciler for each stage, the HTTP API, and the ways to look into a store without a server.
//!
//! This is the only place where decisions (`pipeline`), memory (`store`) and the outside (`adapters`) meet.

mod clock;
pub mod config;

mod context;
mod facts_cache;
mod floor;
mod graph;
mod owners;
mod published;
mod records;
mod running;

mod composing;
mod planning;
mod resolving;
mod rules;
mod sourcing;
mod view;

pub mod dependencies;

mod api;
mod reconcile;
mod ui;

pub mod admin;
pub mod run;

pub mod demo;

pub use context::StartError;
pub use reconcile::Stage;
