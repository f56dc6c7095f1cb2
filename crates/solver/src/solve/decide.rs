//! What is decided next: libsolv's walk over its rules (`resolve_jobrules`, `resolve_dependencies`).
//!
//! The job's own choices come first, in its order. Then the needs of installed packages: in a first walk
//! those which pruning leaves with one candidate, each as it is met; when a whole round finds none, from
//! the first need that was passed over, all others as they come.

use super::Solver;
use super::state::{Branch, Need, Standing};

impl Solver<'_> {
    /// The package to install next; none where every need is met.
    pub(super) fn decide(&mut self) -> Option<u32> {
        self.decide_want().or_else(|| self.decide_need())
    }

    fn decide_want(&mut self) -> Option<u32> {
        while let Some(&set) = self.wants.get(self.wants_done) {
            if self.standing(set) == Standing::Open {
                self.scan = super::Scan::default();
                return Some(self.choose(set));
            }
            self.wants_done += 1;
        }
        None
    }

    fn decide_need(&mut self) -> Option<u32> {
        let mut open = std::mem::take(&mut self.open);
        if self.scan.seen == 0 {
            open.clear();
        } else {
            open.retain(|need| !self.is_met(need.set));
        }
        let known = open.len();
        open.extend(self.needs[self.scan.seen..].iter().filter(|need| !self.is_met(need.set)));
        self.scan.seen = self.needs.len();
        if open.len() > known {
            open.sort_unstable();
        }
        let chosen = self.walk(&open);
        self.open = open;
        chosen
    }

    fn walk(&mut self, open: &[Need]) -> Option<u32> {
        if open.is_empty() {
            return None;
        }
        if !self.scan.is_choosing {
            if let Some(package) = self.walk_pruned(open) {
                return Some(package);
            }
            // A round without a decision: from here on, as they come.
            self.scan.is_choosing = true;
            self.scan.after = self.scan.postponed.map_or(0, |key| key.saturating_sub(1));
        }
        let need = from(open, self.scan.after).next()?;
        self.scan.after = need.key;
        Some(self.choose(need.set))
    }

    /// The next need that pruning leaves with one candidate.
    fn walk_pruned(&mut self, open: &[Need]) -> Option<u32> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut found = None;
        for need in from(open, self.scan.after) {
            self.collect_open(need.set, &mut buffer);
            self.prune(&mut buffer);
            if let [only] = buffer[..] {
                self.scan.after = need.key;
                found = Some(only);
                break;
            }
            self.scan.postponed.get_or_insert(need.key);
        }
        self.buffer = buffer;
        found
    }

    /// The best candidate of a set; where others are as good, they are kept as a branch.
    fn choose(&mut self, set: u32) -> u32 {
        let mut buffer = std::mem::take(&mut self.buffer);
        self.collect_open(set, &mut buffer);
        let chosen = self.choose_among(&mut buffer, Some(set));
        self.buffer = buffer;
        chosen
    }

    /// The best of candidates that stand in the order of choice, and may be known to be of a set; there must be
    /// one.
    pub(super) fn choose_among(&mut self, candidates: &mut Vec<u32>, set: Option<u32>) -> u32 {
        self.prune(candidates);
        if candidates.len() > 1 {
            self.reorder(candidates, set);
            let start = self.alternatives.len();
            self.alternatives.extend_from_slice(candidates);
            let end = self.alternatives.len();
            self.branches.push(Branch { level: self.levels.len(), start, end });
        }
        candidates[0]
    }

    /// Forgets the choices made at a level or above.
    pub(super) fn forget_branches(&mut self, level: usize) {
        while let Some(branch) = self.branches.pop_if(|branch| branch.level >= level) {
            self.alternatives.truncate(branch.start);
        }
    }
}

/// The needs in order, beginning behind a key and going round.
fn from(open: &[Need], after: u64) -> impl Iterator<Item = Need> + '_ {
    let start = open.partition_point(|need| need.key <= after);
    open[start..].iter().chain(&open[..start]).copied()
}
