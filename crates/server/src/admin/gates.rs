//! What a gate says, the results it reads, and what is wrong with a policy.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use model::artifact::ArtifactKey;
use model::build::Build;
use model::decision::DecisionKind;
use model::gate::{Objection, ObjectionKind, Verdict};
use model::id::{BuildId, PlanId, TestRunId};
use model::source::SourceContent;
use model::step::{Step, StepState};
use model::test::{Outcome, TestRun};
use pipeline::gate::decide::{GateInput, Tested, decide};
use pipeline::gate::policy::{ScopedPolicy, policies_for};
use pipeline::gate::{policy, required_cases};
use serde::Serialize;
use store::decisions::{self, DecisionFilter};
use store::results::NumberedResult;
use store::{Conn, Page, builds, plans, publications, results, sources, steps, test_runs, waivers};
use utoipa::ToSchema;

use super::builds::named;
use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};
use crate::floor;
use crate::reconcile::gate::{DECISION_CONTEXT, needs_sign_off};

/// What the gate of a build says now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GateDecision {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// The build at the gate.
    pub nvr: String,
    /// The public number of the plan in which it stands there.
    pub plan: Option<i64>,
    /// What the gate says.
    #[serde(flatten)]
    pub verdict: Verdict,
}

impl GateDecision {
    /// Whether dependents may use the build.
    pub fn is_open(&self) -> bool {
        matches!(self.verdict, Verdict::Open { .. })
    }
}

impl fmt::Display for GateDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, objections) = match &self.verdict {
            Verdict::Open { waived, ungated: false } => ("open", waived),
            Verdict::Open { waived, ungated: true } => {
                ("open (ungated: only the floor policy is asked)", waived)
            }
            Verdict::Waiting { objections } => ("waiting", objections),
            Verdict::Refused { objections } => ("refused", objections),
        };
        let plan = self.plan.map(|plan| format!(" in plan {plan}")).unwrap_or_default();
        writeln!(f, "{} of {}{plan}: {word}", self.nvr, self.artifact)?;
        let mark = if self.is_open() { "waived: " } else { "" };
        objections.iter().try_for_each(|objection| writeln!(f, "  {mark}{objection}"))
    }
}

/// The results of a build's tests, the newest of each case first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GateResults {
    /// The build.
    pub nvr: String,
    /// The results, in the order of reporting.
    pub results: Vec<ResultView>,
}

/// One result.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ResultView {
    /// Its public number, in the order of reporting.
    pub number: i64,
    /// The artifact whose test it is.
    pub artifact: ArtifactKey,
    /// The NVR of the build that was tested.
    pub nvr: String,
    /// When it was reported.
    pub time: Moment,
    /// The test case.
    pub case: String,
    /// How it went.
    pub outcome: Outcome,
    /// The run it came from; none if another system reported it.
    pub run: Option<TestRunId>,
    /// The first telling line.
    pub note: String,
}

impl fmt::Display for GateResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.results.is_empty() {
            return writeln!(f, "no results for {}", self.nvr);
        }
        let row = |result: &ResultView| {
            [
                result.time.to_string(),
                result.case.clone(),
                result.outcome.to_string(),
                result.note.clone(),
            ]
        };
        Table::of(["TIME", "CASE", "OUTCOME", "NOTE"], self.results.iter().map(row)).fmt(f)
    }
}

/// What is wrong with a file of policies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyLint {
    /// `FILE:LINE: what`.
    pub problems: Vec<String>,
}

