//! How everything stands: counts, the time since something happened, and what waits for whom.

use std::collections::BTreeMap;
use std::fmt;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::step::StepState;
use pipeline::plan::report::{PlanState, StepReport};
use serde::Serialize;
use store::{Page, deliveries, health, holds, plans, steps};
use utoipa::ToSchema;

use super::plans::reported;
use super::subscriptions::Undelivered;
use super::table::Table;
use super::time::{Moment, spoken};
use super::{Admin, AdminError};

/// How everything stands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    /// Which database answers.
    pub database: &'static str,
    /// When the last message came.
    pub last_message: Option<Moment>,
    /// How long that is ago, in seconds.
    pub seconds_since_last_message: Option<f64>,
    /// When a step, a build or a test run changed last.
    pub last_progress: Option<Moment>,
    /// How long that is ago, in seconds.
    pub seconds_since_last_progress: Option<f64>,
    /// How many there are in each state, by kind of thing.
    pub counts: BTreeMap<&'static str, BTreeMap<String, u64>>,
    /// The plans that are not done.
    pub open_plans: Vec<OpenPlan>,
    /// The artifacts that are frozen or held.
    pub held: Vec<ArtifactKey>,
    /// Word to people that does not reach them, or never did; the newest few.
    pub undelivered: Vec<Undelivered>,
}

/// A plan that is not done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenPlan {
    /// Its public number.
    pub number: i64,
    /// Where it stands.
    pub state: PlanState,
    /// What it waits for as a whole.
    pub waits_for: Option<String>,
    /// The steps that are not settled; none of a plan that waits as a whole.
    pub steps: Vec<OpenStep>,
}

/// A step that is not settled.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct OpenStep {
    /// Its artifact.
    pub artifact: ArtifactKey,
    /// Where it stands.
    pub state: &'static str,
    /// Whom or what it waits for.
    pub waits_for: String,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ago = |seconds: Option<f64>| {
            let spoken =
                |seconds: f64| spoken(std::time::Duration::from_secs_f64(seconds.max(0.0)));
            seconds.map_or("never".to_owned(), |seconds| format!("{} ago", spoken(seconds)))
        };
        writeln!(f, "database       {}", self.database)?;
        writeln!(f, "last message   {}", ago(self.seconds_since_last_message))?;
        writeln!(f, "last progress  {}", ago(self.seconds_since_last_progress))?;
        for (kind, counts) in &self.counts {
            let counts: Vec<String> =
                counts.iter().map(|(state, count)| format!("{count} {state}")).collect();
            let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
            writeln!(f, "{:13}  {counts}", kind.replace('_', " "))?;
        }
        for artifact in &self.held {
            writeln!(f, "stopped        {artifact} (`millstream hold list`)")?;
        }
        for word in &self.undelivered {
            writeln!(f, "undelivered    {word}")?;
        }
        for plan in &self.open_plans {
            writeln!(f, "\nplan {} is {}", plan.number, plan.state)?;
            if let Some(waits_for) = &plan.waits_for {
                writeln!(f, "{waits_for}")?;
                continue;
            }
            let row = |step: &OpenStep| {
                [step.artifact.to_string(), step.state.to_owned(), step.waits_for.clone()]
            };
            write!(
                f,
                "{}",
                Table::of(["ARTIFACT", "STATE", "WAITS FOR"], plan.steps.iter().map(row))
            )?;
        }
        Ok(())
    }
}

impl Admin {
    /// How everything stands.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn status(&self) -> Result<Status, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let now = self.now();
        let health = health::read(&mut reader).await?;
        let mut open_plans = Vec::new();
        let heads = plans::list(&mut reader, None, true, Page::first(50)).await?;
        let ids: Vec<_> = heads.iter().map(|head| head.id).collect();
        for found in plans::get_many(&mut reader, &ids).await? {
            let steps = steps::of_plan(&mut reader, found.plan.id).await?;
            let report = reported(&mut reader, &found, &steps).await?;
            let waits_for = report.standing().filter(|_| report.state == PlanState::Proposed);
            let open = report.steps.iter().filter(|step| !step.state.is_settled());
            open_plans.push(OpenPlan {
                number: found.number,
                state: report.state,
                steps: match waits_for {
                    None => open.map(open_step).collect(),
                    Some(_) => Vec::new(),
                },
                waits_for,
            });
        }
        let held = holds::in_force(&mut reader, now)
            .await?
            .into_iter()
            .map(|hold| hold.artifact)
            .collect();
        let mut undelivered = Vec::new();
        for state in ["retrying", "given-up"] {
            let few = deliveries::list(&mut reader, Some(state), Page::first(5)).await?;
            undelivered.extend(few.into_iter().map(Undelivered::from));
        }
        let since = |at: Option<Timestamp>| at.map(|at| now.since(at).as_secs_f64());
        Ok(Status {
            database: self.database_kind(),
            last_message: health.last_message.map(Moment),
            seconds_since_last_message: since(health.last_message),
            last_progress: health.last_progress.map(Moment),
            seconds_since_last_progress: since(health.last_progress),
            counts: BTreeMap::from([
                ("messages", health.messages),
                ("events", health.events),
                ("builds", health.builds),
                ("test_runs", health.test_runs),
                ("open_steps", health.open_steps),
                ("deliveries", deliveries::count(&mut reader).await?),
                ("outbox", BTreeMap::from([("unsent".to_owned(), health.unsent)])),
            ]),
            open_plans,
            held,
            undelivered,
        })
    }
}

fn open_step(step: &StepReport) -> OpenStep {
    let artifacts: Vec<String> = step.waits_for.iter().map(ArtifactKey::to_string).collect();
    let waits_for = match &step.state {
        StepState::Failed { failure, .. } => format!("a retry or a new commit: {failure}"),
        StepState::Held { objections, .. } => {
            let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
            format!("a fix, a retry or a waiver: {}", objections.join("; "))
        }
        StepState::Building { .. } => "its build".to_owned(),
        StepState::Testing { .. } | StepState::Built { .. } => "tests".to_owned(),
        StepState::Retest => "a place to be tested".to_owned(),
        StepState::Passed { .. } => "the rest of its group, to be published".to_owned(),
        StepState::Rebuild if artifacts.is_empty() => match step.hours {
            Some(hours) => format!("a place to be built, in the hours {hours}"),
            None => "a place to be built".to_owned(),
        },
        _ => artifacts.join(", "),
    };
    OpenStep { artifact: step.artifact.clone(), state: step.state.name(), waits_for }
}
