//! The outside systems Millstream talks to: git, rpmbuild, dnf, createrepo_c.

pub mod distgit;

pub mod toolchain;
pub mod sandbox;
pub mod spec;
pub mod rpmbuild;
pub mod testing;

pub mod packages;
pub mod facets;

pub mod repository;
pub mod closure;
