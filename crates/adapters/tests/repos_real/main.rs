//! Facets, repositories, closures and dist-git with real rpmbuild, createrepo_c, dnf and git; fetching with real servers.

#[cfg(test)]
mod closure;
#[cfg(test)]
mod distgit;
#[cfg(test)]
mod facets;
#[cfg(test)]
mod fetching;
#[cfg(test)]
mod packages;
#[cfg(test)]
mod repository;
