//! Choices that later ones made superfluous: an alternative was installed anyway.

use super::Solver;

/// Marks an alternative that has been tried.
const TRIED: u32 = 1 << 31;

impl Solver<'_> {
    /// The earliest branch that should have been taken another way, and its alternative. From libsolv's
    /// auto-minimisation.
    pub(super) fn superfluous(&self) -> Option<(usize, usize)> {
        (0..self.branches.len()).find_map(|at| {
            let alternative =
                self.installed_alternative(at).or_else(|| self.recommended_alternative(at));
            alternative.map(|alternative| (at, alternative))
        })
    }

    fn untried(&self, branch: usize) -> impl Iterator<Item = (usize, u32)> + '_ {
        let branch = self.branches[branch];
        let rest = branch.start + 1..branch.end;
        rest.map(|at| (at, self.alternatives[at])).filter(|(_, package)| package & TRIED == 0)
    }

    fn installed_alternative(&self, branch: usize) -> Option<usize> {
        self.untried(branch).find(|(_, package)| self.is_installed(*package)).map(|(at, _)| at)
    }

    /// An alternative that is recommended by now, where what was chosen is not.
    fn recommended_alternative(&self, branch: usize) -> Option<usize> {
        let weak = &self.universe.recommended;
        let (at, _) =
            self.untried(branch).find(|(_, package)| self.is_called_for(*package, weak))?;
        let chosen = self.trail[self.levels.get(self.branches[branch].level)?.trail] >> 1;
        if self.is_called_for(chosen, weak) { None } else { Some(at) }
    }

    /// Goes back to before a branch; the package to install there instead.
    pub(super) fn take_branch(&mut self, branch: usize, at: usize) -> u32 {
        let Branch { level, end, .. } = self.branches[branch];
        let package = self.alternatives[at];
        self.alternatives[at] |= TRIED;
        self.branches.truncate(branch + 1);
        self.alternatives.truncate(end);
        let mark = self.levels[level];
        self.levels.truncate(level);
        self.undo(mark);
        self.scan = super::Scan::default();
        package
    }
}

use super::state::Branch;
