//! Whether a change goes on along an edge, by which rule, and in which hours.

use std::sync::Arc;

use model::artifact::ArtifactKey;
use model::edge::{Edge, EdgeKind};
use model::event::Event;
use model::rule::{Hours, RuleId};
use model::source::About;

use super::condition::Facts;
use super::limits::Bounds;
use super::{Action, Follow, Rule, RuleSet};

/// How far the change that an event starts goes: the rules that match the event.
#[derive(Clone, Debug)]
pub struct Route {
    pub(super) set: Arc<RuleSet>,
    /// By id.
    pub(super) rules: Vec<Arc<Rule>>,
    pub(super) event: Event,
    pub(super) about: About,
    /// The rule that starts the change.
    pub(super) starter: RuleId,
}

impl Route {
    /// The rule that starts the change.
    pub fn starter(&self) -> &RuleId {
        &self.starter
    }

    /// The ids of the rules that match.
    pub fn rules(&self) -> impl Iterator<Item = &RuleId> {
        self.rules.iter().map(|rule| &rule.id)
    }

    /// Whether two changes go on along the same edges, wherever they start.
    pub fn is_same(&self, other: &Self) -> bool {
        let same_rules = self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(|(a, b)| Arc::ptr_eq(a, b));
        same_rules
            && self.starter == other.starter
            && (!self.asks_about_event()
                || (self.event == other.event && self.about == other.about))
    }

    fn asks_about_event(&self) -> bool {
        let follows = self.rules.iter().flat_map(|rule| &rule.follow);
        let mut conditions = follows.filter_map(|follow| follow.when.as_ref());
        conditions.any(|condition| condition.mentions(&["event", "artifact"]))
    }

    /// The route, ready to be asked about edges.
    pub fn passages(&self) -> Passages<'_> {
        let conditional = self.rules.iter().flat_map(|rule| &rule.follow).any(|f| f.when.is_some());
        let hours = Bounds::of(&self.rules).hours;
        Passages {
            hours,
            facts: conditional.then(|| Facts::of(&self.event, &self.about, &self.set.labels)),
            kinds: EdgeKind::ALL.map(|kind| Kind::of(kind, &self.rules, hours)),
            starter: &self.starter,
        }
    }
}

/// A route, ready to be asked about edges.
pub struct Passages<'r> {
    /// The hours of everything the event starts.
    hours: Option<Hours>,
    facts: Option<Facts<'r>>,
    kinds: [Kind<'r>; EdgeKind::ALL.len()],
    starter: &'r RuleId,
}

/// Whether a change goes on along an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Passage<'r> {
    /// It does.
    Open {
        /// The rule that lets it.
        rule: &'r RuleId,
        /// In which hours the build of the dependent may start; any if there are none.
        hours: Option<Hours>,
    },
    /// It does not.
    Closed {
        /// The rule that says so, or is the nearest to letting it.
        rule: &'r RuleId,
        /// Why.
        sentence: String,
    },
}

/// What the rules say about edges of one kind.
struct Kind<'r> {
    leaves: Vec<(&'r Rule, &'r Follow)>,
    follows: Vec<(&'r Rule, Vec<&'r Follow>)>,
    /// The rule that lets every edge pass, whenever it is and whatever its ends are.
    free: Option<&'r RuleId>,
}

impl<'r> Kind<'r> {
    fn of(kind: EdgeKind, rules: &'r [Arc<Rule>], hours: Option<Hours>) -> Self {
        let (mut leaves, mut follows) = (Vec::new(), Vec::new());
        for rule in rules {
            let entries = rule.follow.iter().filter(|follow| follow.edges.contains(&kind));
            match rule.action {
                Some(Action::Leave) => leaves.extend(entries.map(|entry| (rule.as_ref(), entry))),
                _ => {
                    let entries: Vec<&Follow> = entries.collect();
                    if !entries.is_empty() {
                        follows.push((rule.as_ref(), entries));
                    }
                }
            }
        }
        let takes_all = |entry: &&Follow| entry.when.is_none() && entry.depth.is_none();
        let mut entries = follows.iter().flat_map(|(_, entries)| entries);
        let has_hours = hours.is_some() || entries.any(|entry| entry.hours.is_some());
        let free = follows.iter().find(|(_, entries)| entries.iter().any(takes_all));
        let free = free.filter(|_| leaves.is_empty() && !has_hours).map(|(rule, _)| &rule.id);
        Self { leaves, follows, free }
    }
}

