//! A plan as people and programs read it: one report for the command line, the API and the tests.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use model::artifact::{ArtifactKey, BranchName};
use model::clock::Timestamp;
use model::event::Severity;
use model::gate::Objection;
use model::id::{EventId, PlanId};
use model::plan::{Plan, StepIndex};
use model::reason::{Reason, Stop};
use model::rule::{Approval, Hours, PlanKind, PlanMode, RuleId};
use model::step::{Step, StepState};
use serde::Serialize;

/// A plan with where its steps stand.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlanReport {
    /// The plan's id.
    pub id: PlanId,
    /// Its public number; none for a plan that was only asked for.
    pub number: Option<i64>,
    /// The plan it goes on with.
    pub parent: Option<PlanId>,
    /// Its branch.
    pub branch: BranchName,
    /// The gravest of its causes.
    pub severity: Severity,
    /// Where it stands as a whole.
    pub state: PlanState,
    /// What it is made for.
    pub mode: PlanMode,
    /// Who allowed it, if it touches more than a rule allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// The events it answers.
    pub events: Vec<EventId>,
    /// How long it is expected to take if everything is needed, in seconds.
    pub predicted_seconds: f64,
    /// Its steps, by tier and artifact.
    pub steps: Vec<StepReport>,
    /// The edges at which the change stopped when the plan was made.
    pub stops: Vec<StopReport>,
}

/// Where a plan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum PlanState {
    /// Something of it is still to be done, and can be.
    Running,
    /// What is left of it waits for a person.
    Held,
    /// It touches more than a rule allows, and waits for a person to allow it.
    Proposed,
    /// It only shows what would be done.
    #[serde(rename = "dry-run")]
    DryRun,
    /// Everything is settled.
    Done,
    /// Another plan goes on with it.
    Superseded,
    /// It was made in shadow mode: it never starts.
    Shadow,
}

/// What is done with an artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is built again.
    Rebuild,
    /// It is tested again.
    Retest,
    /// It depends on what its dependencies change.
    Undecided,
    /// It is left alone.
    Leave,
}

/// One step.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StepReport {
    /// Its artifact.
    pub artifact: ArtifactKey,
    /// Its tier.
    pub tier: u32,
    /// What is done with it.
    pub action: Action,
    /// Where it stands.
    #[serde(flatten)]
    pub state: StepState,
    /// Why, as data.
    pub reason: Reason,
    /// Why, as a sentence.
    pub sentence: String,
    /// The rule that let it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// The hours in which its build may start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// When those hours first open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// What its build is called.
    pub nvr: Option<String>,
    /// Which round of its cycle it is in.
    pub round: u32,
    /// The artifacts whose gates it waits for.
    pub waits_for: Vec<ArtifactKey>,
    /// What would make it rebuild, while it is undecided.
    pub conditions: Vec<String>,
}

/// An edge at which the change stopped.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StopReport {
    /// The edge and the reason, as data.
    #[serde(flatten)]
    pub stop: Stop,
    /// Both as a sentence.
    pub sentence: String,
}

/// Reports on a plan; `nvr` names the builds.
pub fn report(
    plan: &Plan,
    number: Option<i64>,
    steps: &[Step],
    nvr: impl Fn(model::id::BuildId) -> Option<String>,
) -> PlanReport {
    let state_of = |index: StepIndex| steps[index].state.name();
    PlanReport {
        id: plan.id,
        number,
        parent: plan.parent,
        branch: plan.branch.clone(),
        severity: plan.severity,
        state: state(plan.mode.kind(), steps),
        mode: plan.mode.clone(),
        approval: plan.approval.clone(),
        events: plan.events.clone(),
        predicted_seconds: plan.predicted.as_secs_f64(),
        steps: steps.iter().map(|step| step_report(plan, step, state_of, &nvr)).collect(),
        stops: plan.stops.iter().map(StopReport::from).collect(),
    }
}

/// Reports on one step; `state_of` names the states of the others, and `nvr` the builds.
pub fn step_report(
    plan: &Plan,
    step: &Step,
    state_of: impl Fn(StepIndex) -> &'static str,
    nvr: impl Fn(model::id::BuildId) -> Option<String>,
) -> StepReport {
    let planned = &plan.steps[step.index];
    StepReport {
        artifact: planned.artifact.clone(),
        tier: planned.tier,
        action: action(plan, step),
        state: step.state.clone(),
        reason: step.reason.clone(),
        sentence: step.reason.to_string(),
        rule: planned.rule.clone(),
        hours: planned.hours,
        not_before: planned.not_before,
        nvr: step.newest_output().or(step.state.build()).and_then(nvr),
        round: step.round,
        waits_for: waits_for(plan, step, state_of),
        conditions: conditions(plan, step),
    }
}

impl From<&Stop> for StopReport {
    fn from(stop: &Stop) -> Self {
        Self { stop: stop.clone(), sentence: stop.to_string() }
    }
}

