//! What of a plan is drawn as a node of its own, and what is drawn together.
//!
//! A plan of more steps than anybody can look at is folded: the steps of one tier are one node, a cycle is one node, and
//! only where the change started each step keeps its own.

use std::collections::{BTreeMap, HashMap};

use model::plan::{Plan, StepIndex};

/// Up to how many steps each is a node of its own.
pub(super) const WHOLE: usize = 400;
/// How many steps at which the change started keep their own node in a folded picture.
const ROOTS: usize = 24;

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ui) enum Cell {
    /// One step.
    Step(StepIndex),
    /// The steps of a tier.
    Tier { tier: u32, members: Vec<StepIndex> },
    /// The members of a cycle.
    Cycle { unit: usize, members: Vec<StepIndex> },
}

impl Cell {
    /// The steps it stands for.
    pub(in crate::ui) fn members(&self) -> &[StepIndex] {
        match self {
            Self::Step(step) => std::slice::from_ref(step),
            Self::Tier { members, .. } | Self::Cycle { members, .. } => members,
        }
    }
}

/// A line from what is needed to who needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ui) struct Link {
    /// The needed node.
    pub(in crate::ui) from: usize,
    /// The node that needs it.
    pub(in crate::ui) to: usize,
    /// How many pairs of steps it stands for.
    pub(in crate::ui) count: usize,
}

/// What is drawn.
#[derive(Clone, Debug, Default)]
pub(in crate::ui) struct Folded {
    pub(in crate::ui) cells: Vec<Cell>,
    pub(in crate::ui) links: Vec<Link>,
    /// Whether steps are drawn together.
    pub(in crate::ui) is_folded: bool,
}

/// Decides what is drawn of a plan.
pub(super) fn fold(plan: &Plan) -> Folded {
    fold_beyond(plan, WHOLE)
}

fn fold_beyond(plan: &Plan, whole: usize) -> Folded {
    let is_folded = plan.steps.len() > whole;
    let cells = match is_folded {
        false => (0..plan.steps.len()).map(Cell::Step).collect(),
        true => groups(plan),
    };
    let mut cell_of: HashMap<StepIndex, usize> = HashMap::with_capacity(plan.steps.len());
    for (index, cell) in cells.iter().enumerate() {
        cell_of.extend(cell.members().iter().map(|member| (*member, index)));
    }
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    let mut last = None;
    for edge in &plan.edges {
        // Several packages may join the same two steps; they are neighbours in a plan.
        let pair = (edge.dependency, edge.dependent);
        if last.replace(pair) == Some(pair) {
            continue;
        }
        if let (Some(from), Some(to)) = (cell_of.get(&pair.0), cell_of.get(&pair.1))
            && from != to
        {
            *counts.entry((*from, *to)).or_default() += 1;
        }
    }
    let link = |((from, to), count)| Link { from, to, count };
    let links: Vec<Link> = counts.into_iter().map(link).collect();
    let links = if is_folded { without_shortcuts(&links) } else { links };
    Folded { cells, links, is_folded }
}

fn groups(plan: &Plan) -> Vec<Cell> {
    let roots = plan.steps.iter().filter(|step| step.root.is_some()).count();
    let keeps_own = |step: StepIndex| roots <= ROOTS && plan.steps[step].root.is_some();
    let mut cells = Vec::new();
    let mut tiers: BTreeMap<u32, Vec<StepIndex>> = BTreeMap::new();
    for (unit, members) in plan.units.iter().map(|unit| &unit.members).enumerate() {
        match members.as_slice() {
            [only] if keeps_own(*only) => cells.push(Cell::Step(*only)),
            [only] => tiers.entry(plan.steps[*only].tier).or_default().push(*only),
            _ => cells.push(Cell::Cycle { unit, members: members.clone() }),
        }
    }
    cells.extend(tiers.into_iter().map(|(tier, mut members)| {
        members.sort_unstable();
        match members.as_slice() {
            [only] => Cell::Step(*only),
            _ => Cell::Tier { tier, members },
        }
    }));
    cells
}

/// Between groups nearly everything is joined with everything: a line is left out where a chain of others leads the
/// same way, as the eye follows those.
fn without_shortcuts(links: &[Link]) -> Vec<Link> {
    let mut onward: HashMap<usize, Vec<usize>> = HashMap::new();
    for link in links {
        onward.entry(link.from).or_default().push(link.to);
    }
    let leads = |from: usize, to: usize| {
        let others = onward.get(&from).into_iter().flatten().filter(|next| **next != to);
        let mut open: Vec<usize> = others.copied().collect();
        let mut seen = open.clone();
        while let Some(at) = open.pop() {
            if at == to {
                return true;
            }
            for next in onward.get(&at).into_iter().flatten() {
                if *next != from && !seen.contains(next) {
                    seen.push(*next);
                    open.push(*next);
                }
            }
        }
        false
    };
    links.iter().copied().filter(|link| !leads(link.from, link.to)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::plan;

    /// `a<b` says that `b` needs `a`; the first artifact changed.
    #[track_caller]
    fn check(edges: &str, whole: usize, expected: &str) {
        let plan = plan(edges);
        let folded = fold_beyond(&plan, whole);
        let name = |step: &StepIndex| plan.steps[*step].artifact.name.to_string();
        let cell = |cell: &Cell| {
            let members: Vec<String> = cell.members().iter().map(name).collect();
            match cell {
                Cell::Step(_) => members.join(""),
                Cell::Tier { tier, .. } => format!("tier{tier}({})", members.join(" ")),
                Cell::Cycle { .. } => format!("cycle({})", members.join(" ")),
            }
        };
        let link = |link: &Link| {
            let (from, to) = (&folded.cells[link.from], &folded.cells[link.to]);
            format!("{}>{}*{}", cell(from), cell(to), link.count)
        };
        let links: Vec<String> = folded.links.iter().map(link).collect();
        assert_eq!(links.join(" "), expected);
    }

    #[test]
    fn a_small_plan_is_drawn_whole() {
        check("a<b a<b a<c b<c", 9, "a>b*1 a>c*1 b>c*1");
    }

    #[test]
    fn a_large_one_by_tiers_and_cycles() {
        check("a<b a<c b<d c<d c<e", 2, "a>tier1(b c)*2 tier1(b c)>tier2(d e)*3");
        check("a<b b<c c<b c<d a<d", 2, "a>cycle(b c)*1 cycle(b c)>d*1");
    }
}
