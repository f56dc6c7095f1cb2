//! Results, waivers and policies -> open gates and held builds.

use model::artifact::ArtifactKey;
use model::build::Build;
use model::decision::DecisionKind;
use model::gate::{Objection, ObjectionKind, Policy, Verdict, Waiver};
use model::id::{BuildId, TestRunId};
use model::plan::StepIndex;
use model::source::{Recipe, SourceContent};
use model::step::StepState;
use model::test::{TestResult, TestRun};
use pipeline::gate::decide::{GateInput, Tested, decide, together};
use pipeline::gate::policy::policies_for;
use pipeline::gate::required_cases;
use pipeline::progress;
use store::leases::{self, Lease};
use store::{builds, results, test_runs, waivers};

use super::{Outcome, Stage, StageError};
use crate::context::Context;
use crate::view::{self, View};

/// The point at which our gates are asked, as `decision_context` of a policy names it.
pub(crate) const DECISION_CONTEXT: &str = "millstream";

/// Asks every gate that is not open yet.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let mut outcome = Outcome::Idle;
    for mut view in view::started(context).await? {
        for unit in 0..view.plan.units.len() {
            ask(context, &mut view, unit).await?;
        }
        if view.is_changed() {
            let mut tx = context.store.begin().await?;
            leases::guard(&mut tx, lease, context.clock.now()).await?;
            view.store(&mut tx).await?;
            tx.commit().await?;
            outcome = Outcome::Busy;
        }
    }
    if outcome == Outcome::Busy {
        for stage in [Stage::Fate, Stage::Schedule, Stage::Publish] {
            context.wakes.wake(stage);
        }
    }
    Ok(outcome)
}

/// One gate for all members of a unit.
async fn ask(context: &Context, view: &mut View, unit: usize) -> Result<(), StageError> {
    let asked = |index: &StepIndex| {
        matches!(view.steps[*index].state, StepState::Built { .. } | StepState::Held { .. })
    };
    let members: Vec<StepIndex> =
        view.plan.units[unit].members.iter().copied().filter(asked).collect();
    if members.is_empty() || !progress::is_unit_built(&view.progress(), unit) {
        return Ok(());
    }
    let listeners = progress::listeners(&view.progress(), unit);
    if !listeners.undecided.is_empty() {
        return Ok(());
    }
    let mut heard = Vec::new();
    for &index in &listeners.retests {
        heard.push(Subject::of_retest(context, view, index).await?);
    }
    let mut verdicts = Vec::new();
    for &index in &members {
        verdicts.push(verdict(context, view, index, &heard).await?);
    }
    let verdict = together(verdicts);
    for index in members {
        record(context, view, index, &verdict)?;
    }
    Ok(())
}

/// An artifact whose test results count, with everything the decision reads.
struct Subject {
    artifact: ArtifactKey,
    build: Build,
    run: Option<TestRun>,
    results: Vec<TestResult>,
    content: Option<SourceContent>,
    published: Option<SourceContent>,
}

impl Subject {
    async fn of_retest(
        context: &Context,
        view: &View,
        index: StepIndex,
    ) -> Result<Self, StageError> {
        let run = match &view.steps[index].state {
            StepState::Testing { run } | StepState::Retested { run } => Some(*run),
            _ => None,
        };
        let build = view.plan.steps[index].replaces;
        let build = build
            .ok_or_else(|| StageError::outside("a retest of something that is not published"))?;
        Self::load(context, view, index, (build, run)).await
    }

    async fn load(
        context: &Context,
        view: &View,
        index: StepIndex,
        (build, run): (BuildId, Option<TestRunId>),
    ) -> Result<Self, StageError> {
        let artifact = view.artifact(index).clone();
        let mut reader = context.store.read().await?;
        let build = builds::get(&mut reader, build)
            .await?
            .ok_or_else(|| StageError::outside("a build is missing"))?;
        let run = match run {
            Some(run) => test_runs::get(&mut reader, run).await?,
            None => None,
        };
        let all = results::for_builds(&mut reader, &[build.id]).await?;
        let counts = |result: &TestResult| {
            result.run.is_none() || result.run == run.as_ref().map(|run| run.id)
        };
        let results = all.into_iter().filter(counts).collect();
        let before = match view.plan.steps[index].replaces {
            Some(before) => builds::get(&mut reader, before).await?.map(|build| build.commit),
            None => None,
        };
        drop(reader);
        let content = context.content(&artifact, &build.commit).await?;
        let published = match &before {
            Some(commit) => context.content(&artifact, commit).await?,
            None => None,
        };
        Ok(Self { artifact, build, run, results, content, published })
    }

    fn own(&self) -> Option<&[Policy]> {
        self.content.as_ref()?.gating.as_deref()
    }

