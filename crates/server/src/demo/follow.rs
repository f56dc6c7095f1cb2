//! Follows commits through the server's store until everything they caused has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::build::{Build, Product};
use model::decision::DecisionKind;
use model::event::{Event, EventState, RecordedEvent};
use model::id::{BuildId, PlanId};
use model::plan::Plan;
use model::source::SourceProblem;
use model::step::{Step, StepState};
use pipeline::plan::report::{self, PlanReport, PlanState};
use store::decisions::{self, DecisionFilter};
use store::events::EventFilter;
use store::{Conn, Page, builds, events, plans, steps, test_runs};

use super::outcome::{Composed, shown};
use super::{POLL, Told};
use crate::admin::AdminError;
use crate::clock::Stopwatch;
use crate::context::Context;

/// How often the store is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How long a held plan must stay as it is before it is believed that nothing more comes. Every stage has looked
/// several times by then.
const QUIET: Duration = POLL.saturating_mul(8);

/// The same while outputs wait to be published, which takes asking the resolver.
const QUIET_WITH_OUTPUTS: Duration = Duration::from_secs(15);

/// How long nothing at all may happen before the server is thought to be stuck.
const STUCK: Duration = Duration::from_secs(180);

/// Where the plans that answer a push stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Steps on which nothing more is to be done, or that wait for publishing.
    pub settled: usize,
    /// All steps.
    pub total: usize,
    /// The first tier in which something is to be done, from 1.
    pub tier: u32,
    /// How many tiers there are.
    pub tiers: u32,
    /// What is being built now.
    pub building: Vec<String>,
    /// What is being tested now.
    pub testing: Vec<String>,
}

/// What a push came to.
pub(super) struct Settled {
    /// The plans that answer it, as they stand.
    pub(super) plans: Vec<PlanReport>,
    /// The commits that could not be read.
    pub(super) rejected: BTreeMap<ArtifactKey, SourceProblem>,
    /// How the composes they built came about.
    pub(super) composes: BTreeMap<ArtifactKey, Composed>,
}

/// What is seen in one look.
#[derive(Default)]
struct Seen {
    /// Commits that have no answer yet.
    open: usize,
    plans: Vec<(i64, Plan, Vec<Step>)>,
    rejected: BTreeMap<ArtifactKey, SourceProblem>,
    building: Vec<String>,
    testing: Vec<String>,
}

