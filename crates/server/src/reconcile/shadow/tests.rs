//! A day in the shadow: plans in the store, builds of others, and the report on them.

use std::collections::HashMap;
use std::sync::Arc;

use model::artifact::ArtifactKey;
use model::clock::{Clock as _, ManualClock};
use model::event::Severity;
use model::plan::RootAction;
use model::reason::Reason;
use model::rule::PlanMode;
use model::shadow::{ActualBuild, Certainty};
use pipeline::plan::{Ground, Request, Root, Setup, first_steps, make};
use store::{Store, leases};

use super::*;
use crate::config::Config;

struct Scene {
    config: Config,
    store: Store,
    clock: Arc<ManualClock>,
    lease: Lease,
    _folder: tempfile::TempDir,
}

const HOUR: Duration = Duration::from_secs(3600);

fn key(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

impl Scene {
    /// Ten o'clock on some day.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { data: folder.path().to_owned(), ..Config::default() };
        let store = Store::open(&config.db_url()).await.unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp(0) + HOUR * (24 * 20_000 + 10)));
        let mut tx = store.begin().await.unwrap();
        let lease = leases::acquire(&mut tx, "stage:shadow", "me", clock.now(), DAY * 999).await;
        tx.commit().await.unwrap();
        let lease = lease.unwrap().unwrap();
        Self { config, store, clock, lease, _folder: folder }
    }

    async fn report(&self) -> Outcome {
        let Self { config, store, clock, lease, .. } = self;
        report(&Records { config, store, clock: clock.as_ref(), lease }).await.unwrap()
    }

    /// A commit, and the plan that answers it and never starts.
    async fn plan(&self, name: &str, is_new: bool) {
        let commit: model::artifact::CommitId = "c".repeat(40).parse().unwrap();
        let event = Event::Committed {
            artifact: key(name),
            commit: commit.clone(),
            previous: (!is_new).then(|| "b".repeat(40).parse().unwrap()),
            forced: false,
            severity: Severity::None,
            subject: "Change it".to_owned(),
        };
        let (id, now) = (mint(), self.clock.now());
        let reason = Reason::SourceChanged {
            event: id,
            commit: commit.clone(),
            subject: "Change it".to_owned(),
        };
        let root = Root {
            artifact: key(name),
            commit,
            action: RootAction::Rebuild,
            reason,
            severity: Severity::None,
            event: id,
            rule: None,
            hours: None,
        };
        let request = Request {
            id: mint(),
            parent: None,
            branch: "f44".parse().unwrap(),
            created: now,
            origin: now,
            start: now,
            mode: PlanMode::Shadow,
            approval: None,
            roots: vec![root],
            routes: HashMap::new(),
        };
        let setup = Setup { max_rounds: 1, capacity: 1, default_duration: HOUR };
        let plan = make(request, &Ground::default(), &setup);
        let mut tx = self.store.begin().await.unwrap();
        events::insert(&mut tx, id, &event, now).await.unwrap();
        plans::insert(&mut tx, &plan, &first_steps(&plan)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn built(&self, name: &str) {
        let build = ActualBuild {
            artifact: key(name),
            nvr: format!("{name}-1-1.f44"),
            by: Some("ann".to_owned()),
            system: "koji".to_owned(),
            at: self.clock.now(),
        };
        let mut tx = self.store.begin().await.unwrap();
        actual_builds::put(&mut tx, &build).await.unwrap();
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_day_is_reported_once_when_it_and_its_grace_are_over() {
    let scene = Scene::start().await;
    assert_eq!(scene.report().await, Outcome::Idle);
    scene.plan("import", true).await;
    scene.plan("zlib", false).await;
    scene.plan("png", false).await;
    scene.clock.advance(HOUR);
    scene.built("zlib").await;
    scene.built("vim").await;
    scene.clock.advance(HOUR * 13);
    assert_eq!(scene.report().await, Outcome::Idle, "the day is over, its grace is not");
    scene.clock.advance(HOUR * 6);
    assert_eq!(scene.report().await, Outcome::Busy);
    assert_eq!(scene.report().await, Outcome::Idle);

    let mut reader = scene.store.read().await.unwrap();
    let reports = shadow_reports::list(&mut reader, 9).await.unwrap();
    let [report] = &reports[..] else { panic!("there is one: {reports:?}") };
    assert_eq!((report.plans, report.first_seen), (3, 1));
    assert_eq!(report.both[0].would.artifact, key("zlib"));
    assert_eq!(report.both[0].would.certainty, Certainty::Certain);
    assert_eq!(report.only_we[0].artifact, key("png"));
    assert_eq!(report.only_they[0].artifact, key("vim"));
    let told = notices::untold(&mut reader).await.unwrap();
    let [told] = &told[..] else { panic!("there is one: {told:?}") };
    assert_eq!(told.kind, NoticeKind::ShadowReport);
    let text = told.text.as_deref().unwrap();
    let title = "shadow report for 2024-10-04: 1 of 2 we would have built were built, 1 we would have missed";
    assert_eq!(text.lines().next(), Some(title), "{text}");
}

#[tokio::test]
async fn days_nobody_reported_on_are_made_up_for() {
    let scene = Scene::start().await;
    scene.plan("zlib", false).await;
    scene.clock.advance(DAY * 3);
    let mut reports = 0;
    while scene.report().await == Outcome::Busy {
        reports += 1;
    }
    assert_eq!(reports, 3);
}