    /// The floor of its kind, unless a policy is for other artifacts.
    fn floor(&self, context: &Context) -> Vec<Policy> {
        policies_for(&context.floor, &self.artifact)
    }

    fn tested<'a>(&'a self, context: &Context) -> Tested<'a> {
        let floor = self.floor(context);
        let policies = floor.iter().chain(self.own().unwrap_or_default());
        Tested {
            artifact: &self.artifact,
            build: self.build.id,
            nvr: &self.build.nvr,
            required: required_cases(policies, &self.artifact.branch, Some(DECISION_CONTEXT)),
            results: &self.results,
            run: self.run.as_ref(),
        }
    }
}

/// Whether a person has the last word on its publication.
pub(crate) fn needs_sign_off(content: Option<&SourceContent>) -> bool {
    matches!(content.map(|content| &content.recipe), Some(Recipe::Compose(compose)) if compose.release.sign_off)
}

async fn verdict(
    context: &Context,
    view: &View,
    index: StepIndex,
    heard: &[Subject],
) -> Result<Verdict, StageError> {
    let Some(build) = view.steps[index].state.outputs() else {
        return Ok(Verdict::Waiting { objections: Vec::new() });
    };
    let runs = test_runs::of_build(&mut *context.store.read().await?, build).await?;
    let newest = runs.into_iter().max_by_key(|run| run.created).map(|run| run.id);
    let subject = Subject::load(context, view, index, (build, newest)).await?;
    let listeners: Vec<Tested<'_>> = heard.iter().map(|subject| subject.tested(context)).collect();
    let waivers = waivers_for(context, &subject, heard).await?;
    let verdict = decide(&GateInput {
        subject: &subject.tested(context),
        floor: &subject.floor(context),
        own: subject.own(),
        published: subject.published.as_ref().and_then(|content| content.gating.as_deref()),
        context: Some(DECISION_CONTEXT),
        listeners: &listeners,
        needs_sign_off: needs_sign_off(subject.content.as_ref()),
        waivers: &waivers,
        now: context.clock.now(),
    });
    Ok(with_unsettled(view, index, verdict, &waivers, context))
}

async fn waivers_for(
    context: &Context,
    subject: &Subject,
    heard: &[Subject],
) -> Result<Vec<Waiver>, StageError> {
    let mut artifacts: Vec<ArtifactKey> =
        heard.iter().map(|subject| subject.artifact.clone()).collect();
    artifacts.push(subject.artifact.clone());
    Ok(waivers::for_artifacts(&mut *context.store.read().await?, &artifacts).await?)
}

/// That a cycle did not settle stands until somebody waives it, whatever its tests say.
fn with_unsettled(
    view: &View,
    index: StepIndex,
    verdict: Verdict,
    waivers: &[Waiver],
    context: &Context,
) -> Verdict {
    let StepState::Held { objections, .. } = &view.steps[index].state else { return verdict };
    let stands = |objection: &&Objection| {
        let lifted = waivers.iter().any(|waiver| {
            waiver.case == objection.case
                && waiver.artifact == objection.artifact
                && waiver.is_in_force(context.clock.now())
        });
        matches!(objection.kind, ObjectionKind::Unsettled { .. }) && !lifted
    };
    let unsettled: Vec<Objection> = objections.iter().filter(stands).cloned().collect();
    match (unsettled.is_empty(), verdict) {
        (true, verdict) => verdict,
        (false, Verdict::Refused { mut objections } | Verdict::Waiting { mut objections }) => {
            objections.extend(unsettled);
            Verdict::Refused { objections }
        }
        (false, Verdict::Open { .. }) => Verdict::Refused { objections: unsettled },
    }
}

fn record(
    context: &Context,
    view: &mut View,
    index: StepIndex,
    verdict: &Verdict,
) -> Result<(), StageError> {
    let Some(build) = view.steps[index].state.outputs() else { return Ok(()) };
    let (kind, sentence, state) = match verdict {
        Verdict::Waiting { .. } => return Ok(()),
        Verdict::Open { waived, ungated } => {
            let mut sentence = if *ungated {
                "ungated: only the floor policy was asked"
            } else {
                "its gate is open"
            }
            .to_owned();
            if !waived.is_empty() {
                let list: Vec<String> = waived.iter().map(Objection::to_string).collect();
                sentence = format!("{sentence}; waived: {}", list.join("; "));
            }
            (DecisionKind::Passed, sentence, StepState::Passed { build })
        }
        Verdict::Refused { objections } => {
            let list: Vec<String> = objections.iter().map(Objection::to_string).collect();
            let state = StepState::Held { build, objections: objections.clone() };
            (DecisionKind::Held, list.join("; "), state)
        }
    };
    if view.steps[index].state == state {
        return Ok(());
    }
    view.enter(context, index, state)?;
    view.note(context, kind, Some(index), (sentence, serde_json::json!(verdict)));
    Ok(())
}