impl PolicyLint {
    /// Whether nothing is.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

impl fmt::Display for PolicyLint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return writeln!(f, "no problems");
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

/// Holds a `gating.yaml` against what Millstream understands. Needs no store.
///
/// # Errors
/// [`AdminError::Input`] when the file cannot be read.
pub fn lint(file: &Path) -> Result<PolicyLint, AdminError> {
    let unreadable =
        |error| AdminError::Input(format!("could not read {}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(unreadable)?;
    let place = |problem: policy::PolicyProblem| {
        let file = file.display();
        match problem.line {
            Some(line) => {
                let policy =
                    problem.policy.map(|id| format!("policy '{id}': ")).unwrap_or_default();
                format!("{file}:{line}: {policy}{}", problem.message)
            }
            None => format!("{file}: {problem}"),
        }
    };
    Ok(PolicyLint { problems: policy::lint(&text).into_iter().map(place).collect() })
}

impl Admin {
    /// What the gate says of a build, named by its NVR, or of the newest one of an artifact.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn decide_gate(&self, subject: &str) -> Result<GateDecision, AdminError> {
        let floor = floor::read(&self.config)?;
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let build = self.subject(conn, subject).await?;
        let placed = steps::of_artifact(conn, &build.artifact, 50).await?;
        let step = placed.into_iter().find(|placed| placed.step.state.build() == Some(build.id));
        let recorded = match &step {
            Some(placed) => recorded_verdict(conn, &placed.step, &build).await?,
            None => None,
        };
        let verdict = match recorded {
            Some(verdict) => verdict,
            None => {
                self.verdict(conn, &build, step.as_ref().map(|placed| &placed.step), &floor).await?
            }
        };
        let plan = step.map(|placed| placed.plan_number);
        Ok(GateDecision { artifact: build.artifact, nvr: build.nvr.to_string(), plan, verdict })
    }

    /// The results of a build's tests.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn gate_results(&self, subject: &str) -> Result<GateResults, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = self.subject(&mut reader, subject).await?;
        let page = Page::first(u32::MAX);
        let mut found = results::list(&mut reader, Some(build.id), None, page).await?;
        found.reverse();
        let results = result_views(&mut reader, found).await?;
        Ok(GateResults { nvr: build.nvr.to_string(), results })
    }

    /// The newest results, of a build named by number or NVR or of all, of one artifact or of all.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn results(
        &self,
        build: Option<&str>,
        artifact: Option<&ArtifactKey>,
        page: impl Into<Page>,
    ) -> Result<Vec<ResultView>, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = match build {
            Some(name) => Some(named(&mut reader, name).await?.id),
            None => None,
        };
        let found = results::list(&mut reader, build, artifact, page.into()).await?;
        result_views(&mut reader, found).await
    }

    /// The build a name stands for: itself, or the newest of an artifact that has outputs.
    async fn subject(&self, conn: &mut Conn, name: &str) -> Result<Build, AdminError> {
        if !name.contains('#') {
            return named(conn, name).await;
        }
        let artifact: ArtifactKey = name.parse().map_err(AdminError::input)?;
        if let Some(build) = builds::latest_succeeded(conn, &artifact).await? {
            return Ok(build);
        }
        match publications::current_build(conn, &artifact).await? {
            Some(id) => named_by_id(conn, id).await,
            None => Err(AdminError::NotFound(format!(
                "{artifact} has no build that succeeded, so nothing stands at its gate"
            ))),
        }
    }

    /// The verdict on the build's own results, and on the retests that are not over.
    async fn verdict(
        &self,
        conn: &mut Conn,
        build: &Build,
        step: Option<&Step>,
        floor: &[ScopedPolicy],
    ) -> Result<Verdict, AdminError> {
        let content = content(conn, build).await?;
        let own = content.as_ref().and_then(|content| content.gating.clone());
        let published = match publications::current_build(conn, &build.artifact).await? {
            Some(id) if id != build.id => {
                let published = named_by_id(conn, id).await?;
                self::content(conn, &published).await?.and_then(|content| content.gating)
            }
            _ => None,
        };
        let run = newest_run(conn, build).await?;
        let results = results::for_builds(conn, &[build.id]).await?;
        let waivers = waivers::for_artifacts(conn, std::slice::from_ref(&build.artifact)).await?;
        let floor = policies_for(floor, &build.artifact);
        let policies = floor.iter().chain(own.as_deref().unwrap_or_default());
        let subject = Tested {
            artifact: &build.artifact,
            build: build.id,
            nvr: &build.nvr,
            required: required_cases(policies, &build.artifact.branch, Some(DECISION_CONTEXT)),
            results: &results,
            run: run.as_ref(),
        };
        let verdict = decide(&GateInput {
            subject: &subject,
            floor: &floor,
            own: own.as_deref(),
            published: published.as_deref(),
            context: Some(DECISION_CONTEXT),
            listeners: &[],
            needs_sign_off: needs_sign_off(content.as_ref()),
            waivers: &waivers,
            now: self.now(),
        });
        let open = match step {
            Some(step) => open_retests(conn, step.plan).await?,
            None => Vec::new(),
        };
        Ok(match verdict {
            Verdict::Open { .. } if !open.is_empty() => Verdict::Waiting { objections: open },
            Verdict::Waiting { mut objections } => {
                objections.extend(open);
                Verdict::Waiting { objections }
            }
            verdict => verdict,
        })
    }
}