/// Where a plan stands, from what it is made for and where its steps stand.
pub fn state(kind: PlanKind, steps: &[Step]) -> PlanState {
    state_of_names(kind, steps.iter().map(|step| step.state.name()))
}

/// Where a plan stands, from what it is made for and the names of its steps' states.
pub fn state_of_names<'a>(kind: PlanKind, names: impl IntoIterator<Item = &'a str>) -> PlanState {
    let names: Vec<&str> = names.into_iter().collect();
    let is_settled = |name: &str| {
        matches!(name, "unneeded" | "published" | "retested" | "superseded" | "cancelled")
    };
    let is_to_blame = |name: &str| matches!(name, "failed" | "held");
    // The others wait for what is stuck.
    let stuck = |name: &str| {
        is_settled(name)
            || is_to_blame(name)
            || matches!(name, "waiting" | "rebuild" | "passed" | "built")
    };
    match kind {
        PlanKind::DryRun => return PlanState::DryRun,
        PlanKind::Shadow => return PlanState::Shadow,
        PlanKind::Proposed if !names.iter().copied().all(is_settled) => return PlanState::Proposed,
        PlanKind::Proposed | PlanKind::Real => {}
    }
    if names.contains(&"superseded") {
        PlanState::Superseded
    } else if names.iter().copied().all(is_settled) {
        PlanState::Done
    } else if names.iter().copied().all(stuck) && names.iter().copied().any(is_to_blame) {
        PlanState::Held
    } else {
        PlanState::Running
    }
}

fn action(plan: &Plan, step: &Step) -> Action {
    match &step.state {
        StepState::Waiting => Action::Undecided,
        StepState::Unneeded => Action::Leave,
        StepState::Retest | StepState::Testing { .. } | StepState::Retested { .. } => {
            Action::Retest
        }
        StepState::Superseded { .. } | StepState::Cancelled { .. } => match step.reason {
            Reason::Reached { .. } => Action::Undecided,
            Reason::NothingHeard { .. } => Action::Leave,
            Reason::UsesAtRunTime { .. } => Action::Retest,
            _ if plan.steps[step.index].root == Some(model::plan::RootAction::Retest) => {
                Action::Retest
            }
            _ => Action::Rebuild,
        },
        _ => Action::Rebuild,
    }
}

fn waits_for(
    plan: &Plan,
    step: &Step,
    state_of: impl Fn(StepIndex) -> &'static str,
) -> Vec<ArtifactKey> {
    if !matches!(step.state, StepState::Waiting | StepState::Rebuild) {
        return Vec::new();
    }
    let open = |index: StepIndex| {
        matches!(state_of(index), "waiting" | "rebuild" | "building" | "built" | "failed" | "held")
    };
    let dependencies = plan.dependencies(step.index).iter().map(|edge| edge.dependency);
    let mut waits: Vec<ArtifactKey> = dependencies
        .filter(|&dependency| open(dependency))
        .map(|dependency| plan.steps[dependency].artifact.clone())
        .collect();
    waits.dedup();
    waits
}

/// `headers, static or macros of zlib-devel change`, for each edge that could make an undecided step rebuild.
fn conditions(plan: &Plan, step: &Step) -> Vec<String> {
    if !matches!(step.state, StepState::Waiting) {
        return Vec::new();
    }
    let mut by_package: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
    for edge in plan.dependencies(step.index) {
        let facets = by_package.entry(edge.edge.package.as_str()).or_default();
        facets.extend(edge.listens.iter().map(|listening| listening.facet.as_str()));
    }
    by_package
        .into_iter()
        .map(|(package, mut facets)| {
            facets.sort_unstable();
            facets.dedup();
            match facets.is_empty() {
                true => format!("what {package} provides is lost"),
                false => format!("{} of {package} change", facets.join(", ")),
            }
        })
        .collect()
}

impl fmt::Display for PlanState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Running => "running",
            Self::Held => "held",
            Self::Proposed => "proposed",
            Self::DryRun => "dry-run",
            Self::Done => "done",
            Self::Superseded => "superseded",
            Self::Shadow => "shadow",
        })
    }
}

