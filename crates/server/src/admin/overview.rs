//! What moves now, what waits for whom, and when it will end.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::build::{Build, BuildState, Failure};
use model::clock::Timestamp;
use model::gate::Objection;
use model::plan::NumberedPlan;
use model::step::{Step, StepState};
use model::test::{TestRun, TestRunState};
use pipeline::plan::outlook::{Outlook, Stand, Standing, blockers, outlook};
use serde::Serialize;
use store::events::EventFilter;
use store::publications::GenerationHead;
use store::steps::{PlacedStep, StepStand};
use store::{Conn, Page, builds, events, health, plans, publications, steps, test_runs};

use super::events::EventView;
use super::plans::{PlanView, listed};
use super::time::Moment;
use super::{Admin, AdminError};

/// How many plans an overview shows; those beyond are counted.
const PLANS: u32 = 12;
/// How many open plans share the builders in an outlook.
const SHARING: u32 = 30;
/// How many plans are shown that are done.
const DONE: usize = 6;
/// How many of the steps at the front are named.
const FRONT: usize = 5;

/// What goes on.
#[derive(Clone, Debug, Serialize)]
pub struct Overview {
    /// When it was looked at.
    pub time: Moment,
    /// When the last message came.
    pub last_message: Option<Moment>,
    /// When a step, a build or a test run changed last.
    pub last_progress: Option<Moment>,
    /// The builds and test runs under way, the oldest first.
    pub running: Vec<RunningWork>,
    /// How many builds wait for a place.
    pub queued_builds: u64,
    /// How many test runs wait for a place.
    pub queued_tests: u64,
    /// How many builds may run at once.
    pub capacity: usize,
    /// The newest plans that are not done.
    pub plans: Vec<MovingPlan>,
    /// How many plans are not done.
    pub open_plans: u64,
    /// The newest plans that are.
    pub done: Vec<PlanView>,
    /// What a person has to do something about, one entry for each cause.
    pub troubles: Vec<Trouble>,
    /// The generations that were published last.
    pub published: Vec<PublishedView>,
    /// The newest events.
    pub events: Vec<EventView>,
}

/// A build or a test run under way.
#[derive(Clone, Debug, Serialize)]
pub struct RunningWork {
    /// Whether it is a test run.
    pub is_test: bool,
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// The build that is made or tested: its NVR.
    pub nvr: String,
    /// Its public number.
    pub build: i64,
    /// Since when.
    pub since: Moment,
    /// How long it is expected to take, in seconds.
    pub expected_seconds: Option<f64>,
}

/// A plan that is not done.
#[derive(Clone, Debug, Serialize)]
pub struct MovingPlan {
    /// The plan.
    #[serde(flatten)]
    pub plan: PlanView,
    /// What is left of it.
    pub outlook: OutlookView,
    /// Whom its steps wait for, those with the most behind them first.
    pub front: Vec<Front>,
}

/// What is left of a plan.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct OutlookView {
    /// How long building takes if nothing that is undecided is rebuilt, in seconds.
    pub at_least_seconds: f64,
    /// How long if everything is.
    pub at_most_seconds: f64,
    /// How many steps wait for a person, themselves or behind others.
    pub behind_a_person: usize,
}

impl From<Outlook> for OutlookView {
    fn from(outlook: Outlook) -> Self {
        Self {
            at_least_seconds: outlook.at_least.as_secs_f64(),
            at_most_seconds: outlook.at_most.as_secs_f64(),
            behind_a_person: outlook.behind_a_person,
        }
    }
}

/// A step that others wait for.
#[derive(Clone, Debug, Serialize)]
pub struct Front {
    /// Its artifact.
    pub artifact: ArtifactKey,
    /// Where it stands.
    pub state: &'static str,
    /// How many wait for it, directly or behind others.
    pub waiting: usize,
}

/// What a person has to do something about.
#[derive(Clone, Debug, Serialize)]
pub struct Trouble {
    /// `failed` or `held`.
    pub state: &'static str,
    /// The cause as a sentence.
    pub sentence: String,
    /// The steps that share it.
    pub steps: Vec<TroubledStep>,
    /// What stands against a gate, if it is one objection.
    pub objection: Option<Objection>,
    /// Since when.
    pub since: Moment,
}

/// A step that waits for a person.
#[derive(Clone, Debug, Serialize)]
pub struct TroubledStep {
    /// The public number of its plan.
    pub plan: i64,
    /// Its artifact.
    pub artifact: ArtifactKey,
    /// Its build, if there was one: the NVR and the public number.
    pub build: Option<(String, i64)>,
}