/// Waits until everything that these commits cause has come to rest.
pub(super) async fn settle(
    context: &Context,
    commits: &[(ArtifactKey, CommitId)],
    tell: &mut (dyn FnMut(Told<'_>) + Send),
) -> Result<Settled, AdminError> {
    let mut shown = Status::default();
    let mut print = Vec::new();
    let mut unchanged = Stopwatch::start();
    loop {
        let seen = look(context, commits).await?;
        let status = seen.status();
        if status != shown {
            tell(Told::Status(&status));
            shown = status;
        }
        let now = seen.fingerprint();
        if now != print {
            print = now;
            unchanged = Stopwatch::start();
        }
        if seen.is_at_rest(unchanged.elapsed()) {
            return seen.settled(context).await;
        }
        if unchanged.elapsed() > STUCK {
            return Err(AdminError::Outside(seen.stuck()));
        }
        tokio::time::sleep(LOOK).await;
    }
}

async fn look(context: &Context, commits: &[(ArtifactKey, CommitId)]) -> Result<Seen, AdminError> {
    let mut reader = context.store.snapshot().await?;
    let building = builds::running(&mut reader).await?;
    let testing = test_runs::running(&mut reader).await?;
    let mut seen = Seen {
        building: building.iter().map(|build| shown(&build.artifact)).collect(),
        testing: testing.iter().map(|run| shown(&run.artifact)).collect(),
        ..Seen::default()
    };
    let mut ids: BTreeSet<PlanId> = BTreeSet::new();
    for (artifact, commit) in commits {
        let Some(event) = event(&mut reader, artifact, commit).await? else {
            seen.open += 1;
            continue;
        };
        match event.state {
            EventState::New => seen.open += 1,
            EventState::Done => {}
            EventState::Rejected => {
                let problem = problem(&mut reader, &event).await?;
                seen.rejected.insert(artifact.clone(), problem);
            }
            // A plan that was merged into another has a later one that answers the same event.
            EventState::Planned => ids
                .extend(plans::answering(&mut reader, event.id).await?.last().map(|plan| plan.id)),
        }
    }
    for id in ids {
        if let Some(found) = plans::get(&mut reader, id).await? {
            let steps = steps::of_plan(&mut reader, id).await?;
            seen.plans.push((found.number, found.plan, steps));
        }
    }
    Ok(seen)
}

/// The event of a commit, once the server has seen it.
async fn event(
    reader: &mut Conn,
    artifact: &ArtifactKey,
    wanted: &CommitId,
) -> Result<Option<RecordedEvent>, AdminError> {
    let filter = EventFilter { artifact: Some(artifact.clone()), ..EventFilter::default() };
    let found = events::list(reader, &filter, Page::first(20)).await?;
    let is = |event: &RecordedEvent| matches!(&event.event, Event::Committed { commit, .. } if commit == wanted);
    Ok(found.into_iter().find(is))
}

/// Why a commit was rejected.
async fn problem(reader: &mut Conn, event: &RecordedEvent) -> Result<SourceProblem, AdminError> {
    let filter = DecisionFilter { event: Some(event.id), ..DecisionFilter::default() };
    let found = decisions::list(reader, &filter, Page::first(20)).await?;
    let mut rejections =
        found.into_iter().filter(|known| known.decision.kind == DecisionKind::Rejected);
    let Some(rejection) = rejections.next() else {
        return Err(AdminError::Outside(format!(
            "event {} is rejected without reason",
            event.number
        )));
    };
    let sentence = rejection.decision.sentence;
    // A rejection for another reason than the source has no place in it.
    let problem = serde_json::from_value(rejection.decision.detail);
    Ok(problem.unwrap_or(SourceProblem { file: String::new(), line: None, message: sentence }))
}

fn is_under_way(state: &StepState) -> bool {
    use StepState as S;
    matches!(state, S::Building { .. } | S::Built { .. } | S::Retest | S::Testing { .. })
}

impl Seen {
    fn steps(&self) -> impl Iterator<Item = (&Plan, &Step)> {
        self.plans.iter().flat_map(|(_, plan, steps)| steps.iter().map(move |step| (plan, step)))
    }

    fn status(&self) -> Status {
        let tier = |plan: &Plan, step: &Step| plan.steps[step.index].tier + 1;
        let open = |(_, step): &(&Plan, &Step)| {
            let undecided = matches!(step.state, StepState::Waiting | StepState::Rebuild);
            undecided || is_under_way(&step.state)
        };
        let tiers = self.steps().map(|(plan, step)| tier(plan, step)).max().unwrap_or(0);
        let first = self.steps().filter(open).map(|(plan, step)| tier(plan, step)).min();
        Status {
            settled: self.steps().filter(|step| !open(step)).count(),
            total: self.steps().count(),
            tier: first.unwrap_or(tiers),
            tiers,
            building: self.building.clone(),
            testing: self.testing.clone(),
        }
    }

    /// What changes with everything that happens to the plans.
    fn fingerprint(&self) -> Vec<(PlanId, i64)> {
        self.steps().map(|(plan, step)| (plan.id, step.version)).collect()
    }

    fn is_at_rest(&self, unchanged: Duration) -> bool {
        let outputs = self.steps().any(|(_, step)| matches!(step.state, StepState::Passed { .. }));
        let quiet = if outputs { QUIET_WITH_OUTPUTS } else { QUIET };
        let rests = |plan: &Plan, steps: &[Step]| match report::state(plan.mode.kind(), steps) {
            PlanState::Done | PlanState::DryRun => true,
            PlanState::Held | PlanState::Proposed => unchanged >= quiet,
            PlanState::Running | PlanState::Superseded | PlanState::Shadow => false,
        };
        self.open == 0 && self.plans.iter().all(|(_, plan, steps)| rests(plan, steps))
    }

    fn stuck(&self) -> String {
        let open = self.steps().filter(|(_, step)| !step.state.is_settled());
        let list: Vec<String> = open
            .map(|(plan, step)| {
                format!("{} is {}", plan.steps[step.index].artifact, step.state.name())
            })
            .collect();
        let commits = match self.open {
            0 => String::new(),
            open => format!(", {open} commits have no answer"),
        };
        format!("nothing has happened for {} s: {}{commits}", STUCK.as_secs(), list.join(", "))
    }

    async fn settled(self, context: &Context) -> Result<Settled, AdminError> {
        let named = self.steps().flat_map(|(_, step)| [step.state.build(), step.newest_output()]);
        let ids: Vec<BuildId> = named.flatten().collect();
        let known = builds::get_many(&mut *context.store.read().await?, &ids).await?;
        let nvrs: BTreeMap<BuildId, String> =
            known.iter().map(|build: &Build| (build.id, build.nvr.to_string())).collect();
        let report = |(number, plan, steps): &(i64, Plan, Vec<Step>)| {
            report::report(plan, Some(*number), steps, |build| nvrs.get(&build).cloned())
        };
        Ok(Settled {
            plans: self.plans.iter().map(report).collect(),
            composes: self.composes(context).await?,
            rejected: self.rejected,
        })
    }

    /// What the composes say of themselves that were built.
    async fn composes(
        &self,
        context: &Context,
    ) -> Result<BTreeMap<ArtifactKey, Composed>, AdminError> {
        let mut composes = BTreeMap::new();
        for (plan, step) in self.steps() {
            let Some(build) = step.state.outputs() else { continue };
            let output = context.output(build).await?;
            if let Some(Product::Compose(output)) = output.map(|output| output.product) {
                let artifact = plan.steps[step.index].artifact.clone();
                composes.insert(artifact, Composed::of(&output));
            }
        }
        Ok(composes)
    }
}