impl Action {
    const ORDER: [(Self, &'static str); 4] = [
        (Self::Rebuild, "Rebuilt"),
        (Self::Retest, "Retested"),
        (
            Self::Undecided,
            "Undecided: rebuilt, retested or left alone, as their dependencies change",
        ),
        (Self::Leave, "Left alone"),
    ];
}

impl PlanReport {
    /// The report as Markdown, for a merge request or a mail.
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n", self.title());
        for line in self
            .standing()
            .into_iter()
            .chain(self.rules().map(|rules| format!("By rules: {rules}")))
        {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\n{line}");
        }
        for (action, title) in Action::ORDER {
            let steps: Vec<&StepReport> = self.of(action).collect();
            if steps.is_empty() {
                continue;
            }
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "\n### {title} ({})\n\n| tier | artifact | state | rule | why |\n|---|---|---|---|---|",
                steps.len()
            );
            for step in steps {
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {} |",
                    step.tier,
                    step.nvr.clone().unwrap_or_else(|| step.artifact.to_string()),
                    step.state.name(),
                    step.rule.as_ref().map_or("-", RuleId::as_str),
                    step.explanation().replace('|', "\\|"),
                );
            }
        }
        if !self.stops.is_empty() {
            let _ = writeln!(text, "\n### Where the change stopped\n");
            self.stops.iter().for_each(|stop| {
                let _ = writeln!(text, "- {}", stop.sentence);
            });
        }
        text
    }

    /// What holds the plan as a whole, and who allowed it.
    pub fn standing(&self) -> Option<String> {
        let (state, size) = (self.state, self.steps.len());
        match (&self.mode, &self.approval) {
            (PlanMode::Proposed { .. }, Some(Approval { author, reason, .. }))
                if state == PlanState::Proposed =>
            {
                Some(format!(
                    "{author} allows it: {reason}. It is made again at the server's next look."
                ))
            }
            (PlanMode::Proposed { rule, limit }, _) if state == PlanState::Proposed => {
                let number = self.number.map_or("N".to_owned(), |number| number.to_string());
                Some(format!(
                    "It has {size} steps, and rule {rule} allows {limit}: it waits for a person (`millstream plan approve {number}`, or `plan cancel {number}`)."
                ))
            }
            (PlanMode::DryRun { rules }, _) => {
                let names: Vec<&str> = rules.iter().map(RuleId::as_str).collect();
                Some(format!("It shows what would be done if {} were real.", names.join(", ")))
            }
            (PlanMode::Shadow, _) => {
                Some("It was made in shadow mode: it never starts.".to_owned())
            }
            (_, Some(Approval { author, reason, .. })) => {
                Some(format!("{author} allowed it to touch more than its rule does: {reason}"))
            }
            _ => None,
        }
    }

    /// The rules that let its steps in, each with how many.
    fn rules(&self) -> Option<String> {
        let mut counts: BTreeMap<&RuleId, usize> = BTreeMap::new();
        for rule in self.steps.iter().filter_map(|step| step.rule.as_ref()) {
            *counts.entry(rule).or_default() += 1;
        }
        let counts: Vec<String> =
            counts.iter().map(|(rule, count)| format!("{rule} ({count})")).collect();
        (!counts.is_empty()).then(|| counts.join(", "))
    }

    fn of(&self, action: Action) -> impl Iterator<Item = &StepReport> {
        self.steps.iter().filter(move |step| step.action == action)
    }

    fn title(&self) -> String {
        let name = self.number.map_or_else(|| "Plan".to_owned(), |number| format!("Plan {number}"));
        let grave = if self.severity == Severity::None {
            String::new()
        } else {
            format!(", {}", self.severity)
        };
        format!("{name} on {} ({}{grave})", self.branch, self.state)
    }
}

impl StepReport {
    /// The reason, with what holds or could change the step.
    pub fn explanation(&self) -> String {
        let mut text = self.sentence.clone();
        match &self.state {
            StepState::Waiting => {
                let _ = write!(text, "; rebuilt if {}", self.conditions.join(", or "));
            }
            StepState::Failed { failure, .. } => {
                let _ = write!(text, "; {failure}");
            }
            StepState::Held { objections, .. } => {
                let list: Vec<String> = objections.iter().map(Objection::to_string).collect();
                let _ = write!(text, "; held: {}", list.join("; "));
            }
            StepState::Rebuild if !self.waits_for.is_empty() => {
                let list: Vec<String> = self.waits_for.iter().map(ArtifactKey::to_string).collect();
                let _ = write!(text, "; waits for {}", list.join(", "));
            }
            _ => {}
        }
        if let Some(hours) = self.hours
            && matches!(self.state, StepState::Waiting | StepState::Rebuild)
        {
            let _ = write!(text, "; built in the hours {hours}");
        }
        text
    }
}

impl fmt::Display for PlanReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title())?;
        if let Some(line) = self.standing() {
            writeln!(f, "{line}")?;
        }
        for (action, title) in Action::ORDER {
            let steps: Vec<&StepReport> = self.of(action).collect();
            if steps.is_empty() {
                continue;
            }
            writeln!(f, "\n{title} ({}):", steps.len())?;
            let width = steps.iter().map(|step| step.artifact.to_string().len()).max().unwrap_or(0);
            let rule =
                |step: &StepReport| step.rule.as_ref().map_or("-", RuleId::as_str).to_owned();
            let rules = steps.iter().map(|step| rule(step).len()).max().unwrap_or(0);
            for step in steps {
                let (artifact, rule) = (step.artifact.to_string(), rule(step));
                writeln!(
                    f,
                    "  {:>2}  {artifact:width$}  {:10}  {rule:rules$}  {}",
                    step.tier,
                    step.state.name(),
                    step.explanation()
                )?;
            }
        }
        if !self.stops.is_empty() {
            writeln!(f, "\nWhere the change stopped:")?;
            self.stops.iter().try_for_each(|stop| writeln!(f, "  {}", stop.sentence))?;
        }
        Ok(())
    }
}
