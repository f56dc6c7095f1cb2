//! What a push and a whole demo came to, as text for people and as JSON for programs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::artifact::{ArtifactKey, ArtifactKind, CommitId};
use model::reason::{Reason, StopReason};
use model::step::StepState;
use pipeline::plan::report::{PlanReport, StepReport};
use serde::Serialize;

use super::check::Check;
use super::outcome::{Composed, Outcome, shown};
use super::proof::Proof;
use crate::admin::table::Table;

/// More commits than this are not quoted one by one.
const MANY: usize = 3;

/// What a push came to.
#[derive(Clone, Debug, Serialize)]
pub struct PushReport {
    /// Its name.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// What was committed, and where.
    pub commits: BTreeMap<ArtifactKey, CommitId>,
    /// From the push until everything had come to rest.
    pub seconds: f64,
    /// What it caused.
    pub outcome: Outcome,
    /// How that differs from what was expected; empty if it does not.
    pub differences: Vec<String>,
    /// What was said about each generation of the repository that it published, or about the current one.
    pub checks: Vec<Check>,
    /// What came of building everything anyway.
    pub proof: Option<Proof>,
    /// The plans that answer it, as `millstream plan show --json` prints them.
    pub plans: Vec<PlanReport>,
}

impl PushReport {
    /// Whether everything was as it should be.
    pub fn is_as_expected(&self) -> bool {
        self.differences.is_empty()
            && self.checks.iter().all(|check| check.passed)
            && self.proof.as_ref().is_none_or(|proof| proof.differing.is_empty())
    }

    fn steps(&self) -> impl Iterator<Item = &StepReport> {
        self.plans.iter().flat_map(|plan| &plan.steps)
    }

    fn write_built(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let many = self.commits.len() > MANY;
        let built = self.steps().filter(|step| self.outcome.rebuilt.contains_key(&step.artifact));
        let reasons = built.map(|step| {
            let name = step.nvr.clone().unwrap_or_else(|| shown(&step.artifact));
            match step.reason {
                Reason::SourceChanged { .. } if many => (name, "their source changed".to_owned()),
                _ => (name, step.sentence.clone()),
            }
        });
        write_item(f, "rebuilt", together(reasons).into_iter())
    }

    fn write_left_alone(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let left = self.steps().filter(|step| self.outcome.unneeded.contains(&step.artifact));
        let reasons = left.map(|step| (shown(&step.artifact), left_alone(&step.reason)));
        write_item(f, "left alone", together(reasons).into_iter())
    }

    fn write_stopped(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in self.steps() {
            let name = shown(&step.artifact);
            let (heading, why) = match &step.state {
                StepState::Held { objections, .. } => ("held", listed(objections)),
                StepState::Failed { failure, .. } => ("failed", failure.to_string()),
                StepState::Waiting | StepState::Rebuild => ("waiting", step.explanation()),
                _ => continue,
            };
            write_item(f, heading, std::iter::once(format!("{name}: {why}")))?;
        }
        let rejected = self.outcome.rejected.iter();
        write_item(
            f,
            "rejected",
            rejected.map(|(key, problem)| format!("{}: {problem}", shown(key))),
        )
    }

    /// What composes took over from the ones before.
    fn write_reused(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let composes = self.outcome.composes.iter();
        let lines = composes.flat_map(|(compose, composed)| reused(compose, composed));
        write_item(f, "reused", lines)
    }
}

/// A line for each variant of which anything is taken over.
fn reused(compose: &ArtifactKey, composed: &Composed) -> Vec<String> {
    let variants = composed.variants().into_iter().filter(|(_, (_, reused))| !reused.is_empty());
    let line = |(variant, (made, reused)): (&str, (Vec<&str>, Vec<&str>))| match made.len() {
        0 => format!("{variant} of {}: none of its inputs changed", shown(compose)),
        _ => format!(
            "{variant} of {} in part: {}; made {}",
            shown(compose),
            reused.join(", "),
            made.join(", ")
        ),
    };
    variants.map(line).collect()
}