/// A generation that was published.
#[derive(Clone, Debug, Serialize)]
pub struct PublishedView {
    /// Of which branch's repository.
    pub branch: String,
    /// Its number.
    pub generation: i64,
    /// The public number of the plan that brought it.
    pub plan: Option<i64>,
    /// When.
    pub time: Moment,
}

impl From<GenerationHead> for PublishedView {
    fn from(head: GenerationHead) -> Self {
        Self {
            branch: head.branch.to_string(),
            generation: head.number,
            plan: head.plan,
            time: Moment(head.switched),
        }
    }
}

impl Admin {
    /// What goes on.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn overview(&self) -> Result<Overview, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        let now = self.now();
        let health = health::read(conn).await?;
        let queued = |counts: &BTreeMap<String, u64>| counts.get("queued").copied().unwrap_or(0);
        let generations = publications::latest(conn, 5).await?;
        let newest = events::list(conn, &EventFilter::default(), Page::first(6)).await?;
        Ok(Overview {
            time: Moment(now),
            last_message: health.last_message.map(Moment),
            last_progress: health.last_progress.map(Moment),
            running: running(conn).await?,
            queued_builds: queued(&health.builds),
            queued_tests: queued(&health.test_runs),
            capacity: self.config.build.capacity,
            plans: self.moving(conn).await?,
            open_plans: health.open_plans,
            done: done(conn).await?,
            troubles: troubles(conn).await?,
            published: generations.into_iter().map(PublishedView::from).collect(),
            events: newest.into_iter().map(EventView::from).collect(),
        })
    }

    /// The newest plans that are not done, with what is left of them.
    async fn moving(&self, conn: &mut Conn) -> Result<Vec<MovingPlan>, AdminError> {
        let open = self.all_open(conn).await?;
        let outlooks = open.outlooks(self.config.build.capacity);
        let heads = plans::list(conn, None, true, Page::first(PLANS)).await?;
        let moving = |plan: PlanView| MovingPlan {
            outlook: outlooks.get(&plan.number).copied().unwrap_or_default(),
            front: open.front(plan.number),
            plan,
        };
        Ok(listed(conn, heads).await?.into_iter().map(moving).collect())
    }

    /// The newest open plans with where their steps stand.
    pub(crate) async fn all_open(&self, conn: &mut Conn) -> Result<OpenPlans, AdminError> {
        let heads = plans::list(conn, None, true, Page::first(SHARING)).await?;
        let numbers: Vec<i64> = heads.iter().map(|head| head.number).collect();
        let stands = steps::open_stands(conn, &numbers).await?;
        let mut plans = Vec::with_capacity(heads.len());
        for number in numbers {
            plans.push(self.shelf.plan(conn, number).await?);
        }
        Ok(OpenPlans::of(plans, &stands, self.now()))
    }
}

/// Plans under way with where their steps stand.
pub(crate) struct OpenPlans {
    plans: Vec<(Arc<NumberedPlan>, Vec<Stand>)>,
    states: HashMap<(i64, usize), &'static str>,
}

impl OpenPlans {
    fn of(plans: Vec<Arc<NumberedPlan>>, stands: &[StepStand], now: Timestamp) -> Self {
        let states =
            stands.iter().map(|stand| ((stand.plan_number, stand.index), stand.state)).collect();
        let with_stands = |plan: Arc<NumberedPlan>| {
            let mut own = vec![Stand::Over; plan.plan.steps.len()];
            for stand in stands.iter().filter(|stand| stand.plan_number == plan.number) {
                if let Some(place) = own.get_mut(stand.index) {
                    *place = Stand::of(stand.state, now.since(stand.since));
                }
            }
            (plan, own)
        };
        Self { plans: plans.into_iter().map(with_stands).collect(), states }
    }

    fn standing(&self) -> impl Iterator<Item = (i64, Standing<'_>)> {
        self.plans.iter().map(|(plan, stands)| (plan.number, Standing { plan: &plan.plan, stands }))
    }

    /// What is left of each, by its public number.
    pub(crate) fn outlooks(&self, capacity: usize) -> HashMap<i64, OutlookView> {
        let standing: Vec<Standing<'_>> = self.standing().map(|(_, standing)| standing).collect();
        let numbers = self.standing().map(|(number, _)| number);
        numbers.zip(outlook(&standing, capacity).into_iter().map(OutlookView::from)).collect()
    }

