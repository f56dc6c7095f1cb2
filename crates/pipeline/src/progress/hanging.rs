//! Which steps cannot go on before a gate opens: the gate must not wait for them.

use model::edge::EdgeKind;
use model::plan::StepIndex;
use model::step::StepState;

use super::Progress;
use super::links::Links;

/// What hangs on `on`, or on what only a person can move: a failed build, a refused gate.
///
/// What waits for what is followed backwards, through builds that wait for gates, gates that wait for the tests of
/// undecided users, and users that wait for builds. Since a gate waits for nobody who hangs on it, waiting never goes
/// round in a circle.
pub(super) fn hanging<'a>(
    progress: &'a Progress<'a>,
    links: &'a Links,
    on: impl IntoIterator<Item = Place>,
) -> Hanging<'a> {
    let size = progress.plan.steps.len();
    let mut hanging = Hanging {
        progress,
        links,
        steps: vec![false; size],
        gates: vec![false; progress.plan.units.len()],
        asked: vec![false; size],
        open: Vec::new(),
    };
    on.into_iter().for_each(|place| hanging.add(place));
    for step in progress.steps {
        match step.state {
            StepState::Failed { .. } => hanging.add(Place::Step(step.index)),
            StepState::Held { .. } => {
                hanging.add(Place::Gate(progress.plan.steps[step.index].unit));
            }
            _ => {}
        }
    }
    while let Some(next) = hanging.open.pop() {
        match next {
            Place::Step(step) => hanging.after_step(step),
            Place::Gate(unit) => hanging.after_gate(unit),
            Place::Asked(step) => hanging.after_asked(step),
        }
    }
    hanging
}

/// Something that hangs.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// A step.
    Step(StepIndex),
    /// A unit's gate.
    Gate(usize),
    /// A step whose gate would ask an undecided user that hangs.
    Asked(StepIndex),
}

/// Everything that hangs.
pub(super) struct Hanging<'a> {
    progress: &'a Progress<'a>,
    links: &'a Links,
    steps: Vec<bool>,
    gates: Vec<bool>,
    asked: Vec<bool>,
    open: Vec<Place>,
}

impl Hanging<'_> {
    /// Whether a step hangs, or the gate before which it stands.
    pub(super) fn holds(&self, step: StepIndex) -> bool {
        self.steps[step]
            || (is_before_gate(self.state(step)) && self.gates[self.progress.plan.steps[step].unit])
    }

    fn add(&mut self, place: Place) {
        let known = match place {
            Place::Step(step) => &mut self.steps[step],
            Place::Gate(unit) => &mut self.gates[unit],
            Place::Asked(step) => &mut self.asked[step],
        };
        if !std::mem::replace(known, true) {
            self.open.push(place);
        }
    }

    /// What waits for a step that hangs: the rest of its cycle and whatever depends on that, their gate, and the gates
    /// below it.
    fn after_step(&mut self, step: StepIndex) {
        let unit = self.progress.plan.steps[step].unit;
        let links = self.links;
        for member in self.progress.members(unit) {
            for waiter in links.dependents(member).chain([member]) {
                if matches!(self.state(waiter), StepState::Waiting | StepState::Rebuild) {
                    self.add(Place::Step(waiter));
                }
            }
        }
        self.add(Place::Gate(unit));
        if matches!(self.state(step), StepState::Waiting) {
            self.ask_below(step);
        }
    }

    /// What waits for a gate that hangs: the builds of those who depend on what stands before it.
    fn after_gate(&mut self, unit: usize) {
        let links = self.links;
        for member in self.progress.members(unit) {
            if !is_before_gate(self.state(member)) {
                continue;
            }
            for waiter in links.dependents(member) {
                let outside = self.progress.plan.steps[waiter].unit != unit;
                if outside && matches!(self.state(waiter), StepState::Rebuild) {
                    self.add(Place::Step(waiter));
                }
            }
        }
    }

    fn after_asked(&mut self, step: StepIndex) {
        if is_before_gate(self.state(step)) {
            self.add(Place::Gate(self.progress.plan.steps[step].unit));
        }
        self.ask_below(step);
    }

    fn ask_below(&mut self, user: StepIndex) {
        let edges = self.progress.dependencies(user);
        for edge in edges.filter(|edge| edge.edge.kind == EdgeKind::Requires) {
            self.add(Place::Asked(edge.dependency));
        }
    }

    fn state(&self, step: StepIndex) -> &StepState {
        &self.progress.steps[step].state
    }
}

fn is_before_gate(state: &StepState) -> bool {
    matches!(state, StepState::Built { .. } | StepState::Held { .. })
}
