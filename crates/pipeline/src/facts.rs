//! What is known of builds: packages, facets and inputs, with the differences between them remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::facet::{BuildFacets, FacetChange};
use model::id::BuildId;
use model::package::Package;

use crate::affected::compare::compare;

/// What a build put out and what it was built against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BuildFacts {
    /// Its binary packages.
    pub packages: Vec<Package>,
    /// Their facets.
    pub facets: BuildFacets,
    /// The builds of ours that went in: its buildroot, or what it contains or ships.
    pub against: Vec<BuildId>,
    /// The builds of ours whose outputs are in what it made, for an image or a compose.
    pub contains: Vec<BuildId>,
    /// Whether it is of the bootstrap flavour.
    pub bootstrap: bool,
}

/// The old build, if there is one, and the new one.
type Pair = (Option<BuildId>, BuildId);

/// The builds a decision is about. Differences are computed once and kept.
#[derive(Debug, Default)]
pub struct Facts {
    builds: HashMap<BuildId, Arc<BuildFacts>>,
    changes: Mutex<HashMap<Pair, Arc<Vec<FacetChange>>>>,
}

impl Facts {
    /// The facts of these builds.
    pub fn new(builds: HashMap<BuildId, Arc<BuildFacts>>) -> Self {
        Self { builds, changes: Mutex::default() }
    }

    /// One build, if it is among them.
    pub fn get(&self, build: BuildId) -> Option<&BuildFacts> {
        self.builds.get(&build).map(Arc::as_ref)
    }

    /// How the facets of `new` differ from those of `old`; without an `old`, everything is new.
    pub fn changes(&self, old: Option<BuildId>, new: BuildId) -> Arc<Vec<FacetChange>> {
        if old == Some(new) {
            return Arc::default();
        }
        let known = self.known().get(&(old, new)).cloned();
        known.unwrap_or_else(|| {
            let empty = BuildFacets::default();
            let facets = |build: BuildId| self.get(build).map_or(&empty, |facts| &facts.facets);
            let changes = Arc::new(compare(old.map_or(&empty, facets), facets(new)));
            self.known().insert((old, new), Arc::clone(&changes));
            changes
        })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Pair, Arc<Vec<FacetChange>>>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