    /// Whom the steps of a plan wait for.
    pub(crate) fn front(&self, number: i64) -> Vec<Front> {
        let Some((_, standing)) = self.standing().find(|(own, _)| *own == number) else {
            return Vec::new();
        };
        let front = |blocker: pipeline::plan::outlook::Blocker| Front {
            artifact: standing.plan.steps[blocker.step].artifact.clone(),
            state: self.states.get(&(number, blocker.step)).copied().unwrap_or("published"),
            waiting: blocker.waiting,
        };
        blockers(&standing).into_iter().take(FRONT).map(front).collect()
    }
}

/// The newest plans that are done.
async fn done(conn: &mut Conn) -> Result<Vec<PlanView>, AdminError> {
    let mut heads = plans::list(conn, None, false, Page::first(SHARING)).await?;
    heads.retain(|head| head.unsettled == 0);
    heads.truncate(DONE);
    listed(conn, heads).await
}

/// The builds and test runs under way.
async fn running(conn: &mut Conn) -> Result<Vec<RunningWork>, AdminError> {
    let building = builds::running(conn).await?;
    let testing = test_runs::running(conn).await?;
    let keys: Vec<ArtifactKey> = building.iter().map(|build| build.artifact.clone()).collect();
    let expected = builds::median_durations(conn, &keys).await?;
    let ids: Vec<_> = testing.iter().map(|run| run.build).collect();
    let tested: HashMap<_, Build> =
        builds::get_many(conn, &ids).await?.into_iter().map(|build| (build.id, build)).collect();
    let builds = building.into_iter().filter_map(|build| {
        let expected = expected.get(&build.artifact).map(Duration::as_secs_f64);
        let BuildState::Running { since, .. } = build.state else { return None };
        Some(work(&build, since, expected))
    });
    let tests = testing.into_iter().filter_map(|run: TestRun| {
        let TestRunState::Running { since, .. } = run.state else { return None };
        let build = tested.get(&run.build)?;
        Some(RunningWork { is_test: true, ..work(build, since, None) })
    });
    let mut running: Vec<RunningWork> = builds.chain(tests).collect();
    running.sort_by_key(|work| work.since);
    Ok(running)
}

fn work(build: &Build, since: Timestamp, expected_seconds: Option<f64>) -> RunningWork {
    RunningWork {
        is_test: false,
        artifact: build.artifact.clone(),
        nvr: build.nvr.to_string(),
        build: build.number,
        since: Moment(since),
        expected_seconds,
    }
}

/// The failed and held steps of all open plans, one entry for each cause.
pub(crate) async fn troubles(conn: &mut Conn) -> Result<Vec<Trouble>, AdminError> {
    let mut placed = steps::unsettled(conn, "failed").await?;
    placed.extend(steps::unsettled(conn, "held").await?);
    let ids: Vec<_> = placed.iter().filter_map(|placed| placed.step.state.build()).collect();
    let built = builds::get_many(conn, &ids).await?;
    let named: HashMap<_, _> =
        built.into_iter().map(|build| (build.id, (build.nvr.to_string(), build.number))).collect();
    let mut troubles: BTreeMap<String, Trouble> = BTreeMap::new();
    for PlacedStep { plan_number, artifact, step } in placed {
        let (cause, sentence, objection) = cause(&step, &artifact);
        let trouble = troubles.entry(cause).or_insert_with(|| Trouble {
            state: step.state.name(),
            sentence,
            steps: Vec::new(),
            objection,
            since: Moment(step.since),
        });
        trouble.since = trouble.since.min(Moment(step.since));
        let build = step.state.build().and_then(|id| named.get(&id).cloned());
        trouble.steps.push(TroubledStep { plan: plan_number, artifact, build });
    }
    let mut troubles: Vec<Trouble> = troubles.into_values().collect();
    troubles.sort_by_key(|trouble| std::cmp::Reverse((trouble.steps.len(), trouble.since)));
    Ok(troubles)
}

/// What troubles of one cause have in common, the cause as a sentence, and the objection if there is one.
fn cause(step: &Step, artifact: &ArtifactKey) -> (String, String, Option<Objection>) {
    match &step.state {
        StepState::Failed { failure, .. } => {
            (failure.signature(artifact.name.as_str()), Failure::to_string(failure), None)
        }
        StepState::Held { objections, .. } => {
            let said: Vec<String> = objections.iter().map(Objection::to_string).collect();
            // What several gates object to is one test of one artifact.
            let cause = said.join("; ");
            let only = match objections.as_slice() {
                [only] => Some(only.clone()),
                _ => None,
            };
            (cause.clone(), cause, only)
        }
        state => (state.name().to_owned(), state.name().to_owned(), None),
    }
}
