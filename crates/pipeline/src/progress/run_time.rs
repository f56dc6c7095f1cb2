//! What behaves differently at run time, through the packages that require one another.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::edge::{EdgeKind, Evidence};
use model::facet::FacetChange;
use model::package::Package;
use model::plan::{PlanEdge, StepIndex};
use model::step::StepState;

use super::{Look, Word};
use crate::affected::listen::RUN_TIME;

/// A use at run time: the edge by which a step uses what changed, and the change at the far end.
pub(super) type Use<'a> = (&'a PlanEdge, Arc<FacetChange>);

/// The name that stands for every package of a step, where the requiring one is not known.
const ANY: &str = "";

/// For each step that behaves differently at run time, the edge and the change that say so.
///
/// A package does so if it changed, or if one it requires does, of its own step or another; its step itself need not
/// be built anew. Packages that do not require one another are told apart: who uses a library is not touched by its
/// headers.
pub(super) fn changed_at_run_time<'a>(look: &Look<'a>) -> HashMap<StepIndex, Use<'a>> {
    let asks = |state: &StepState| matches!(state, StepState::Waiting | StepState::Unneeded);
    if !look.progress.steps.iter().any(|step| asks(&step.state)) {
        return HashMap::new();
    }
    let mut spread = Spread::of(look);
    let mut open = spread.start();
    while !open.is_empty() {
        open = spread.next_hop(&open);
    }
    let uses = spread.uses.into_iter();
    uses.map(|(step, (_, edge, change))| (step, (edge, change))).collect()
}

/// A change on its way through the plan, one hop after the other.
struct Spread<'l, 'a> {
    look: &'l Look<'a>,
    /// The requires-edges by dependency.
    users: HashMap<StepIndex, Vec<&'a PlanEdge>>,
    /// The packages that behave differently, by step.
    behaves: HashMap<StepIndex, BTreeMap<String, Arc<FacetChange>>>,
    /// Of several packages of a step, the first by name says why.
    uses: HashMap<StepIndex, (&'a str, &'a PlanEdge, Arc<FacetChange>)>,
}

impl<'l, 'a> Spread<'l, 'a> {
    fn of(look: &'l Look<'a>) -> Self {
        let mut users: HashMap<StepIndex, Vec<&PlanEdge>> = HashMap::new();
        for edge in look.progress.plan.edges.iter().filter(|e| e.edge.kind == EdgeKind::Requires) {
            users.entry(edge.dependency).or_default().push(edge);
        }
        Self { look, users, behaves: HashMap::new(), uses: HashMap::new() }
    }

    /// Marks what was built anew and differs. Returns the steps from which it spreads.
    fn start(&mut self) -> Vec<StepIndex> {
        let progress = self.look.progress;
        for (step, planned) in progress.plan.steps.iter().enumerate() {
            let Word::Changed(new) = progress.word(step) else { continue };
            let changes = progress.facts.changes(planned.replaces, new);
            let noticed = changes.iter().filter(|change| RUN_TIME.contains(&change.facet));
            for change in noticed {
                let packages = self.behaves.entry(step).or_default();
                let first = || Arc::new(change.clone());
                packages.entry(change.package.clone()).or_insert_with(first);
            }
        }
        let mut steps: Vec<StepIndex> = self.behaves.keys().copied().collect();
        steps.sort_unstable();
        steps.iter().for_each(|&step| self.spread_inside(step));
        steps
    }

    /// Goes one hop on from these steps. Returns the steps with news.
    fn next_hop(&mut self, from: &[StepIndex]) -> Vec<StepIndex> {
        let mut news: Vec<(&'a PlanEdge, Arc<FacetChange>)> = Vec::new();
        for step in from {
            for edge in self.users.get(step).map_or(&[][..], Vec::as_slice) {
                let known = self.behaves.get(&edge.dependent);
                let is_new = !known.is_some_and(|known| known.contains_key(requiring(edge)));
                let change = self.change_of(edge).filter(|_| is_new);
                news.extend(change.map(|change| (*edge, change)));
            }
        }
        news.sort_by(|(a, _), (b, _)| {
            (a.dependent, a.dependency, &a.edge).cmp(&(b.dependent, b.dependency, &b.edge))
        });
        let mut steps = Vec::new();
        for (edge, change) in news {
            let packages = self.behaves.entry(edge.dependent).or_default();
            packages.entry(requiring(edge).to_owned()).or_insert_with(|| Arc::clone(&change));
            let name = requiring(edge);
            let (known, ..) =
                *self.uses.entry(edge.dependent).or_insert((name, edge, change.clone()));
            if name < known {
                self.uses.insert(edge.dependent, (name, edge, change));
            }
            steps.push(edge.dependent);
        }
        steps.dedup();
        steps.iter().for_each(|&step| self.spread_inside(step));
        steps
    }

    /// The change that an edge passes on, if the package at its far end behaves differently.
    fn change_of(&self, edge: &PlanEdge) -> Option<Arc<FacetChange>> {
        let packages = self.behaves.get(&edge.dependency)?;
        let is_visible = self.look.is_visible(edge);
        let change = packages.get(edge.edge.package.as_str()).or_else(|| packages.get(ANY));
        change.filter(|_| is_visible).cloned()
    }

    /// Marks the packages of a step that require one of its marked packages, directly or through others.
    fn spread_inside(&mut self, step: StepIndex) {
        let progress = self.look.progress;
        let build = progress.steps[step].newest_output().or(progress.plan.steps[step].replaces);
        let Some(facts) = build.and_then(|build| progress.facts.get(build)) else { return };
        let Some(marked) = self.behaves.get_mut(&step) else { return };
        if facts.packages.len() < 2 {
            return;
        }
        let mut requirers: HashMap<&str, Vec<&Package>> = HashMap::new();
        for package in &facts.packages {
            for wanted in package.requires.iter().filter_map(|requires| requires.capability()) {
                requirers.entry(wanted.name.as_str()).or_default().push(package);
            }
        }
        let is_marked = |package: &&Package| marked.contains_key(&package.nevra.name);
        let mut open: Vec<&Package> = facts.packages.iter().filter(is_marked).collect();
        while let Some(package) = open.pop() {
            let Some(change) = marked.get(&package.nevra.name).cloned() else { continue };
            let names = package.provides.iter().map(|provide| provide.name.as_str());
            for user in names.filter_map(|name| requirers.get(name)).flatten() {
                if !marked.contains_key(&user.nevra.name) {
                    marked.insert(user.nevra.name.clone(), Arc::clone(&change));
                    open.push(user);
                }
            }
        }
    }
}

/// The package at the dependent's end, as far as the edge's evidence tells.
fn requiring(edge: &PlanEdge) -> &str {
    match &edge.edge.evidence {
        Evidence::Requires { package, .. } => package,
        Evidence::Spec { .. } | Evidence::Buildroot { .. } | Evidence::Contents { .. } => ANY,
    }
}
