//! What is decided so far, and how to take it back.

use super::{Conflict, Job, Solver};
use crate::tables::PackageId;
use crate::universe::SetId;

pub(super) const UNDECIDED: u8 = 0;
pub(super) const INSTALLED: u8 = 1;
pub(super) const FORBIDDEN: u8 = 2;

/// A set somebody installed needs, with the position of libsolv's rule for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// Rules stand in the order of their owners, the last read first.
    pub(super) key: u64,
    pub(super) set: u32,
}

impl Need {
    pub(super) fn new(owner: u32, position: u32, set: u32) -> Self {
        Self { key: u64::from(u32::MAX - owner) << 32 | u64::from(position), set }
    }

    /// Rules that belong to no package stand behind all others.
    pub(super) fn last(set: u32) -> Self {
        Self { key: u64::MAX, set }
    }
}

/// How far everything was at some point.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mark {
    pub(super) trail: usize,
    activated: usize,
    needs: usize,
    watching: usize,
    wants_done: usize,
}

/// A choice that was made among several, and may be made anew.
#[derive(Debug, Clone, Copy)]
pub(super) struct Branch {
    /// How many decisions stood before it.
    pub(super) level: usize,
    /// Where its alternatives are, the first being the one that was chosen.
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Where the walk over open needs stands; see `decide`.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scan {
    /// The key behind which the walk goes on.
    pub(super) after: u64,
    /// The first need that had more than one good candidate.
    pub(super) postponed: Option<u64>,
    /// Whether needs are now decided as they come.
    pub(super) is_choosing: bool,
    /// How many of the needs have been looked at; what was met then stays so until something is undone.
    pub(super) seen: usize,
}

/// What is known of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// A member is installed.
    Met,
    /// No member can be.
    Lost,
    /// One member is left.
    Last(u32),
    /// There is a choice.
    Open,
}

impl Solver<'_> {
    pub(super) fn mark(&self) -> Mark {
        Mark {
            trail: self.trail.len(),
            activated: self.activated.len(),
            needs: self.needs.len(),
            watching: self.watching.len(),
            wants_done: self.wants_done,
        }
    }

    /// Takes back everything since a mark.
    pub(super) fn undo(&mut self, mark: Mark) {
        if let Some(undone) = &mut self.undone {
            undone.extend_from_slice(&self.trail[mark.trail..]);
        }
        for &entry in &self.trail[mark.trail..] {
            self.state[(entry >> 1) as usize] = UNDECIDED;
        }
        for &set in &self.activated[mark.activated..] {
            self.active[set as usize] = false;
        }
        self.trail.truncate(mark.trail);
        self.activated.truncate(mark.activated);
        self.needs.truncate(mark.needs);
        self.watching.truncate(mark.watching);
        self.wants_done = mark.wants_done;
        self.head = mark.trail;
    }

    /// Ready for the next question: back to the base, or to what it has in common with the last one. What
    /// follows from wants alone does not depend on their order, so questions that want the same things, as
    /// nearly all of a distribution's do, share it.
    pub(super) fn reset(&mut self, job: &Job) {
        self.levels.clear();
        self.branches.clear();
        self.alternatives.clear();
        self.wants.truncate(self.base_wants);
        self.exempt_names.clear();
        self.favour.clear();
        self.scan = Scan::default();
        self.retracted = 0;
        job.shareable(self.universe, &mut self.ordered);
        let last = self.shared.iter().map(|(set, _)| set);
        let common = last.zip(&self.ordered).take_while(|(last, set)| last == set).count();
        let mark = self.shared.get(common).map_or(self.solved_from, |(_, mark)| *mark);
        self.shared.truncate(common);
        self.confirmed.truncate(mark.trail - self.base.trail);
        self.undo(mark);
        self.undone.iter_mut().for_each(Vec::clear);
        self.own_sets.truncate(self.base_sets);
        self.active.truncate(self.universe.sets.len() + self.base_sets);
    }

    /// Propagates the wants that questions share, the most common first; false where one cannot be met.
    pub(super) fn share(&mut self) -> bool {
        for at in self.shared.len()..self.ordered.len() {
            let set = self.ordered[at];
            let mark = self.mark();
            if !(self.need_wanted(set) && self.propagate()) {
                self.undo(mark);
                self.solved_from = mark;
                return false;
            }
            self.shared.push((set, mark));
            self.confirm_shared(mark.trail);
        }
        self.solved_from = self.mark();
        true
    }

    pub(super) fn is_installed(&self, package: u32) -> bool {
        self.state[package as usize] == INSTALLED
    }

    #[inline]
    pub(super) fn members(&self, set: u32) -> &[u32] {
        let known = self.rows.sets.len();
        if set < known { self.rows.sets.get(set) } else { self.own_sets.get(set - known) }
    }

    /// The numbers of the job's own sets, from a place on.
    pub(super) fn own_set_numbers(&self, from: usize) -> std::ops::Range<u32> {
        let known = self.rows.sets.len();
        known + from as u32..known + self.own_sets.len() as u32
    }

    pub(super) fn is_met(&self, set: u32) -> bool {
        self.members(set).iter().any(|&member| self.is_installed(member))
    }

    pub(super) fn standing(&self, set: u32) -> Standing {
        let (mut open, mut last) = (0, 0);
        for &member in self.members(set) {
            match self.state[member as usize] {
                INSTALLED => return Standing::Met,
                UNDECIDED => {
                    open += 1;
                    last = member;
                }
                _ => {}
            }
        }
        match open {
            0 => Standing::Lost,
            1 => Standing::Last(last),
            _ => Standing::Open,
        }
    }

    /// Installs a package; false where it is forbidden.
    pub(super) fn install(&mut self, package: u32) -> bool {
        match self.state[package as usize] {
            INSTALLED => true,
            UNDECIDED => {
                self.state[package as usize] = INSTALLED;
                self.trail.push(package << 1);
                true
            }
            _ => {
                self.conflict = Conflict::Package(PackageId(package));
                false
            }
        }
    }

    /// Forbids a package; false where it is installed.
    pub(super) fn forbid(&mut self, package: u32) -> bool {
        match self.state[package as usize] {
            FORBIDDEN => true,
            UNDECIDED => {
                self.state[package as usize] = FORBIDDEN;
                self.trail.push(package << 1 | 1);
                true
            }
            _ => {
                self.conflict = Conflict::Package(PackageId(package));
                false
            }
        }
    }

    /// Notes that a set is needed, and installs its last candidate; false where there is none.
    pub(super) fn need(&mut self, need: Need) -> bool {
        if !self.active[need.set as usize] {
            self.active[need.set as usize] = true;
            self.activated.push(need.set);
        }
        match self.standing(need.set) {
            Standing::Met => true,
            Standing::Last(package) => self.install(package),
            Standing::Open => {
                self.needs.push(need);
                true
            }
            Standing::Lost => {
                self.conflict = Conflict::Set(SetId(need.set));
                false
            }
        }
    }
}
