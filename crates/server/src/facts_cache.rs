//! Facts of builds in memory: what was used last stays, as far as there is room.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::id::BuildId;
use pipeline::facts::BuildFacts;

/// A cache of so many bytes, about.
#[derive(Debug)]
pub(crate) struct FactsCache {
    room: usize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    entries: HashMap<BuildId, Entry>,
    /// The entries by their last use.
    order: BTreeMap<u64, BuildId>,
    uses: u64,
    taken: usize,
}

#[derive(Debug)]
struct Entry {
    facts: Arc<BuildFacts>,
    used: u64,
    size: usize,
}

impl FactsCache {
    /// An empty cache.
    pub(crate) fn new(room: usize) -> Self {
        Self { room, inner: Mutex::default() }
    }

    /// The facts of a build, if they are there.
    pub(crate) fn get(&self, build: BuildId) -> Option<Arc<BuildFacts>> {
        let mut inner = self.inner();
        let entry = inner.take(build)?;
        let facts = Arc::clone(&entry.facts);
        inner.put(build, entry);
        Some(facts)
    }

    /// Keeps the facts of a build, and lets go of what was not used for longest. Whoever works with those still has them.
    pub(crate) fn insert(&self, build: BuildId, facts: Arc<BuildFacts>) {
        let mut inner = self.inner();
        inner.take(build);
        let size = size(&facts);
        inner.put(build, Entry { facts, used: 0, size });
        while inner.taken > self.room {
            let Some((_, oldest)) = inner.order.first_key_value() else { break };
            let oldest = *oldest;
            inner.take(oldest);
        }
    }

    /// How many bytes it takes, about.
    #[cfg(test)]
    fn taken(&self) -> usize {
        self.inner().taken
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take(&mut self, build: BuildId) -> Option<Entry> {
        let entry = self.entries.remove(&build)?;
        self.order.remove(&entry.used);
        self.taken -= entry.size;
        Some(entry)
    }

    fn put(&mut self, build: BuildId, entry: Entry) {
        self.uses += 1;
        self.taken += entry.size;
        self.order.insert(self.uses, build);
        self.entries.insert(build, Entry { used: self.uses, ..entry });
    }
}

/// About how many bytes facts take: nearly all of it are the texts of facets, provides and requires.
fn size(facts: &BuildFacts) -> usize {
    /// What a short text takes beside its letters, or a requirement beside its name.
    const BESIDE: usize = 48;
    let facets = facts.facets.0.iter().flat_map(|package| package.facets.values().flatten());
    let lines: usize = facets.map(|line| line.len() + BESIDE).sum();
    let relations: usize = facts
        .packages
        .iter()
        .map(|package| (package.provides.len() + package.requires.len() + 4) * 3 * BESIDE)
        .sum();
    let builds = (facts.against.len() + facts.contains.len()) * size_of::<BuildId>();
    size_of::<BuildFacts>() + lines + relations + builds
}

#[cfg(test)]
mod tests {
    use model::facet::{BuildFacets, Facet, PackageFacets};
    use uuid::Uuid;

    use super::*;

    /// Facts of a size that is mostly the given one.
    fn facts(bytes: usize) -> Arc<BuildFacts> {
        let facets = [(Facet::Abi, vec!["x".repeat(bytes)])].into();
        let package = PackageFacets { facets, ..PackageFacets::default() };
        Arc::new(BuildFacts { facets: BuildFacets(vec![package]), ..BuildFacts::default() })
    }

    fn id(number: u128) -> BuildId {
        BuildId(Uuid::from_u128(number))
    }

    #[test]
    fn what_was_not_used_for_longest_goes_first() {
        let cache = FactsCache::new(35_000);
        for number in 1..=3 {
            cache.insert(id(number), facts(10_000));
        }
        assert!(cache.get(id(1)).is_some());
        cache.insert(id(4), facts(10_000));
        let there = [1, 2, 3, 4].map(|number| cache.get(id(number)).is_some());
        assert_eq!(there, [true, false, true, true]);
        assert!(cache.taken() <= 35_000);
    }

    #[test]
    fn what_is_put_again_counts_once_and_what_is_too_large_is_not_kept() {
        let cache = FactsCache::new(35_000);
        cache.insert(id(1), facts(10_000));
        let taken = cache.taken();
        cache.insert(id(1), facts(10_000));
        assert_eq!(cache.taken(), taken);
        cache.insert(id(2), facts(100_000));
        assert_eq!((cache.taken(), cache.get(id(2))), (0, None));
    }
}
