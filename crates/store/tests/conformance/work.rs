//! Builds, plans, steps.

use std::time::Duration;

use model::build::{Build, BuildState, Failure, FailureKind};
use model::rule::{Approval, PlanMode, RuleId};
use model::step::StepState;
use store::builds::{NewBuild, Reservation};
use store::{Error, Page, Store, Tx, approvals, builds, plans, steps, timers};

use crate::fixture::{
    artifact, at, both, branch, commit, digest, fence, id, new_build, plan, queued, succeeded,
};

async fn reserve(store: &Store, new: &NewBuild) -> Reservation {
    let mut tx = store.begin().await.unwrap();
    let reservation = builds::reserve(&mut tx, new).await.unwrap();
    tx.commit().await.unwrap();
    reservation
}

/// What asking came to, in short.
fn told(reservation: &Reservation) -> String {
    match reservation {
        Reservation::New(build) => format!("new {} {}", build.nvr, build.dist),
        Reservation::Known(build) => format!("known {} {}", build.nvr, build.dist),
        Reservation::Taken { nvr } => format!("taken {nvr}"),
    }
}

#[tokio::test]
async fn one_build_for_each_artifact_commit_and_input() {
    both(|store| async move {
        let new = new_build(1, "zlib", "a");
        let Reservation::New(build) = reserve(&store, &new).await else { panic!("not new") };
        assert_eq!((build.attempt, build.version, &build.state), (1, 1, &BuildState::Queued));
        // Another id, the same artifact, commit and input.
        let again = NewBuild { id: id(2), ..new.clone() };
        assert_eq!(reserve(&store, &again).await, Reservation::Known(build.clone()));
        let mut conn = store.read().await.unwrap();
        let found = [
            builds::find(&mut conn, &artifact("zlib"), &commit(1), digest("a")).await.unwrap(),
            builds::get(&mut conn, id(1)).await.unwrap(),
            builds::by_number(&mut conn, build.number).await.unwrap(),
            builds::by_nvr(&mut conn, "zlib-1.3-1.f44").await.unwrap(),
        ];
        assert!(found.iter().all(|found| found.as_ref() == Some(&build)), "{found:?}");
        let missing = [
            builds::find(&mut conn, &artifact("zlib"), &commit(2), digest("a")).await.unwrap(),
            builds::find(&mut conn, &artifact("zlib"), &commit(1), digest("b")).await.unwrap(),
            builds::find(&mut conn, &artifact("png"), &commit(1), digest("a")).await.unwrap(),
            builds::get(&mut conn, id(2)).await.unwrap(),
            builds::by_number(&mut conn, 99).await.unwrap(),
            builds::by_nvr(&mut conn, "zlib-1.3-2.f44").await.unwrap(),
        ];
        assert!(missing.iter().all(Option::is_none), "{missing:?}");
        assert_eq!(builds::get_many(&mut conn, &[id(2), id(1)]).await.unwrap(), [build]);
    })
    .await;
}

#[tokio::test]
async fn a_rebuild_gets_a_minor_bump() {
    both(|store| async move {
        let ask = async |number, input: &str, release: &str| {
            let evr = format!("1.3-{release}").parse().unwrap();
            let new = NewBuild { evr, ..new_build(number, "zlib", input) };
            told(&reserve(&store, &new).await)
        };
        assert_eq!(ask(1, "a", "1.f44").await, "new zlib-1.3-1.f44 .f44");
        assert_eq!(ask(2, "b", "1.f44").await, "new zlib-1.3-1.f44.1 .f44.1");
        assert_eq!(ask(3, "a", "1.f44").await, "known zlib-1.3-1.f44 .f44");
        assert_eq!(ask(4, "c", "1.f44").await, "new zlib-1.3-1.f44.2 .f44.2");
        // Another release starts anew.
        assert_eq!(ask(5, "d", "2.f44").await, "new zlib-1.3-2.f44 .f44");
        // A spec may spell out what a bump would have given.
        assert_eq!(ask(6, "e", "2.f44.1").await, "new zlib-1.3-2.f44.1 .f44");
        assert_eq!(ask(7, "f", "2.f44").await, "new zlib-1.3-2.f44.2 .f44.2");
        // Without the dist tag at its end, there is no second NVR.
        assert_eq!(ask(8, "g", "3").await, "new zlib-1.3-3 .f44");
        assert_eq!(ask(9, "h", "3").await, "taken zlib-1.3-3");
        assert_eq!(ask(10, "g", "3").await, "known zlib-1.3-3 .f44");
    })
    .await;
}

