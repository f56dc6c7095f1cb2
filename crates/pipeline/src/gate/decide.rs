//! The verdict of a gate, from policies, results and waivers.
//!
//! A gate is asked for builds that have not passed yet. What has passed stays passed: a waiver that ends later is not
//! asked again, so its end is not retroactive.

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::gate::{Objection, ObjectionKind, Policy, Verdict, Waiver, WaiverKind};
use model::id::BuildId;
use model::test::{Outcome, TestResult, TestRun, TestRunState};
use model::version::Nvr;

use super::requirements::{is_in_force, required_cases};

/// Everything a gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// The build at the gate. What the policies require comes to what it is said to require.
    pub subject: &'a Tested<'a>,
    /// The policies every artifact inherits.
    pub floor: &'a [Policy],
    /// The artifact's own policies at the commit that was built; none without a `gating.yaml`.
    pub own: Option<&'a [Policy]>,
    /// Those at the commit that is published.
    pub published: Option<&'a [Policy]>,
    /// The decision context that is asked; every one if none is given.
    pub context: Option<&'a str>,
    /// Those who use the build at run time and were not rebuilt with it.
    pub listeners: &'a [Tested<'a>],
    /// Whether it waits for a person's sign-off once its tests have passed.
    pub needs_sign_off: bool,
    /// Waivers and sign-offs; those that do not fit are passed over.
    pub waivers: &'a [Waiver],
    /// The present.
    pub now: Timestamp,
}

/// What a sign-off names that lets a build be published.
pub const SIGN_OFF: &str = "millstream.sign-off";

/// A build whose tests count for a gate.
#[derive(Clone, Debug)]
pub struct Tested<'a> {
    /// The artifact.
    pub artifact: &'a ArtifactKey,
    /// The build that is tested.
    pub build: BuildId,
    /// Its NVR.
    pub nvr: &'a Nvr,
    /// The test cases that must pass, see [`required_cases`].
    pub required: Vec<String>,
    /// Results; those of other builds do not count. For a listener these are the ones of `run`, together with the
    /// build at the gate, and none of its runs with other sets of packages.
    pub results: &'a [TestResult],
    /// The run that tests it; none while nobody asked for one.
    pub run: Option<&'a TestRun>,
}

/// Decides whether dependents may use a build.
///
/// The gate is refused as soon as something stands against it that time alone cannot resolve. A required test without
/// a result is waited for while any run is to come or under way, and stands against the build when all runs are over.
pub fn decide(input: &GateInput<'_>) -> Verdict {
    let requires = Requires::of(input);
    let mut subject = input.subject.clone();
    for case in requires.now {
        if !subject.required.contains(&case) {
            subject.required.push(case);
        }
    }
    let removed = requires.removed.into_iter().filter(|case| !subject.required.contains(case));
    let mut found = objections(&subject);
    found.extend(removed.map(|case| objection(&subject, case, ObjectionKind::Removed)));
    found.extend(input.listeners.iter().flat_map(objections));
    if input.needs_sign_off {
        found.push(objection(&subject, SIGN_OFF.to_owned(), ObjectionKind::Unsigned));
    }

    let (waived, standing) = found.into_iter().partition(|objection| is_waived(objection, input));
    verdict(input, waived, standing)
}

fn verdict(input: &GateInput<'_>, waived: Vec<Objection>, objections: Vec<Objection>) -> Verdict {
    let all_over = std::iter::once(input.subject).chain(input.listeners).all(is_over);
    let is_final = |objection: &Objection| match objection.kind {
        // A person is asked when there is something to look at.
        ObjectionKind::Missing | ObjectionKind::Unsigned => all_over,
        ref kind => !kind.is_pending(),
    };
    if objections.is_empty() {
        Verdict::Open { waived, ungated: is_ungated(input) }
    } else if objections.iter().any(is_final) {
        Verdict::Refused { objections }
    } else {
        Verdict::Waiting { objections }
    }
}

/// One verdict for the members of a cycle: the gravest, with everything that was said.
pub fn together(verdicts: impl IntoIterator<Item = Verdict>) -> Verdict {
    let (mut all, mut all_waived, mut any_ungated, mut any_refused) =
        (vec![], vec![], false, false);
    for verdict in verdicts {
        match verdict {
            Verdict::Open { waived, ungated } => {
                all_waived.extend(waived);
                any_ungated |= ungated;
            }
            Verdict::Waiting { objections } => all.extend(objections),
            Verdict::Refused { objections } => {
                all.extend(objections);
                any_refused = true;
            }
        }
    }
    match (any_refused, all.is_empty()) {
        (true, _) => Verdict::Refused { objections: all },
        (false, false) => Verdict::Waiting { objections: all },
        (false, true) => Verdict::Open { waived: all_waived, ungated: any_ungated },
    }
}

