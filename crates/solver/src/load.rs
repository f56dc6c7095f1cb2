//! Reads what repositories say: rpm-md and its companions, libsolv's test cases, headers of packages.
//!
//! Each reader takes bytes and returns plain structs; files are opened behind the feature `read` only.
//! What comes from outside has a limit on everything that grows, and an error names the place.

pub mod malformed;

pub mod compressed;
pub mod repomd;
#[cfg(feature = "read")]
pub mod repository;

pub mod comps;
pub mod modules;
pub mod updateinfo;

pub mod header;
pub mod record;
pub mod testcase;
pub mod testtags;

mod xml;
