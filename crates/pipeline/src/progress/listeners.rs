//! Whose retest counts for whose gate.
//!
//! A changed build's gate waits for the retests of those who use it at run time. A user that also uses something
//! built anew *on top of* the changed build counts there instead. Nor does a gate wait for a user whose fate hangs
//! on this very gate, or on a person: the user, the rebuild it needs and the gate would wait for each other.

use model::edge::EdgeKind;
use model::plan::StepIndex;
use model::step::StepState;

use super::hanging::{Place, hanging};
use super::links::Links;
use super::{Progress, Word};

/// The run-time users of a unit whose retests its gate reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners {
    /// They are to be retested, or were: their results count.
    pub retests: Vec<StepIndex>,
    /// What they do is not decided yet, and will be without this gate: it waits for them.
    pub undecided: Vec<StepIndex>,
}

/// Whom the gate of `unit` asks, beside the unit's own tests.
///
/// Members of a cycle that were not rebuilt use the others, and are asked like anybody else.
pub fn listeners(progress: &Progress<'_>, unit: usize) -> Listeners {
    let links = Links::of(progress);
    let members = progress.plan.units[unit].members.as_slice();
    let at_run_time = |kind| kind == EdgeKind::Requires;
    let is_changed = |step: &StepIndex| matches!(progress.word(*step), Word::Changed(_));
    let above: Vec<StepIndex> =
        links.closure(members, |_| true).into_iter().filter(is_changed).collect();
    let use_above = links.closure(&above, at_run_time);
    let hanging = hanging(progress, &links, [Place::Gate(unit)]);
    let mut listeners = Listeners::default();
    for user in links.closure(members, at_run_time).into_iter().chain(members.iter().copied()) {
        match progress.steps[user].state {
            StepState::Retest | StepState::Testing { .. } | StepState::Retested { .. }
                if !use_above.contains(&user) =>
            {
                listeners.retests.push(user);
            }
            StepState::Waiting if !hanging.holds(user) => listeners.undecided.push(user),
            _ => {}
        }
    }
    listeners.retests.sort_unstable();
    listeners.undecided.sort_unstable();
    listeners
}
