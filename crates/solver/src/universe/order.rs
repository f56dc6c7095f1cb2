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
    for packages in by_name.iter().filter(|packages| packages.len() > 1) {
        rank_versions(tables, packages, &mut ranks);
    }
    ranks
}

/// The same for the packages of one name.
pub(super) fn rank_versions(tables: &Tables, packages: &[u32], ranks: &mut [u32]) {
    let compare = |left: u32, right: u32| {
        let evr = |id: u32| tables.package(PackageId(id)).evr;
        tables.evrs.compare(&tables.strings, evr(left), evr(right))
    };
    let mut sorted = packages.to_vec();
    sorted.sort_by(|&left, &right| compare(left, right));
    let mut rank = 0;
    for (at, &package) in sorted.iter().enumerate() {
        if at > 0 && compare(sorted[at - 1], package) != Ordering::Equal {
            rank += 1;
        }
        ranks[package as usize] = rank;
    }
}

/// Position of each package in the order in which libsolv looks at candidates
/// (`prune_to_best_version_sortcmp`): by name as bytes, then the cheaper repository's, then as read. Neither
/// architecture nor version need be looked at, as only one is left of each by then.
pub(super) fn choice_ranks(tables: &Tables) -> Vec<u32> {
    let start = |id: PackageId| {
        let mut start = [0; 16];
        let name = tables.strings.get(tables.package(id).name);
        let length = name.len().min(start.len());
        start[..length].copy_from_slice(&name[..length]);
        u128::from_be_bytes(start)
    };
    // Most names differ in their first bytes.
    let mut sorted: Vec<(u128, u32)> = tables.ids().map(|id| (start(id), id.0)).collect();
    sorted.sort_unstable_by(|left, right| {
        left.0.cmp(&right.0).then_with(|| choice_order(tables, left.1, right.1))
    });
    let mut ranks = vec![0; tables.len()];
    for (rank, (_, id)) in sorted.into_iter().enumerate() {
        ranks[id as usize] = rank as u32;
    }
    ranks
}

/// The same order for two packages.
pub(super) fn choice_order(tables: &Tables, left: u32, right: u32) -> Ordering {
    let name = |id: u32| tables.package(PackageId(id)).name;
    let names = match (name(left), name(right)) {
        (one, other) if one == other => Ordering::Equal,
        (one, other) => tables.strings.get(one).cmp(tables.strings.get(other)),
    };
    let cost = |id: u32| tables.cost_of(PackageId(id));
    names.then_with(|| cost(left).cmp(&cost(right))).then(left.cmp(&right))
}
