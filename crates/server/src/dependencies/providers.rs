//! Who provides a capability, in whatever version, and from which source package it was built.

use std::collections::BTreeSet;

use solver::tables::{Comparison, Dependency, EvrId, PackageId};
use solver::universe::Universe;

use super::question::widened;
use super::{Loaded, source_name};
use crate::admin::AdminError;

/// A package that provides something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provider {
    /// What it provides.
    pub(crate) capability: String,
    /// Its name.
    pub(crate) package: String,
    /// The name of its source package.
    pub(crate) source: String,
}

impl Loaded {
    /// Every package that provides one of these names. Versions are not compared.
    ///
    /// # Errors
    /// [`AdminError::Input`] when a list of files cannot be read.
    pub(crate) fn providers(&self, names: &BTreeSet<String>) -> Result<Vec<Provider>, AdminError> {
        // Of all files, only those that somebody asks for are taken from the lists.
        let is_new = |name: &&String| name.starts_with('/') && !self.universe.is_provided(name);
        let new: Vec<String> = names.iter().filter(is_new).cloned().collect();
        if new.is_empty() {
            return Ok(find(&self.universe, names));
        }
        let (universe, _) = widened(&self.universe, &self.wanted, &new, &[])?;
        Ok(find(&universe, names))
    }
}

fn find(universe: &Universe, names: &BTreeSet<String>) -> Vec<Provider> {
    let tables = universe.tables();
    let provider = |capability: &String, id: PackageId| {
        let source = source_name(tables, id)?.to_owned();
        let package = tables.name(id).to_owned();
        Some(Provider { capability: capability.clone(), package, source })
    };
    let mut found = Vec::new();
    for capability in names {
        let Some(name) = tables.strings.find(capability.as_bytes()) else { continue };
        let asked = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
        let packages = universe.providers(asked).into_iter();
        found.extend(packages.filter_map(|id| provider(capability, id)));
    }
    found
}
