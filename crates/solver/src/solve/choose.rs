//! Which candidate is best: libsolv's pruning and reordering (`policy_filter_unwanted`).

mod rule;

pub use rule::Rule;

use super::Solver;
use super::state::UNDECIDED;
use crate::tables::{Comparison, EvrId, PackageId, Relation, StringId};
use crate::universe::{Condition, Weak, flag};
use std::cmp::Ordering;

impl Solver<'_> {
    /// The members of a set that are still to be had, in the order of choice.
    pub(super) fn collect_open(&self, set: u32, out: &mut Vec<u32>) {
        out.clear();
        let open =
            self.members(set).iter().filter(|&&member| self.state[member as usize] == UNDECIDED);
        out.extend(open);
    }

    /// Leaves the candidates nothing speaks against: of the best repository and architecture, of the best
    /// version of their name, not obsoleted by another, and recommended if any is. What the question prefers is left
    /// whatever its repository, version and so on; what it avoids is left where there is nothing else.
    pub(super) fn prune(&self, candidates: &mut Vec<u32>) {
        if candidates.len() > 1 && !self.favour.is_empty() {
            self.prune_preferring(candidates);
        } else {
            self.prune_by_rule(candidates);
        }
        if candidates.len() > 1 {
            self.keep_recommended(candidates);
        }
    }

    /// The same without regard to what is recommended.
    pub(super) fn prune_preferring(&self, candidates: &mut Vec<u32>) {
        let best = candidates.iter().map(|&id| self.favour_of(id)).max().unwrap_or(0);
        candidates.retain(|&id| self.favour_of(id) >= best.min(0));
        let mut left = candidates.clone();
        self.prune_by_rule(&mut left);
        candidates.retain(|id| left.contains(id) || self.favour_of(*id) > 0);
    }

    /// The same without regard to what the question says either.
    fn prune_by_rule(&self, candidates: &mut Vec<u32>) {
        if candidates.len() > 1 && self.universe.has_priorities {
            self.keep_best_priority(candidates);
        }
        if candidates.len() > 1 {
            self.keep_best_architecture(candidates);
        }
        if candidates.len() > 1 {
            self.keep_best_versions(candidates);
        }
        if candidates.len() > 1 && !self.universe.obsoletes.is_empty() {
            self.drop_obsoleted(candidates);
        }
    }

    fn keep_best_priority(&self, candidates: &mut Vec<u32>) {
        let tables = self.universe.tables();
        let priority = |&id: &u32| {
            tables.repository_of(PackageId(id)).map_or(0, |repository| repository.priority)
        };
        if let Some(best) = candidates.iter().map(priority).max() {
            candidates.retain(|id| priority(id) == best);
        }
    }

    fn keep_best_architecture(&self, candidates: &mut Vec<u32>) {
        let rank = |&id: &u32| self.universe.class(id).rank;
        let Some(best) = candidates.iter().map(rank).filter(|&rank| rank > 1).min() else { return };
        candidates.retain(|id| rank(id) <= 1 || rank(id) == best);
    }

    /// Of each name the first of the highest version; candidates of a name stand together.
    fn keep_best_versions(&self, candidates: &mut Vec<u32>) {
        let name = |id: u32| self.universe.tables().package(PackageId(id)).name;
        let mut kept = 0;
        for at in 0..candidates.len() {
            let candidate = candidates[at];
            if kept > 0 && name(candidates[kept - 1]) == name(candidate) {
                let version = |id: u32| self.universe.version_ranks[id as usize];
                if version(candidate) > version(candidates[kept - 1]) {
                    candidates[kept - 1] = candidate;
                }
            } else {
                candidates[kept] = candidate;
                kept += 1;
            }
        }
        candidates.truncate(kept);
    }

    fn drop_obsoleted(&self, candidates: &mut Vec<u32>) {
        let obsoletes = |by: &u32, other: &u32| {
            self.universe.obsoletes.get(by).is_some_and(|all| all.contains(other))
        };
        let all = candidates.clone();
        candidates
            .retain(|other| !all.iter().any(|by| obsoletes(by, other) && !obsoletes(other, by)));
    }

    fn keep_recommended(&self, candidates: &mut Vec<u32>) {
        let wanted = |id: &u32| self.is_called_for(*id, &self.universe.recommended);
        if candidates.iter().any(wanted) {
            candidates.retain(wanted);
        }
    }

    /// Whether something installed recommends (or suggests) a package, or what it supplements (or
    /// enhances) is installed.
    pub(super) fn is_called_for(&self, package: u32, weak: &Weak) -> bool {
        if weak.by.get(package).iter().any(|&by| self.is_installed(by)) {
            return true;
        }
        if !self.universe.has(package, weak.flag) {
            return false;
        }
        let conditional = weak.conditional.get(&package).into_iter().flatten();
        let mut conditional = conditional.filter(|(by, _)| self.is_installed(*by));
        let is_met = |condition: &Condition| condition.when.iter().all(|set| self.is_met(set.0));
        if conditional.any(|(_, condition)| is_met(condition)) {
            return true;
        }
        self.is_matched(package, weak)
    }

    /// Whether what a package supplements is installed.
    pub(super) fn is_supplementing(&self, package: u32) -> bool {
        self.is_matched(package, &self.universe.recommended)
    }

    fn is_matched(&self, package: u32, weak: &Weak) -> bool {
        let holds = |condition: &Condition| {
            condition.when.iter().any(|set| !self.is_met(set.0)) || self.is_met(condition.then.0)
        };
        let mut lists = weak.called_by.get(&package).into_iter().flatten();
        lists.any(|conditions| conditions.iter().all(holds))
    }

    /// Puts the better candidates first: the newest of their name, those that provide a newer version of
    /// something both provide, the suggested, and at last the favoured. They may be known to be of a set.
    pub(super) fn reorder(&mut self, candidates: &mut [u32], set: Option<u32>) {
        bring_to_front(candidates, |id| !self.universe.has(id, flag::OLD));
        if set.is_none_or(|set| self.shares_provides(set)) {
            self.prefer_newer_provides(candidates);
        }
        bring_to_front(candidates, |id| self.is_called_for(id, &self.universe.suggested));
        if !self.favour.is_empty() {
            candidates.sort_by_key(|&id| std::cmp::Reverse(self.favour_of(id)));
        }
    }

    /// The weight a question gives to a package; what it says last counts.
    pub(super) fn favour_of(&self, package: u32) -> i32 {
        self.favour.iter().rfind(|(id, _)| *id == package).map_or(0, |(_, favour)| *favour)
    }

    /// Whether any two members of a set provide versions of the same; found when it is first asked.
    fn shares_provides(&mut self, set: u32) -> bool {
        let set = set as usize;
        if set >= self.rows.sets.len() as usize {
            return true;
        }
        self.provides.resize(self.rows.sets.len() as usize, Shared::Unknown);
        if self.provides[set] == Shared::Unknown {
            let provided = self.versioned_provides(self.rows.sets.get(set as u32));
            self.provides[set] = if is_any_shared(&provided) { Shared::Some } else { Shared::None };
        }
        self.provides[set] == Shared::Some
    }

    /// libsolv's `sort_by_common_dep`: a candidate loses a point for each thing it provides in an older
    /// version than another candidate does.
    fn prefer_newer_provides(&self, candidates: &mut [u32]) {
        let tables = self.universe.tables();
        let mut provided = self.versioned_provides(candidates);
        // Nearly always nothing is provided by two of them.
        if !is_any_shared(&provided) {
            return;
        }
        // The newest first; below a version is a little older than the version itself.
        let order = |left: &Provided, right: &Provided| {
            let versions = tables.evrs.compare_loosely(&tables.strings, right.evr, left.evr);
            left.name.cmp(&right.name).then(versions).then(left.is_below.cmp(&right.is_below))
        };
        provided.sort_by(order);
        let mut points = vec![0u32; candidates.len()];
        let mut lost = 0;
        for at in 1..provided.len() {
            let (before, this) = (&provided[at - 1], &provided[at]);
            if before.name != this.name {
                lost = 0;
            } else if before.at != this.at && order(before, this) == Ordering::Less {
                lost += 1;
            }
            points[this.at] += lost;
        }
        let mut sorted: Vec<(u32, u32)> =
            points.into_iter().zip(candidates.iter().copied()).collect();
        sorted.sort_by_key(|(points, _)| *points);
        for (place, (_, candidate)) in candidates.iter_mut().zip(sorted) {
            *place = candidate;
        }
    }

    fn versioned_provides(&self, candidates: &[u32]) -> Vec<Provided> {
        let tables = self.universe.tables();
        let mut provided = Vec::new();
        for (at, &candidate) in candidates.iter().enumerate() {
            for &id in tables.relations(PackageId(candidate), Relation::Provides) {
                let dependency = tables.dependencies.get(id);
                let counts = match dependency.comparison {
                    Comparison::EQUAL => !self.is_hash(dependency.evr),
                    Comparison::LESS | Comparison::LESS_OR_EQUAL => true,
                    _ => false,
                };
                if counts {
                    let is_below = dependency.comparison == Comparison::LESS;
                    provided.push(Provided {
                        name: dependency.name.0,
                        evr: dependency.evr,
                        is_below,
                        at,
                    });
                }
            }
        }
        provided.sort_unstable_by_key(|entry| (entry.name, entry.at));
        provided
    }

    /// A version of nothing but hexadecimal digits says nothing about age.
    fn is_hash(&self, evr: EvrId) -> bool {
        let tables = self.universe.tables();
        let evr = tables.evrs.get(evr);
        let version = tables.strings.get(evr.version);
        evr.epoch == 0
            && evr.release == StringId::EMPTY
            && version.len() >= 4
            && version.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    }
}

/// Something a candidate provides in a version.
struct Provided {
    name: u32,
    evr: EvrId,
    /// Whether everything below the version is meant.
    is_below: bool,
    /// Position of the candidate.
    at: usize,
}

/// Whether members of a set provide versions of the same.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    /// Not looked at yet.
    Unknown,
    /// No two of them do.
    None,
    /// Some do.
    Some,
}

/// Whether two candidates provide the same, of what stands in order.
fn is_any_shared(provided: &[Provided]) -> bool {
    provided.windows(2).any(|two| two[0].name == two[1].name && two[0].at != two[1].at)
}

/// Moves those to the front that are good, all else staying in order.
fn bring_to_front(candidates: &mut [u32], is_good: impl Fn(u32) -> bool) {
    let mut good = 0;
    for at in 0..candidates.len() {
        if is_good(candidates[at]) {
            candidates[good..=at].rotate_right(1);
            good += 1;
        }
    }
}