/// Who has the same reason stands together, in the order of first mention.
fn together(reasons: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut lines: Vec<(Vec<String>, String)> = Vec::new();
    for (name, why) in reasons {
        match lines.iter_mut().find(|(_, known)| *known == why) {
            Some((names, _)) => names.push(name),
            None => lines.push((vec![name], why)),
        }
    }
    lines.into_iter().map(|(names, why)| format!("{}: {why}", names.join(", "))).collect()
}

fn listed(items: &[impl ToString]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What stopped a change, without the edges by which it did.
fn left_alone(reason: &Reason) -> String {
    let Reason::NothingHeard { stops } = reason else { return reason.to_string() };
    let said: BTreeSet<String> = stops
        .iter()
        .filter(|stop| stop.because != StopReason::DependencyUnneeded)
        .map(|stop| match &stop.because {
            StopReason::PackageUnchanged => format!("{} did not change", stop.edge.package),
            because => format!("of {} {because}", stop.edge.package),
        })
        .collect();
    match said.len() {
        0 => "nothing it depends on was rebuilt".to_owned(),
        _ => said.into_iter().collect::<Vec<_>>().join("; "),
    }
}

/// Lines under one heading; nothing if there are none.
fn write_item(
    f: &mut fmt::Formatter<'_>,
    heading: &str,
    lines: impl Iterator<Item = String>,
) -> fmt::Result {
    for (number, line) in lines.enumerate() {
        writeln!(f, "  {:11} {line}", if number == 0 { heading } else { "" })?;
    }
    Ok(())
}

impl fmt::Display for PushReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_built(f)?;
        let retested: Vec<String> = self.outcome.retested.iter().map(shown).collect();
        write_item(f, "retested", (!retested.is_empty()).then(|| retested.join(", ")).into_iter())?;
        self.write_left_alone(f)?;
        self.write_reused(f)?;
        self.write_stopped(f)?;
        write_item(f, "repository", self.checks.iter().map(Check::to_string))?;
        write_item(f, "proof", self.proof.iter().map(Proof::to_string))?;
        write_item(f, "DIFFERENT", self.differences.iter().cloned())?;
        writeln!(f, "  {} ({:.1} s)", verdict(self.is_as_expected()), self.seconds)
    }
}

fn verdict(as_expected: bool) -> &'static str {
    if as_expected { "as expected" } else { "NOT AS EXPECTED" }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "" } else { "BROKEN: " };
        write!(f, "generation {}: {verdict}{}", self.generation, self.said.join("; "))
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bumped, renewed, known, differing } = self;
        write!(
            f,
            "{} built anyway with new inputs, {} with another release only, {} were proven before: ",
            renewed.len(),
            bumped.len(),
            known.len()
        )?;
        if differing.is_empty() {
            return f.write_str("no facet differs");
        }
        let list = differing
            .iter()
            .map(|(artifact, what)| format!("{} DIFFERS in {}", shown(artifact), what.join(", ")));
        f.write_str(&list.collect::<Vec<_>>().join("; "))
    }
}

/// What a whole demo came to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct DemoReport {
    /// Whether every push was as it should be.
    pub as_expected: bool,
    /// From the start to the end.
    pub seconds: f64,
    /// The tree from nothing, then the pushes, in their order.
    pub pushes: Vec<PushReport>,
}

impl DemoReport {
    /// A report on these pushes.
    pub(super) fn new(pushes: Vec<PushReport>, seconds: f64) -> Self {
        Self { as_expected: pushes.iter().all(PushReport::is_as_expected), seconds, pushes }
    }

