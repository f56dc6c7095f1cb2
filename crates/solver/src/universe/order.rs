//! Orders that are known before any question is asked: among versions of a name, and among candidates.

use crate::tables::{Lists, PackageId, Tables};
use std::cmp::Ordering;

/// Packages of one name, by the number of the name.
pub(super) fn by_name(tables: &Tables, installable: &[bool]) -> Lists {
    let packages = tables.ids().filter(|id| installable[id.index()]);
    let pairs: Vec<(u32, u32)> = packages.map(|id| (tables.package(id).name.0, id.0)).collect();
    Lists::from_pairs(tables.strings.len(), &pairs)
}

/// For each package how its version stands among those of its name; equal versions have equal ranks.
pub(super) fn version_ranks(tables: &Tables, by_name: &Lists) -> Vec<u32> {
    let mut ranks = vec![0; tables.len()];
    let mut sorted = Vec::new();
    for packages in by_name.iter().filter(|packages| packages.len() > 1) {
        sorted.clear();
        sorted.extend_from_slice(packages);
        let compare = |left: u32, right: u32| {
            let evr = |id: u32| tables.package(PackageId(id)).evr;
            tables.evrs.compare(&tables.strings, evr(left), evr(right))
        };
        sorted.sort_by(|&left, &right| compare(left, right));
        let mut rank = 0;
        for at in 1..sorted.len() {
            if compare(sorted[at - 1], sorted[at]) != Ordering::Equal {
                rank += 1;
            }
            ranks[sorted[at] as usize] = rank;
        }
    }
    ranks
}

/// Position of each package in the order in which libsolv looks at candidates
/// (`prune_to_best_version_sortcmp`): by name as bytes, then as read. The architecture need not be looked at,
/// as only one is left by then.
pub(super) fn choice_ranks(tables: &Tables) -> Vec<u32> {
    let mut sorted: Vec<u32> = (0..tables.len() as u32).collect();
    let name = |id: u32| tables.package(PackageId(id)).name;
    // Stable, so that packages of one name stay as they were read.
    sorted.sort_by(|&left, &right| {
        let (left, right) = (name(left), name(right));
        if left == right {
            return Ordering::Equal;
        }
        tables.strings.get(left).cmp(tables.strings.get(right))
    });
    let mut ranks = vec![0; tables.len()];
    for (rank, id) in sorted.into_iter().enumerate() {
        ranks[id as usize] = rank as u32;
    }
    ranks
}