impl<'r> Passages<'r> {
    /// The rule that lets every edge of this kind pass at any hour, if one does.
    pub fn free(&self, kind: EdgeKind) -> Option<&'r RuleId> {
        self.kind(kind).free
    }

    /// Whether a change goes on along an edge that ends `depth` edges away from where it starts.
    ///
    /// A rule that leaves the edge decides; or else any rule that follows it. Of several that do, those whose entry has
    /// hours count, and of those the first by id; the hours of the event hold where no entry has some.
    pub fn at<'a>(
        &self,
        edge: &Edge,
        depth: u32,
        about: impl Fn(&ArtifactKey) -> Option<&'a About>,
    ) -> Passage<'r> {
        let kind = self.kind(edge.kind);
        let none = About::default();
        let ends = [&edge.dependent, &edge.dependency].map(|end| about(end).unwrap_or(&none));
        let fits = |entry: &Follow| {
            entry.depth.is_none_or(|most| depth <= most) && self.holds(entry, edge, ends)
        };
        if let Some((rule, _)) = kind.leaves.iter().find(|(_, entry)| fits(entry)) {
            return Passage::Closed { rule: &rule.id, sentence: rule.description.clone() };
        }
        let mut open: Option<(&'r Rule, Option<Hours>)> = None;
        for (rule, entries) in &kind.follows {
            let Some(entry) = entries.iter().find(|entry| fits(entry)) else { continue };
            if open.is_none_or(|(_, known)| known.is_none() && entry.hours.is_some()) {
                open = Some((rule, entry.hours));
            }
        }
        match open {
            Some((rule, hours)) => Passage::Open { rule: &rule.id, hours: hours.or(self.hours) },
            None => self.closed(kind, edge, depth),
        }
    }

    fn holds(&self, entry: &Follow, edge: &Edge, ends: [&About; 2]) -> bool {
        match (&entry.when, &self.facts) {
            (None, _) => true,
            (Some(condition), Some(facts)) => facts.hold_at(condition, edge, ends),
            (Some(_), None) => false,
        }
    }

    /// Why no rule follows an edge: too far for one, against the condition of one, or nobody's.
    fn closed(&self, kind: &Kind<'r>, edge: &Edge, depth: u32) -> Passage<'r> {
        let entries = || {
            kind.follows
                .iter()
                .flat_map(|(rule, entries)| entries.iter().map(move |entry| (*rule, *entry)))
        };
        let too_far = entries().find(|(_, entry)| entry.depth.is_some_and(|most| most < depth));
        if let Some((rule, entry)) = too_far {
            let most = entry.depth.unwrap_or_default();
            let sentence = format!(
                "it is {depth} edges from where the change starts, and {most} is the limit"
            );
            return Passage::Closed { rule: &rule.id, sentence };
        }
        match entries().find_map(|(rule, entry)| Some((rule, entry.when.as_ref()?))) {
            Some((rule, condition)) => {
                let sentence = format!("`{}` does not hold here", condition.text());
                Passage::Closed { rule: &rule.id, sentence }
            }
            None => {
                let sentence = format!("no rule beside it follows {} edges", edge.kind);
                Passage::Closed { rule: self.starter, sentence }
            }
        }
    }

    fn kind(&self, kind: EdgeKind) -> &Kind<'r> {
        let at = EdgeKind::ALL.iter().position(|known| *known == kind).unwrap_or_default();
        &self.kinds[at]
    }
}