    /// How often each kind of reason decided, the most frequent first.
    fn write_reasons(
        &self,
        f: &mut fmt::Formatter<'_>,
        heading: &str,
        of: impl Fn(&Outcome, &ArtifactKey) -> bool,
    ) -> fmt::Result {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        let steps = self.pushes.iter().flat_map(|push| push.steps().map(move |step| (push, step)));
        for (_, step) in steps.filter(|(push, step)| of(&push.outcome, &step.artifact)) {
            *counts.entry(kind(&step.reason)).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let sum: usize = counts.iter().map(|(_, count)| count).sum();
        let list: Vec<String> =
            counts.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let colon = if list.is_empty() { "" } else { ": " };
        writeln!(f, "{heading:11} {sum}{colon}{}", list.join(", "))
    }

    /// What became of images and composes, of which there are few beside the packages.
    fn write_kinds(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = || self.pushes.iter().map(|push| &push.outcome);
        for (heading, kind) in
            [("images", ArtifactKind::Containers), ("composes", ArtifactKind::Composes)]
        {
            let is = |key: &&ArtifactKey| key.kind == kind;
            let built = outcomes().flat_map(|outcome| outcome.rebuilt.keys()).filter(is).count();
            let left = outcomes().flat_map(|outcome| &outcome.unneeded).filter(is).count();
            write!(f, "{heading:11} {built} built, {left} left alone")?;
            if kind == ArtifactKind::Composes {
                let composed = outcomes().flat_map(|outcome| outcome.composes.values());
                let (reused, made) = composed.fold((0, 0), |(reused, made), composed| {
                    (reused + composed.reused.len(), made + composed.made.len())
                });
                let all = counted(reused + made, "deliverable");
                write!(f, "; {reused} of their {all} reused")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// `3 images` or `1 compose`.
fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

fn kind(reason: &Reason) -> &'static str {
    match reason {
        Reason::SourceChanged { .. } => "because their source changed",
        Reason::Requested { .. } => "because somebody asked",
        Reason::Listens { .. } => "because they listen to a facet that changed",
        Reason::Replaced { .. } => "because what they ship was built anew",
        Reason::Missing { .. } => "because a compose asks for them",
        Reason::RequirementLost { .. } => "because a requirement was lost",
        Reason::Bootstrapped { .. } => "to complete a bootstrap",
        Reason::UsesAtRunTime { .. } => "because they use what changed at run time",
        Reason::NothingHeard { .. } => "because they listen to nothing that changed",
        Reason::Reached { .. } => "undecided",
        Reason::Frozen { .. } | Reason::Retired => "frozen or retired",
    }
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |push: &PushReport| {
            let Outcome { rebuilt, retested, unneeded, waiting, .. } = &push.outcome;
            let Outcome { held, failed, rejected, .. } = &push.outcome;
            let counts = [rebuilt.len(), retested.len(), unneeded.len(), waiting.len()];
            let [rebuilt, retested, unneeded, waiting] = counts.map(|count| count.to_string());
            let stopped = held.len() + failed.len() + rejected.len();
            let seconds = format!("{:.1} s", push.seconds);
            let (name, result) = (push.name.clone(), verdict(push.is_as_expected()).to_owned());
            [name, rebuilt, retested, unneeded, waiting, stopped.to_string(), seconds, result]
        };
        let header =
            ["PUSH", "REBUILT", "RETESTED", "LEFT ALONE", "WAITING", "STOPPED", "TIME", "RESULT"];
        Table::of(header, self.pushes.iter().map(row)).fmt(f)?;
        writeln!(f)?;
        self.write_reasons(f, "rebuilt", |outcome, key| outcome.rebuilt.contains_key(key))?;
        self.write_reasons(f, "retested", |outcome, key| outcome.retested.contains(key))?;
        self.write_reasons(f, "left alone", |outcome, key| outcome.unneeded.contains(key))?;
        self.write_kinds(f)?;
        for push in &self.pushes {
            for (artifact, objected) in &push.outcome.held {
                let cases =
                    objected.iter().map(|test| format!("{} of {}", test.case, test.artifact));
                let cases = cases.collect::<Vec<_>>().join(", ");
                writeln!(f, "held        {artifact} in {}, by {cases}", push.name)?;
            }
            for (artifact, problem) in &push.outcome.rejected {
                writeln!(f, "rejected    {artifact} in {}, {problem}", push.name)?;
            }
        }
        let verdict = if self.as_expected {
            "Everything was as expected"
        } else {
            "NOT everything was as expected"
        };
        writeln!(f, "\n{verdict} ({:.0} s).", self.seconds)
    }
}