#[tokio::test]
async fn a_build_keeps_its_epoch() {
    both(|store| async move {
        let evr = "2:1.3-1.f44".parse().unwrap();
        let new = NewBuild { evr, ..new_build(1, "zlib", "a") };
        let Reservation::New(build) = reserve(&store, &new).await else { panic!("not new") };
        let mut conn = store.read().await.unwrap();
        let stored = builds::by_nvr(&mut conn, "zlib-1.3-1.f44").await.unwrap().unwrap();
        assert_eq!((stored.nvr.evr.epoch, &stored), (2, &build));
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_of_an_attempt_reports() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let build = queued(&mut tx, 1, "zlib", "a").await;
        let mine = fence(&build, "me");
        // Nobody owns it yet.
        assert!(builds::finish(&mut tx, &mine, succeeded(1), at(1)).await.is_err());
        let running = builds::start(&mut tx, &mine, at(1)).await.unwrap();
        assert_eq!(running.state, BuildState::Running { owner: "me".to_owned(), since: at(1) });
        assert_eq!(running.version, 2);
        assert_eq!(builds::get(&mut tx, build.id).await.unwrap().unwrap(), running);

        let conflict = |result: Result<Build, Error>| {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::Conflict(_)), "{error}");
        };
        let other = fence(&build, "other");
        conflict(builds::start(&mut tx, &other, at(2)).await);
        conflict(builds::finish(&mut tx, &other, succeeded(1), at(2)).await);
        let older = store::builds::Fence { attempt: 0, ..mine.clone() };
        conflict(builds::finish(&mut tx, &older, succeeded(1), at(2)).await);
        let unknown = store::builds::Fence { build: id(99), ..mine.clone() };
        conflict(builds::finish(&mut tx, &unknown, succeeded(1), at(2)).await);
        conflict(builds::finish(&mut tx, &mine, BuildState::Queued, at(2)).await);

        let done = builds::finish(&mut tx, &mine, succeeded(60), at(3)).await.unwrap();
        assert_eq!((done.version, &done.state), (3, &succeeded(60)));
        conflict(builds::finish(&mut tx, &mine, succeeded(1), at(4)).await);
        assert_eq!(builds::get(&mut tx, build.id).await.unwrap().unwrap(), done);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_stale_build_is_refused() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let mut build = queued(&mut tx, 1, "zlib", "a").await;
        let stale = build.clone();
        let failure =
            Failure { kind: FailureKind::Failed, message: "line\0".to_owned(), line: Some(3) };
        build.state = BuildState::Failed { failure, at: at(5) };
        build.version = builds::update(&mut tx, &build, at(5)).await.unwrap();
        let error = builds::update(&mut tx, &stale, at(6)).await.unwrap_err();
        assert!(matches!(error, Error::Conflict(_)), "{error}");
        assert_eq!(builds::get(&mut tx, build.id).await.unwrap().as_ref(), Some(&build));
        // Retried: the next attempt.
        build.state = build.state.enter(BuildState::Queued).unwrap();
        build.attempt += 1;
        build.version = builds::update(&mut tx, &build, at(7)).await.unwrap();
        assert_eq!(builds::queued(&mut tx, 10).await.unwrap(), [build]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn builds_are_listed_by_artifact_and_state() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        for (number, name) in [(1, "zlib"), (2, "png"), (3, "zlib"), (4, "zlib")] {
            queued(&mut tx, number, name, &number.to_string()).await;
        }
        for (number, seconds) in [(1, 10), (3, 30)] {
            let build = builds::get(&mut tx, id(number)).await.unwrap().unwrap();
            builds::start(&mut tx, &fence(&build, "me"), at(1)).await.unwrap();
            builds::finish(&mut tx, &fence(&build, "me"), succeeded(seconds), at(2)).await.unwrap();
        }
        let png = builds::get(&mut tx, id(2)).await.unwrap().unwrap();
        builds::start(&mut tx, &fence(&png, "me"), at(1)).await.unwrap();
        tx.commit().await.unwrap();

        let mut conn = store.read().await.unwrap();
        let conn = &mut *conn;
        let ids = |builds: Vec<Build>| {
            builds.iter().map(|build| build.id.0.as_u128()).collect::<Vec<_>>()
        };
        let zlib = artifact("zlib");
        let page = Page::default();
        assert_eq!(ids(builds::list(conn, None, None, page).await.unwrap()), [4, 3, 2, 1]);
        assert_eq!(ids(builds::list(conn, Some(&zlib), None, page).await.unwrap()), [4, 3, 1]);
        let found = builds::list(conn, Some(&zlib), Some("succeeded"), Page::first(1)).await;
        assert_eq!(ids(found.unwrap()), [3]);
        let unknown = artifact("unknown");
        assert_eq!(ids(builds::list(conn, Some(&unknown), None, page).await.unwrap()), [0; 0]);
        assert_eq!(ids(builds::queued(conn, 10).await.unwrap()), [4]);
        assert_eq!(ids(builds::running(conn).await.unwrap()), [2]);
        let latest = builds::latest_succeeded(conn, &zlib).await.unwrap().unwrap();
        assert_eq!(latest.id, id(3));
        assert_eq!(builds::latest_succeeded(conn, &artifact("png")).await.unwrap(), None);

        let seconds = Duration::from_secs;
        assert_eq!(builds::durations(conn, &zlib, 9).await.unwrap(), [seconds(30), seconds(10)]);
        assert_eq!(builds::durations(conn, &zlib, 1).await.unwrap(), [seconds(30)]);
        assert_eq!(builds::durations(conn, &unknown, 1).await.unwrap(), []);
        let wanted = [artifact("png"), zlib.clone(), unknown];
        let medians = builds::median_durations(conn, &wanted).await.unwrap();
        assert_eq!(medians.into_iter().collect::<Vec<_>>(), [(zlib, seconds(30))]);
    })
    .await;
}

