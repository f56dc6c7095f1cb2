//! What pages ask for beside what the stages do: sums, parts of lists, searches, the pulse.

use std::collections::BTreeMap;

use model::artifact::ArtifactKey;
use model::build::{BuildState, Failure, FailureKind};
use model::event::Event;
use model::publication::{Generation, PublishedBuild};
use model::step::StepState;
use store::steps::StepStand;
use store::{Store, Tx, artifacts, builds, events, health, plans, publications, steps};

use crate::fixture::{artifact, at, both, branch, committed, fence, id, plan, queued, succeeded};

/// An event and the plan that answers it, of the same number.
async fn planned(tx: &mut Tx, number: u128, names: &[&str]) -> i64 {
    let event: Event = committed(names[0], u32::try_from(number).unwrap());
    events::insert(tx, id(number), &event, at(1)).await.unwrap();
    let (plan, steps) = plan(number, names);
    plans::insert(tx, &plan, &steps).await.unwrap()
}

#[tokio::test]
async fn plans_are_summed_up_without_reading_them() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let first = planned(&mut tx, 1, &["zlib", "png", "gtk"]).await;
        let second = planned(&mut tx, 2, &["zlib"]).await;
        let mut step = steps::get(&mut tx, id(1), 1).await.unwrap().unwrap();
        step.state = StepState::Unneeded;
        step.since = at(9);
        steps::update(&mut tx, &step).await.unwrap();
        tx.commit().await.unwrap();

        let mut conn = store.read().await.unwrap();
        let counts = steps::counts(&mut conn, &[first, second, 99]).await.unwrap();
        let count = |state: &str, count| (state.to_owned(), count);
        assert_eq!(
            counts,
            BTreeMap::from([
                (first, BTreeMap::from([count("unneeded", 1), count("waiting", 2)])),
                (second, BTreeMap::from([count("waiting", 1)])),
            ])
        );
        let causes = events::first_of_plans(&mut conn, &[first, second]).await.unwrap();
        let causes: Vec<_> =
            causes.iter().map(|(plan, (event, count))| (*plan, event.id, *count)).collect();
        assert_eq!(causes, [(first, id(1), 1), (second, id(2), 1)]);

        let stand = |index, state, second| StepStand {
            plan_number: first,
            index,
            state,
            since: at(second),
        };
        let stands = steps::stands(&mut conn, first).await.unwrap();
        let expected = [stand(0, "waiting", 3), stand(1, "unneeded", 9), stand(2, "waiting", 3)];
        assert_eq!(stands, expected);
        let open = steps::open_stands(&mut conn, &[second, first]).await.unwrap();
        let open: Vec<_> = open.iter().map(|stand| (stand.plan_number, stand.index)).collect();
        assert_eq!(open, [(first, 0), (first, 2), (second, 0)]);
        let some = steps::some_of_plan(&mut conn, first, &[2, 1, 99]).await.unwrap();
        let some: Vec<_> = some.iter().map(|step| (step.index, step.since)).collect();
        assert_eq!(some, [(1, at(9)), (2, at(3))]);
        assert_eq!(steps::some_of_plan(&mut conn, first, &[]).await.unwrap(), []);
    })
    .await;
}

#[tokio::test]
async fn where_many_artifacts_stand_is_one_question() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        planned(&mut tx, 1, &["zlib", "png"]).await;
        let second = planned(&mut tx, 2, &["zlib"]).await;
        let build = queued(&mut tx, 5, "png", "a").await;
        let own = fence(&build, "me");
        builds::start(&mut tx, &own, at(4)).await.unwrap();
        builds::finish(&mut tx, &own, succeeded(3), at(5)).await.unwrap();
        let generation = Generation {
            branch: branch(),
            number: 1,
            plan: id(1),
            builds: vec![PublishedBuild { artifact: artifact("png"), build: build.id }],
            at: at(6),
            switched: None,
        };
        publications::begin_generation(&mut tx, &generation).await.unwrap();
        assert_eq!(publications::latest(&mut tx, 9).await.unwrap(), []);
        publications::mark_switched(&mut tx, &branch(), 1, at(7)).await.unwrap();
        let keys = [artifact("zlib"), artifact("png")];
        let ids = artifacts::ensure_all(&mut tx, &keys).await.unwrap();
        tx.commit().await.unwrap();

        let mut conn = store.read().await.unwrap();
        let (zlib, png) = (ids[&keys[0]], ids[&keys[1]]);
        let newest = steps::newest_of(&mut conn, &[zlib, png]).await.unwrap();
        assert_eq!((newest[&zlib].plan_number, newest[&png].plan_number), (second, 1));
        let named = publications::named(&mut conn, &[zlib, png]).await.unwrap();
        let nvr = "png-1.3-1.f44".to_owned();
        assert_eq!(named, BTreeMap::from([(png, (build.number, nvr))]));
        let latest = publications::latest(&mut conn, 9).await.unwrap();
        assert_eq!(latest.len(), 1);
        assert_eq!((latest[0].plan, latest[0].number, latest[0].switched), (Some(1), 1, at(7)));
    })
    .await;
}

