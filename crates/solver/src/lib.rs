//! What would be installed, and why: repository metadata in, install sets and explanations out.
//!
//! Repositories are read into [`tables`], their relations are resolved to sets of packages in a [`universe`],
//! and a [`solve::Solver`] answers one question after the other over it, choosing as libsolv does.
//!
#![cfg_attr(feature = "read", doc = "```")]
#![cfg_attr(not(feature = "read"), doc = "```ignore")]
//! use solver::load::{Limits, Source, load_primaries};
//! use solver::solve::{Job, Outcome, Solver};
//! use solver::universe::{Options, Universe};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bytes = br#"<metadata><package type="rpm"><name>make</name><arch>x86_64</arch>
//!   <version epoch="1" ver="4.4" rel="1"/><format>
//!   <rpm:provides><rpm:entry name="make"/></rpm:provides>
//!   <rpm:requires><rpm:entry name="libc.so.6()(64bit)"/></rpm:requires></format></package>
//! <package type="rpm"><name>glibc</name><arch>x86_64</arch><version epoch="0" ver="2.40" rel="1"/>
//!   <format><rpm:provides><rpm:entry name="libc.so.6()(64bit)"/></rpm:provides></format></package>
//! <package type="rpm"><name>zlib</name><arch>src</arch><version epoch="0" ver="1.3" rel="1"/>
//!   <format><rpm:requires><rpm:entry name="make" flags="GE" epoch="1" ver="4"/></rpm:requires></format>
//! </package></metadata>"#;
//! let source = Source { name: "fedora", bytes, priority: 0 };
//! let tables = load_primaries(&[source], Limits::default(), 1)?;
//! let universe = Universe::new(tables, &Options::default())?;
//!
//! let mut solver = Solver::new(&universe, &Job::new());
//! let mut job = Job::new();
//! job.build_requires(&universe, universe.sources().next().ok_or("no source")?);
//! let Outcome::Solved(answer) = solver.solve(&job) else { return Err("not solved".into()) };
//! let names: Vec<String> = answer.packages.iter().map(|id| universe.tables().nevra(*id)).collect();
//! assert_eq!(names, ["make-1:4.4-1.x86_64", "glibc-2.40-1.x86_64"]);
//! # Ok(())
//! # }
//! ```

// In reading order.
pub mod tables;

#[cfg(feature = "read")]
pub mod load;

pub mod rich;

pub mod universe;

mod clauses;
mod rules;

pub mod snapshot;

pub mod solve;

pub mod batch;

pub mod explain;

pub mod change;

pub mod reverse;

pub mod components;

pub mod questions;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
