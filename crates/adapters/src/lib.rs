//! The outside systems Millstream talks to: git, rpmbuild, dnf, createrepo_c, mail, webhooks, repositories elsewhere.

pub mod distgit;

pub mod rpmbuild;
pub mod sandbox;
pub mod spec;
pub mod testing;
pub mod toolchain;

pub mod image;

pub mod facets;
#[cfg(feature = "oidc")]
pub mod oidc;

pub mod packages;

pub mod closure;
pub mod removing;
pub mod repository;

pub mod compose;

mod http;

pub mod delivery;
pub mod repos;