/// Results with the names of their builds.
async fn result_views(
    conn: &mut Conn,
    found: Vec<NumberedResult>,
) -> Result<Vec<ResultView>, AdminError> {
    let ids: BTreeSet<BuildId> = found.iter().map(|numbered| numbered.result.build).collect();
    let ids: Vec<BuildId> = ids.into_iter().collect();
    let named = builds::get_many(conn, &ids).await?;
    let nvrs: BTreeMap<BuildId, String> =
        named.into_iter().map(|build| (build.id, build.nvr.to_string())).collect();
    let view = |NumberedResult { number, result }: NumberedResult| ResultView {
        number,
        artifact: result.artifact,
        nvr: nvrs.get(&result.build).cloned().unwrap_or_default(),
        time: Moment(result.at),
        case: result.case,
        outcome: result.outcome,
        run: result.run,
        note: result.note,
    };
    Ok(found.into_iter().map(view).collect())
}

/// What the server has recorded of a gate that has spoken. It asks refused ones again at every look.
async fn recorded_verdict(
    conn: &mut Conn,
    step: &Step,
    build: &Build,
) -> Result<Option<Verdict>, AdminError> {
    match &step.state {
        StepState::Held { objections, .. } => {
            Ok(Some(Verdict::Refused { objections: objections.clone() }))
        }
        StepState::Passed { .. } | StepState::Published { .. } => {
            let filter = DecisionFilter {
                plan: Some(step.plan),
                artifact: Some(build.artifact.clone()),
                kind: Some(DecisionKind::Passed),
                event: None,
            };
            let passed = decisions::list(conn, &filter, Page::first(1)).await?.into_iter().next();
            let open = Verdict::Open { waived: Vec::new(), ungated: false };
            let said = passed.and_then(|line| serde_json::from_value(line.decision.detail).ok());
            Ok(Some(said.unwrap_or(open)))
        }
        _ => Ok(None),
    }
}

/// The retests of a plan that are not over: its gates wait for those of their run-time users.
async fn open_retests(conn: &mut Conn, plan: PlanId) -> Result<Vec<Objection>, AdminError> {
    let Some(found) = plans::get(conn, plan).await? else { return Ok(Vec::new()) };
    let objection = |step: Step| {
        let kind = match step.state {
            StepState::Retest => ObjectionKind::Queued,
            StepState::Testing { .. } => ObjectionKind::Running,
            _ => return None,
        };
        let artifact = found.plan.steps[step.index].artifact.clone();
        Some(Objection { artifact, case: "its retest".to_owned(), kind })
    };
    Ok(steps::of_plan(conn, plan).await?.into_iter().filter_map(objection).collect())
}

/// The newest run of a build's tests.
pub(crate) async fn newest_run(
    conn: &mut Conn,
    build: &Build,
) -> Result<Option<TestRun>, AdminError> {
    let runs = test_runs::of_build(conn, build.id).await?;
    Ok(runs.into_iter().max_by_key(|run| run.created))
}

async fn content(conn: &mut Conn, build: &Build) -> Result<Option<SourceContent>, AdminError> {
    let source = sources::get(conn, &build.artifact, &build.commit).await?;
    Ok(source.and_then(|source| source.content.ok()))
}

async fn named_by_id(conn: &mut Conn, id: model::id::BuildId) -> Result<Build, AdminError> {
    let found = builds::get(conn, id).await?;
    found.ok_or_else(|| {
        AdminError::Outside(format!("build {id} is published and missing from the store"))
    })
}
