//! Which answers may depend on what a change touched.

use super::{Verdict, Watch};
use crate::change::{Effect, LiveUniverse, Rewired};
use crate::solve::{BaseState, Job, Solver};
use crate::tables::PackageId;
use crate::universe::{Universe, flag};
use rustc_hash::FxHashSet;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

/// What a change means for the answers.
#[derive(Default)]
pub(super) struct Affected {
    /// Questions to be answered anew, sorted.
    pub(super) questions: Vec<u32>,
    /// Packages that may be forbidden for other questions than before.
    pub(super) disturbed: BTreeSet<u32>,
    /// The base, where it is another one.
    pub(super) base: Option<(Job, BaseState)>,
}

/// The search for them.
struct Search<'a> {
    watch: &'a Watch,
    live: &'a LiveUniverse,
    marked: FxHashSet<u32>,
    /// Whether every answer is affected.
    hits_all: bool,
    /// Whether what the base's packages follow may differ.
    hits_base: bool,
}

impl Watch {
    pub(super) fn find_affected(&self, live: &LiveUniverse, effect: &Effect) -> Affected {
        let universe = live.universe();
        let mut search = Search {
            watch: self,
            live,
            marked: FxHashSet::default(),
            hits_all: false,
            hits_base: false,
        };
        let followed = self.visibly_followed(universe, effect);
        for &package in &followed {
            search.mark_with(package);
            // Of the base's conditions only the number is compared.
            search.hits_all |= self.is_in_base(package) && universe.has(package, flag::CONDITIONAL);
        }
        for id in &effect.changed {
            let number = self.number_of.get(id);
            let was_there = |number: &&u32| self.verdicts[**number as usize] != Verdict::Gone;
            search.marked.extend(number.filter(|number| was_there(number) != live.is_present(*id)));
        }
        let job = self.questions.base(universe).unwrap_or_default();
        // The base asks for the dead, too, but they are none of its candidates.
        let is_asked = |id: &PackageId| job.any_wants().any(|candidates| candidates.contains(id));
        search.hits_base |= job != self.base_job || effect.flipped.iter().any(is_asked);
        let mut disturbed = search.disturbed(effect, &followed);
        search.spread(&mut disturbed);
        let mut base = None;
        if search.hits_base || disturbed.iter().any(|package| self.touches_base(live, *package)) {
            let state = Solver::new(universe, &job).base_state();
            let was = &self.base;
            search.hits_all |= state.installed != was.installed
                || state.open != was.open
                || state.conditions != was.conditions
                || state.is_impossible != was.is_impossible;
            let difference = super::only_in(&state.forbidden, &was.forbidden)
                .chain(super::only_in(&was.forbidden, &state.forbidden));
            disturbed.extend(difference);
            search.spread(&mut disturbed);
            base = Some((job, state));
        }
        for &PackageId(package) in &effect.ranked {
            search.mark_choosing(package, false);
        }
        for &package in &disturbed {
            search.mark_with(package);
            search.mark_choosing(package, true);
        }
        let questions = if search.hits_all {
            (0..self.about.len() as u32).collect()
        } else {
            let mut marked: Vec<u32> = search.marked.into_iter().collect();
            marked.sort_unstable();
            marked
        };
        Affected { questions, disturbed, base }
    }

    /// The packages for which what follows from installing them may differ beyond the base: what every answer has,
    /// may be needed or not.
    fn visibly_followed(&self, universe: &Universe, effect: &Effect) -> Vec<u32> {
        let unseen = effect.rewired.iter().filter(|it| !self.sees_difference(universe, effect, it));
        let unseen: FxHashSet<PackageId> = unseen.map(|rewired| rewired.package).collect();
        let followed = effect.followed.iter().filter(|id| !unseen.contains(id));
        followed.map(|id| id.0).collect()
    }

    /// Whether a package needs something else now beyond the base.
    fn sees_difference(&self, universe: &Universe, effect: &Effect, was: &Rewired) -> bool {
        let package = was.package.0;
        let beyond = |forced: &[u32]| -> Vec<u32> {
            forced.iter().copied().filter(|&id| !self.is_in_base(id)).collect()
        };
        let members = |set: &u32| universe.sets.get(*set);
        let old_members =
            |set: &u32| effect.reseated.get(set).map_or_else(|| members(set), Vec::as_slice);
        let unmet = |members: &&[u32]| !members.iter().any(|&member| self.is_in_base(member));
        let before = was.choices.iter().map(old_members).filter(unmet);
        let now = universe.choices.get(package).iter().map(members).filter(unmet);
        self.is_in_base(package)
            || beyond(&was.forced) != beyond(universe.forced.get(package))
            || !before.eq(now)
    }