/// What the policies require, and what those of the published commit required besides.
struct Requires {
    now: Vec<String>,
    removed: Vec<String>,
}

impl Requires {
    fn of(input: &GateInput<'_>) -> Self {
        let cases = |policies: &[Policy]| {
            required_cases(policies, &input.subject.artifact.branch, input.context)
        };
        let mut now = cases(input.floor);
        now.extend(cases(input.own.unwrap_or_default()));
        Self { now, removed: cases(input.published.unwrap_or_default()) }
    }
}

/// A policy that is for other branches only is as good as none.
fn is_ungated(input: &GateInput<'_>) -> bool {
    let branch = &input.subject.artifact.branch;
    let mut own = input.own.unwrap_or_default().iter();
    !own.any(|policy| is_in_force(policy, branch, input.context))
}

fn is_over(tested: &Tested<'_>) -> bool {
    tested.run.is_some_and(|run| {
        matches!(run.state, TestRunState::Finished { .. } | TestRunState::Errored { .. })
    })
}

fn objections(tested: &Tested<'_>) -> Vec<Objection> {
    let of_case = |case: &String| {
        let kind = match latest(tested, case) {
            Some(result) => objection_to(result)?,
            None => without_result(tested.run),
        };
        Some(objection(tested, case.clone(), kind))
    };
    tested.required.iter().filter_map(of_case).collect()
}

fn objection(tested: &Tested<'_>, case: String, kind: ObjectionKind) -> Objection {
    Objection { artifact: tested.artifact.clone(), case, kind }
}

fn latest<'a>(tested: &Tested<'a>, case: &str) -> Option<&'a TestResult> {
    let counts = |result: &&TestResult| {
        result.case == case && result.build == tested.build && !is_outdated(result, tested.run)
    };
    tested.results.iter().filter(counts).max_by_key(|result| (result.at, result.id))
}

/// Whether a result is from an earlier attempt of a run that is queued or under way again.
fn is_outdated(result: &TestResult, run: Option<&TestRun>) -> bool {
    let Some(run) = run.filter(|run| result.run == Some(run.id)) else { return false };
    match run.state {
        TestRunState::Queued => true,
        TestRunState::Running { since, .. } => result.at < since,
        TestRunState::Finished { .. } | TestRunState::Errored { .. } => false,
    }
}

fn objection_to(result: &TestResult) -> Option<ObjectionKind> {
    let note = result.note.clone();
    match result.outcome {
        Outcome::Passed | Outcome::Info => None,
        Outcome::Queued => Some(ObjectionKind::Queued),
        Outcome::Running => Some(ObjectionKind::Running),
        Outcome::Error => Some(ObjectionKind::Errored { note }),
        Outcome::Failed | Outcome::NeedsInspection => Some(ObjectionKind::Failed { note }),
    }
}

fn without_result(run: Option<&TestRun>) -> ObjectionKind {
    match run.map(|run| &run.state) {
        None | Some(TestRunState::Finished { .. }) => ObjectionKind::Missing,
        Some(TestRunState::Queued) => ObjectionKind::Queued,
        Some(TestRunState::Running { .. }) => ObjectionKind::Running,
        Some(TestRunState::Errored { failure, .. }) => {
            ObjectionKind::Errored { note: failure.to_string() }
        }
    }
}

fn is_waived(objection: &Objection, input: &GateInput<'_>) -> bool {
    let wanted = match objection.kind {
        ObjectionKind::Missing | ObjectionKind::Errored { .. } | ObjectionKind::Failed { .. } => {
            WaiverKind::Waiver
        }
        ObjectionKind::Removed | ObjectionKind::Unsigned => WaiverKind::SignOff,
        // What is queued or runs is waited for, and nobody waives a cycle that does not settle.
        ObjectionKind::Queued | ObjectionKind::Running | ObjectionKind::Unsettled { .. } => {
            return false;
        }
    };
    input.waivers.iter().any(|waiver| {
        waiver.kind == wanted
            && waiver.artifact == objection.artifact
            && waiver.case == objection.case
            && is_for_build(waiver, objection, input)
            && waiver.is_in_force(input.now)
    })
}

/// A waiver may name the build at the gate, or the listener's build whose test it waives.
fn is_for_build(waiver: &Waiver, objection: &Objection, input: &GateInput<'_>) -> bool {
    let Some(wanted) = &waiver.nvr else {
        // Who signs off has looked at this very build.
        return objection.kind != ObjectionKind::Unsigned;
    };
    let listeners = input.listeners.iter().filter(|own| *own.artifact == objection.artifact);
    let mut builds = std::iter::once(input.subject).chain(listeners);
    builds.any(|tested| tested.nvr.to_string() == *wanted)
}

#[cfg(test)]
mod tests;
