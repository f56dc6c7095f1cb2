//! From the roots of a change along the edges that rules follow: who may be touched, by which rule, and where it stops.

use std::collections::{HashMap, HashSet};

use model::artifact::{ArtifactKey, CommitId};
use model::edge::{Edge, EdgeKind};
use model::plan::RootAction;
use model::reason::{Reason, Stop, StopReason};
use model::rule::{Hours, RuleId};

use super::{Ground, Request, Root, action};
use crate::rules::passage::{Passage, Passages, Route};

/// Everything a change may touch.
pub(super) struct Reach {
    pub(super) reached: HashMap<ArtifactKey, Reached>,
    /// The edges at which it stops, sorted.
    pub(super) stops: Vec<Stop>,
    /// The places in the ground of the edges that no rule follows.
    pub(super) refused: HashSet<usize>,
}

/// Why an artifact is in the plan, from which commit it would be built, and when.
pub(super) struct Reached {
    pub(super) reason: Reason,
    pub(super) commit: CommitId,
    pub(super) rule: Option<RuleId>,
    pub(super) hours: Option<Hours>,
    /// Whether an event is about it.
    is_start: bool,
}

/// Walks from the roots to everything that may follow. Each is reached by the edge that came first; it may start in the
/// hours of the edge that waits least.
pub(super) fn reach(request: &Request, ground: &Ground) -> Reach {
    let mut dependents: Dependents<'_> = HashMap::new();
    for (index, edge) in ground.edges.iter().enumerate() {
        dependents.entry(&edge.dependency).or_default().push(index);
    }
    let mut walk = Walk::from(&request.roots, ground);
    for (route, roots) in by_route(request) {
        walk.along(&route.passages(), &roots, &dependents);
    }
    walk.end()
}

/// Places of edges by what is needed.
type Dependents<'g> = HashMap<&'g ArtifactKey, Vec<usize>>;

/// Roots from which the change goes on along the same edges, together.
fn by_route(request: &Request) -> Vec<(&Route, Vec<&Root>)> {
    let mut groups: Vec<(&Route, Vec<&Root>)> = Vec::new();
    for root in &request.roots {
        let Some(route) = request.routes.get(&root.event) else { continue };
        match groups.iter_mut().find(|(known, _)| known.is_same(route)) {
            Some((_, roots)) => roots.push(root),
            None => groups.push((route, vec![root])),
        }
    }
    groups
}

struct Walk<'g> {
    ground: &'g Ground,
    reached: HashMap<ArtifactKey, Reached>,
    stops: Vec<Stop>,
    /// Edges that the rules of one event close; those of another may open them.
    closed: HashMap<usize, StopReason>,
    opened: HashSet<usize>,
}

impl<'g> Walk<'g> {
    fn from(roots: &[Root], ground: &'g Ground) -> Self {
        let root = |root: &Root| {
            let reached = Reached {
                reason: root.reason.clone(),
                commit: root.commit.clone(),
                rule: root.rule.clone(),
                hours: root.hours,
                // What an earlier plan decided about a dependent goes on by itself, and is no start of anything.
                is_start: root.reason.event().is_some(),
            };
            (root.artifact.clone(), reached)
        };
        let reached = roots.iter().map(root).collect();
        let (stops, closed, opened) = (Vec::new(), HashMap::new(), HashSet::new());
        Self { ground, reached, stops, closed, opened }
    }

    /// Walks from some of the roots. A root that is only to be tested may have to be rebuilt like any other when
    /// another reaches it, with what that brings about.
    fn along<'w>(
        &mut self,
        passages: &Passages<'_>,
        roots: &[&'w Root],
        dependents: &Dependents<'w>,
    ) where
        'g: 'w,
    {
        let ground = self.ground;
        let rebuilt = roots.iter().filter(|root| action(root, ground) == RootAction::Rebuild);
        let mut open: Vec<&ArtifactKey> = rebuilt.map(|root| &root.artifact).collect();
        let mut passed: HashSet<&ArtifactKey> = open.iter().copied().collect();
        let mut depth = 0;
        while !open.is_empty() {
            depth += 1;
            let mut next = Vec::new();
            for &index in open.iter().filter_map(|at| dependents.get(at)).flatten() {
                let edge = &ground.edges[index];
                if edge.dependent == edge.dependency {
                    continue;
                }
                let Some((rule, hours)) = self.passage(passages, index, depth) else { continue };
                if self.enter(edge, rule, hours) && passed.insert(&edge.dependent) {
                    next.push(&edge.dependent);
                }
            }
            open = next;
        }
    }

    /// The rule that lets the change pass along an edge, and the hours; none if it stops there.
    fn passage<'r>(
        &mut self,
        passages: &Passages<'r>,
        index: usize,
        depth: u32,
    ) -> Option<(&'r RuleId, Option<Hours>)> {
        let edge = &self.ground.edges[index];
        if let Some(rule) = passages.free(edge.kind) {
            // An edge of a kind that these rules let pass freely may be closed by those of another event.
            self.opened.insert(index);
            return Some((rule, None));
        }
        let settings = &self.ground.settings;
        let about = |end: &ArtifactKey| settings.get(end).map(|settings| &settings.about);
        match passages.at(edge, depth, about) {
            Passage::Open { rule, hours } => {
                self.opened.insert(index);
                Some((rule, hours))
            }
            Passage::Closed { rule, sentence } => {
                let because = StopReason::Rule { rule: rule.clone(), sentence };
                self.closed.entry(index).or_insert(because);
                None
            }
        }
    }

    /// Takes an artifact into the plan, unless it is left out.
    fn enter(&mut self, edge: &Edge, rule: &RuleId, hours: Option<Hours>) -> bool {
        if let Some(known) = self.reached.get_mut(&edge.dependent) {
            // Another way to it need not wait.
            if hours.is_none() && known.hours.is_some() && !known.is_start {
                (known.rule, known.hours) = (Some(rule.clone()), None);
            }
            return true;
        }
        match commit_of(&edge.dependent, self.ground) {
            Ok(commit) => {
                let reason = Reason::Reached { edge: edge.clone() };
                let rule = Some(rule.clone());
                let entry = Reached { reason, commit, rule, hours, is_start: false };
                self.reached.insert(edge.dependent.clone(), entry);
                true
            }
            Err(because) => {
                self.stops.push(Stop { edge: edge.clone(), because });
                false
            }
        }
    }

    fn end(mut self) -> Reach {
        let opened = self.opened;
        self.closed.retain(|index, _| !opened.contains(index));
        let mut told: HashSet<(&ArtifactKey, &ArtifactKey, EdgeKind)> = HashSet::new();
        let mut refused: Vec<usize> = self.closed.keys().copied().collect();
        refused.sort_unstable();
        for index in &refused {
            let edge = &self.ground.edges[*index];
            // One library that is required for ten symbols stops once.
            if told.insert((&edge.dependent, &edge.dependency, edge.kind)) {
                let because = self.closed[index].clone();
                self.stops.push(Stop { edge: edge.clone(), because });
            }
        }
        self.stops.sort_by(|a, b| a.edge.cmp(&b.edge));
        self.stops.dedup();
        Reach { reached: self.reached, stops: self.stops, refused: refused.into_iter().collect() }
    }
}

/// The published commit of an artifact that may follow a change.
fn commit_of(artifact: &ArtifactKey, ground: &Ground) -> Result<CommitId, StopReason> {
    if let Some(because) = ground.left_out.get(artifact) {
        return Err(because.clone());
    }
    let published = ground.published.get(artifact);
    published.map(|published| published.commit.clone()).ok_or(StopReason::NeverPublished)
}