#[tokio::test]
async fn builds_that_failed_alike_are_found() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let failures = [
            ("png", "png.c:3:1: fatal error: zlib.h: No such file"),
            ("gtk", "a/b.c:14:9: fatal error: zlib.h: No such file"),
            ("qt", "fatal error: png.h: No such file"),
        ];
        for (number, (name, message)) in (1..).zip(failures) {
            let build = queued(&mut tx, number, name, name).await;
            let own = fence(&build, "me");
            builds::start(&mut tx, &own, at(1)).await.unwrap();
            let failure =
                Failure { kind: FailureKind::Failed, message: message.to_owned(), line: None };
            let state = BuildState::Failed { failure, at: at(2) };
            builds::finish(&mut tx, &own, state, at(2)).await.unwrap();
        }
        tx.commit().await.unwrap();
        let mut conn = store.read().await.unwrap();
        let signature = "failed: fatal error: zlib.h: No such file";
        let (found, count) = builds::failed_alike(&mut conn, signature, 1).await.unwrap();
        let names: Vec<&str> = found.iter().map(|build| build.artifact.name.as_str()).collect();
        assert_eq!((names, count), (vec!["gtk"], 2));
    })
    .await;
}

#[tokio::test]
async fn a_list_of_artifacts_goes_on_where_it_stopped() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let keys: Vec<ArtifactKey> = ["rpms/b#f44", "rpms/a#f45", "rpms/c#f44", "rpms/a#f44"]
            .iter()
            .map(|key| key.parse().unwrap())
            .collect();
        artifacts::ensure_all(&mut tx, &keys).await.unwrap();
        tx.commit().await.unwrap();
        let listed = async |store: &Store, f44: bool, after: Option<&str>| {
            let after = after.map(|key| key.parse().unwrap());
            let branch = Some(branch()).filter(|_| f44);
            let mut conn = store.read().await.unwrap();
            let found = artifacts::page(&mut conn, branch.as_ref(), after.as_ref(), 2).await;
            let found = found.unwrap();
            let names: Vec<String> = found.iter().map(|found| found.key.to_string()).collect();
            names.join(" ")
        };
        assert_eq!(listed(&store, false, None).await, "rpms/a#f44 rpms/b#f44");
        assert_eq!(listed(&store, false, Some("rpms/b#f44")).await, "rpms/c#f44 rpms/a#f45");
        assert_eq!(listed(&store, true, Some("rpms/b#f44")).await, "rpms/c#f44");
        let branches = artifacts::branches(&mut store.read().await.unwrap()).await.unwrap();
        let branches: Vec<&str> =
            branches.iter().map(model::artifact::BranchName::as_str).collect();
        assert_eq!(branches, ["f44", "f45"]);
    })
    .await;
}

#[tokio::test]
async fn names_are_found_by_their_parts() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let names = ["libpng", "png", "PNG-tools", "zlib", "a_b", "axb"];
        artifacts::ensure_all(&mut tx, &names.map(artifact)).await.unwrap();
        tx.commit().await.unwrap();
        let found = async |store: &Store, text| {
            let mut conn = store.read().await.unwrap();
            let found = artifacts::search(&mut conn, text, 9).await.unwrap();
            let names: Vec<String> = found.iter().map(|found| found.key.name.to_string()).collect();
            names.join(" ")
        };
        assert_eq!(found(&store, "Png").await, "png libpng PNG-tools");
        // What stands for others in a pattern stands for itself here.
        assert_eq!(found(&store, "a_b").await, "a_b");
        assert_eq!([found(&store, "%").await, found(&store, "\\").await], ["", ""]);
    })
    .await;
}

#[tokio::test]
async fn every_change_is_felt_in_the_pulse() {
    both(|store| async move {
        let pulse =
            async |store: &Store| health::pulse(&mut store.read().await.unwrap()).await.unwrap();
        let mut felt = vec![pulse(&store).await];
        let mut tx = store.begin().await.unwrap();
        planned(&mut tx, 1, &["zlib"]).await;
        tx.commit().await.unwrap();
        felt.push(pulse(&store).await);
        let mut tx = store.begin().await.unwrap();
        let build = queued(&mut tx, 5, "zlib", "a").await;
        tx.commit().await.unwrap();
        felt.push(pulse(&store).await);
        let mut tx = store.begin().await.unwrap();
        builds::start(&mut tx, &fence(&build, "me"), at(9)).await.unwrap();
        tx.commit().await.unwrap();
        felt.push(pulse(&store).await);
        for (index, one) in felt.iter().enumerate() {
            assert!(!felt[index + 1..].contains(one), "{felt:?}");
        }
        assert_eq!(pulse(&store).await, felt[3]);
    })
    .await;
}
