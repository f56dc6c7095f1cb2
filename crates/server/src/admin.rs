//! Looks into a store, and the interventions of people, without a server.

pub mod init;
