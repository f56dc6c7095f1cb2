//! A step -> the steps of its plan that may be built before it.

use model::plan::{Plan, StepIndex};

/// The other steps of a plan that do not wait for this one. Those of its own cycle are among them: which of them is built
/// first is theirs to say.
pub fn may_come_before(plan: &Plan, step: StepIndex) -> Vec<StepIndex> {
    let needs: Vec<(StepIndex, StepIndex)> =
        plan.edges.iter().map(|edge| (edge.dependent, edge.dependency)).collect();
    let own = plan.steps[step].unit;
    let mut waits = waiting(plan.steps.len(), &needs, step);
    plan.units[own].members.iter().for_each(|member| waits[*member] = false);
    (0..plan.steps.len()).filter(|other| *other != step && !waits[*other]).collect()
}

/// By step: whether it needs `start`, directly or through others. `needs` are pairs of dependent and dependency.
fn waiting(count: usize, needs: &[(StepIndex, StepIndex)], start: StepIndex) -> Vec<bool> {
    let mut dependents = vec![Vec::new(); count];
    needs.iter().for_each(|(dependent, dependency)| dependents[*dependency].push(*dependent));
    let mut waits = vec![false; count];
    let mut open = vec![start];
    while let Some(at) = open.pop() {
        for &dependent in &dependents[at] {
            if !std::mem::replace(&mut waits[dependent], true) {
                open.push(dependent);
            }
        }
    }
    waits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(count: usize, needs: &[(usize, usize)], start: usize, expected: &[usize]) {
        let waits = waiting(count, needs, start);
        let found: Vec<usize> = (0..count).filter(|step| waits[*step]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn who_needs_a_step_waits_for_it_whatever_lies_between() {
        check(4, &[(1, 0), (2, 1), (3, 2)], 1, &[2, 3]);
        check(4, &[(1, 0), (2, 1), (3, 0)], 0, &[1, 2, 3]);
        check(3, &[(1, 0), (0, 1), (2, 1)], 0, &[0, 1, 2]);
        check(2, &[], 0, &[]);
    }
}
