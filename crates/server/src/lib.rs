//! What runs: one reconciler for each stage, the HTTP API, and the ways to look into a store without a server.
//!
//! This is the only place where decisions (`pipeline`), memory (`store`) and the outside (`adapters`) meet.

mod clock;
pub mod config;

mod owners;
mod running;
mod floor;
mod graph;
mod published;
mod context;

mod sourcing;
mod planning;
mod view;
mod resolving;

mod reconcile;
mod api;

pub mod run;
pub mod admin;

pub use context::StartError;
pub use reconcile::Stage;
