//! Composes on a real disk, read by the real productmd, libcomps, dnf and skopeo.

#[cfg(test)]
mod checks;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
#[path = "../repos_real/packages.rs"]
mod packages;
#[cfg(test)]
mod publishing;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod real_groups;
#[cfg(test)]
mod writing;