#[tokio::test]
async fn a_plan_comes_back_as_it_was() {
    both(|store| async move {
        let (first, first_steps) = plan(1, &["zlib", "png", "zlib-tools"]);
        let (second, second_steps) = plan(2, &["gtk"]);
        let mut tx = store.begin().await.unwrap();
        let both = [(&first, first_steps.clone()), (&second, second_steps)];
        let numbers = plans::insert_many(&mut tx, &both).await.unwrap();
        let (number, next) = (numbers[0], numbers[1]);
        assert!(number < next);
        tx.commit().await.unwrap();

        let mut conn = store.read().await.unwrap();
        let stored = plans::get(&mut conn, id(1)).await.unwrap().unwrap();
        assert_eq!((stored.number, &stored.plan), (number, &first));
        assert_eq!(plans::by_number(&mut conn, number).await.unwrap(), Some(stored.clone()));
        assert_eq!(plans::get(&mut conn, id(3)).await.unwrap(), None);
        assert_eq!(plans::by_number(&mut conn, 99).await.unwrap(), None);
        let many = plans::get_many(&mut conn, &[id(2), id(3), id(1)]).await.unwrap();
        assert_eq!(many.iter().map(|plan| plan.number).collect::<Vec<_>>(), [number, next]);
        let head = plans::head(&mut conn, id(1)).await.unwrap().unwrap();
        assert_eq!((head.number, head.steps, head.unsettled), (number, 3, 3));
        assert_eq!((head.created, head.start), (first.created, first.start));
        assert_eq!((head.predicted, head.severity), (first.predicted, first.severity));
        let answering = plans::answering(&mut conn, id(1)).await.unwrap();
        assert_eq!(answering, [head]);
        assert_eq!(plans::answering(&mut conn, id(9)).await.unwrap(), []);
        assert_eq!(steps::of_plan(&mut conn, id(1)).await.unwrap(), first_steps);
        let step = steps::get(&mut conn, id(1), 2).await.unwrap();
        assert_eq!(step.as_ref(), first_steps.get(2));
        assert_eq!(steps::get(&mut conn, id(1), 3).await.unwrap(), None);
        let placed = steps::of_plans(&mut conn, &[id(2), id(1)]).await.unwrap();
        let names: Vec<&str> = placed.iter().map(|step| step.artifact.name.as_str()).collect();
        assert_eq!(names, ["zlib", "png", "zlib-tools", "gtk"]);
        let waiting = steps::unsettled(&mut conn, "waiting").await.unwrap();
        assert_eq!(waiting, placed);
        assert_eq!(steps::unsettled(&mut conn, "rebuild").await.unwrap(), []);
        drop(conn);

        // A step that is not in the plan is refused, and the plan with it.
        let (third, mut steps) = plan(3, &["gtk"]);
        steps[0].index = 5;
        let mut tx = store.begin().await.unwrap();
        let refused = plans::insert(&mut tx, &third, &steps).await;
        assert!(matches!(refused, Err(Error::Refused(_))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn what_waits_for_a_person_is_in_nobodys_way() {
    both(|store| async move {
        let (real, real_steps) = plan(1, &["zlib"]);
        let (mut large, large_steps) = plan(2, &["zlib", "png"]);
        let rule: RuleId = "package-changed".parse().unwrap();
        large.mode = PlanMode::Proposed { rule: rule.clone(), limit: 1 };
        let mut tx = store.begin().await.unwrap();
        plans::insert(&mut tx, &real, &real_steps).await.unwrap();
        plans::insert(&mut tx, &large, &large_steps).await.unwrap();
        let numbers = |heads: Vec<plans::PlanHead>| {
            heads.iter().map(|head| head.id.0.as_u128()).collect::<Vec<_>>()
        };
        assert_eq!(numbers(plans::started(&mut tx, at(9)).await.unwrap()), [1]);
        let keys = [artifact("zlib"), artifact("png")];
        assert_eq!(numbers(plans::open_touching(&mut tx, &keys).await.unwrap()), [1]);
        assert_eq!(numbers(plans::open(&mut tx, &branch()).await.unwrap()), [1, 2]);
        assert_eq!(numbers(plans::proposed(&mut tx, Some(&branch())).await.unwrap()), [2]);
        let other = "f45".parse().unwrap();
        assert_eq!(plans::proposed(&mut tx, Some(&other)).await.unwrap(), []);
        assert_eq!(plans::get(&mut tx, id(2)).await.unwrap().unwrap().plan, large);

        let approval = |author: &str| Approval {
            author: author.to_owned(),
            reason: "yes".to_owned(),
            at: at(3),
        };
        assert_eq!(approvals::of_plan(&mut tx, id(2)).await.unwrap(), None);
        assert!(approvals::put(&mut tx, id(2), &approval("ann")).await.unwrap());
        assert!(!approvals::put(&mut tx, id(2), &approval("bob")).await.unwrap());
        assert_eq!(approvals::of_plan(&mut tx, id(2)).await.unwrap(), Some(approval("ann")));

        assert_eq!(timers::last(&mut tx, &rule).await.unwrap(), None);
        timers::put(&mut tx, &rule, 3).await.unwrap();
        timers::put(&mut tx, &rule, 4).await.unwrap();
        assert_eq!(timers::last(&mut tx, &rule).await.unwrap(), Some(4));
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_plan_is_open_while_a_step_is_not_settled() {
    both(|store| async move {
        let (first, first_steps) = plan(1, &["zlib", "png"]);
        let (second, second_steps) = plan(2, &["zlib"]);
        let mut tx = store.begin().await.unwrap();
        plans::insert(&mut tx, &first, &first_steps).await.unwrap();
        plans::insert(&mut tx, &second, &second_steps).await.unwrap();
        tx.commit().await.unwrap();

        let open = async || {
            let mut conn = store.read().await.unwrap();
            let heads = plans::open(&mut conn, &branch()).await.unwrap();
            heads.iter().map(|head| (head.id.0.as_u128(), head.unsettled)).collect::<Vec<_>>()
        };
        let touching = async |names: &[&str]| {
            let mut conn = store.read().await.unwrap();
            let keys: Vec<_> = names.iter().map(|name| artifact(name)).collect();
            let heads = plans::open_touching(&mut conn, &keys).await.unwrap();
            heads.iter().map(|head| head.id.0.as_u128()).collect::<Vec<_>>()
        };
        assert_eq!(open().await, [(1, 2), (2, 1)]);
        assert_eq!(touching(&["zlib", "png", "unknown"]).await, [1, 2]);
        let mut tx = store.begin().await.unwrap();
        let started =
            async |tx: &mut Tx, second| plans::started(tx, at(second)).await.unwrap().len();
        assert_eq!((started(&mut tx, 1).await, started(&mut tx, 2).await), (0, 2));
        assert!(plans::bring_forward(&mut tx, id(1), at(1)).await.unwrap());
        assert!(!plans::bring_forward(&mut tx, id(1), at(1)).await.unwrap(), "it has started");
        assert_eq!(started(&mut tx, 1).await, 1);
        tx.commit().await.unwrap();
        assert_eq!(touching(&["png"]).await, [1]);

        let mut step = first_steps[0].clone();
        step.state = StepState::Unneeded;
        step.previous = Some(id(5));
        step.round = 2;
        let mut tx = store.begin().await.unwrap();
        step.version = steps::update(&mut tx, &step).await.unwrap();
        let stale = steps::update(&mut tx, &first_steps[0]).await;
        assert!(matches!(stale, Err(Error::Conflict(_))), "{stale:?}");
        assert_eq!(steps::get(&mut tx, id(1), 0).await.unwrap().as_ref(), Some(&step));
        tx.commit().await.unwrap();
        assert_eq!(open().await, [(1, 1), (2, 1)]);
        // The plan is open on account of its other step.
        assert_eq!(touching(&["zlib"]).await, [1, 2]);

        let mut other = second_steps[0].clone();
        other.state = StepState::Published { build: id(9), generation: 3 };
        let mut tx = store.begin().await.unwrap();
        steps::update(&mut tx, &other).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(open().await, [(1, 1)]);
        assert_eq!(touching(&["zlib"]).await, [1]);

        // In a cycle, a later round may take up again what an earlier one left alone.
        step.state = StepState::Rebuild;
        let mut tx = store.begin().await.unwrap();
        steps::update(&mut tx, &step).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(open().await, [(1, 2)]);

        let mut conn = store.read().await.unwrap();
        let conn = &mut *conn;
        assert_eq!(plans::open_branches(conn).await.unwrap(), [branch()]);
        let list = plans::list(conn, Some(&branch()), false, Page::default()).await.unwrap();
        assert_eq!(list.iter().map(|h| h.id).collect::<Vec<_>>(), [id(2), id(1)]);
        let list = plans::list(conn, None, true, Page::default()).await.unwrap();
        assert_eq!(list.iter().map(|h| h.id).collect::<Vec<_>>(), [id(1)]);
        let before = list[0].number;
        assert_eq!(plans::list(conn, None, false, Page::before(before, 9)).await.unwrap(), []);
        let steps = steps::of_artifact(conn, &artifact("zlib"), 10).await.unwrap();
        let told: Vec<_> = steps.iter().map(|s| (s.step.plan, s.step.state.name())).collect();
        assert_eq!(told, [(id(2), "published"), (id(1), "rebuild")]);
        assert_eq!(steps::of_artifact(conn, &artifact("zlib"), 1).await.unwrap().len(), 1);
        assert_eq!(steps::of_artifact(conn, &artifact("unknown"), 1).await.unwrap(), []);
    })
    .await;
}