    /// Whether a package was ever forbidden for any question.
    fn was_forbidden(&self, package: u32) -> bool {
        self.forbidden.get(package as usize).is_some_and(|was| was.load(Ordering::Relaxed))
    }

    fn is_in_base(&self, package: u32) -> bool {
        self.base.installed.binary_search(&package).is_ok()
    }

    /// Whether the base may be another one where a package is forbidden that was not, or the other way round.
    fn touches_base(&self, live: &LiveUniverse, package: u32) -> bool {
        let index = live.index();
        let mut owners = index.sets_with(package).iter().flat_map(|&set| index.owners.get(set));
        self.is_in_base(package)
            || self.base.forbidden.binary_search(&package).is_ok()
            || owners.any(|&owner| self.is_in_base(owner))
    }
}

impl Search<'_> {
    fn universe(&self) -> &Universe {
        self.live.universe()
    }

    /// The questions about a package or source, and those on the way to whose answers it was installed.
    fn mark_with(&mut self, package: u32) {
        if self.watch.is_in_base(package) {
            self.hits_base = true;
        }
        self.marked.extend(self.watch.number_of.get(&PackageId(package)));
        self.marked.extend(self.watch.by_package.get(package));
    }

    /// The questions that may have had to choose whether to take a package; for one that may be forbidden
    /// also those that have no choice.
    fn mark_choosing(&mut self, package: u32, is_disturbed: bool) {
        let mut owners = BTreeSet::new();
        let universe = self.live.universe();
        let index = self.live.index();
        for &set in index.sets_with(package) {
            let members = universe.sets.get(set);
            // What the base has is never chosen again.
            let is_met = members.iter().any(|&member| self.watch.is_in_base(member));
            if !is_met && (is_disturbed || members.len() > 1) {
                owners.extend(index.owners.get(set));
            }
        }
        for owner in owners {
            let hits_base = self.watch.is_in_base(owner);
            self.hits_all |= hits_base;
            self.mark_with(owner);
        }
        // The base's own wants are chosen with each question.
        let open = &self.watch.base.open;
        self.hits_all |= open.iter().any(|members| members.contains(&package));
    }

    /// Packages that may be forbidden for other questions than before, to begin with: those that say anew
    /// with whom they cannot be installed, where that one is installed for some question; and those whose
    /// needs changed, where these may all be forbidden, or may have been.
    fn disturbed(&self, effect: &Effect, followed: &[u32]) -> BTreeSet<u32> {
        let watch = self.watch;
        let is_installed =
            |package: u32| !watch.by_package.is_empty(package) || watch.is_in_base(package);
        let pairs = effect.conflicts.iter().filter(|(_, other)| is_installed(other.0));
        let mut disturbed: BTreeSet<u32> = pairs.map(|(package, _)| package.0).collect();
        let universe = self.universe();
        for &package in followed {
            let is_forbidden = watch.was_forbidden(package);
            let sets = universe.needs.get(package);
            if universe.has(package, flag::INSTALLABLE)
                && (is_forbidden || sets.iter().any(|&set| self.may_be_lost(set, &disturbed)))
            {
                disturbed.insert(package);
            }
        }
        disturbed
    }

    /// Whether all members of a set are forbidden for some question each.
    fn may_be_lost(&self, set: u32, disturbed: &BTreeSet<u32>) -> bool {
        let is_out = |member: &u32| {
            let known = self.watch.was_forbidden(*member);
            known || disturbed.contains(member)
        };
        self.universe().sets.get(set).iter().all(is_out)
    }

    /// Follows what may be forbidden upwards to those who need it.
    fn spread(&self, disturbed: &mut BTreeSet<u32>) {
        let universe = self.universe();
        let mut queue: Vec<u32> = disturbed.iter().copied().collect();
        while let Some(package) = queue.pop() {
            for &set in universe.member_of.get(package) {
                if self.may_be_lost(set, disturbed) {
                    let owners = universe.owners_of.get(set).iter();
                    queue.extend(owners.filter(|owner| disturbed.insert(**owner)));
                }
            }
            let owners = universe.forced_by.get(package).iter();
            queue.extend(owners.filter(|owner| disturbed.insert(**owner)));
        }
    }
}
