//! Bad input and bad days: a clear error that names the place, nothing lost, and everything else goes on.
//!
//! The real binary with real git, rpmbuild and PostgreSQL; what became of it is read through the command line.

// `cfg(test)` holds for all of it; it tells clippy that this is test code.

#[cfg(test)]
mod server;
#[cfg(test)]
mod sources;

#[cfg(test)]
mod composes;
#[cfg(test)]
mod database;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod gates;
#[cfg(test)]
mod images;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod repositories;
#[cfg(test)]
mod several;
#[cfg(test)]
mod shadow;
#[cfg(test)]
mod specs;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod why;
