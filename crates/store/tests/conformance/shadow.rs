//! Shadow mode: plans that are over before they begin, what others built, and the reports on both.

use model::plan::Plan;
use model::rule::PlanMode;
use model::shadow::{ActualBuild, ShadowReport};
use model::step::{Step, StepState};
use store::{Error, actual_builds, plans, shadow_reports};

use crate::fixture::{artifact, at, both, branch, plan};

fn build(name: &str, second: i64) -> ActualBuild {
    ActualBuild {
        artifact: artifact(name),
        nvr: format!("{name}-1-1.f44"),
        by: None,
        system: "koji".to_owned(),
        at: at(second),
    }
}

#[tokio::test]
async fn plans_in_the_shadow_are_found_and_never_open() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let (real, steps) = plan(1, &["zlib"]);
        plans::insert(&mut tx, &real, &steps).await.unwrap();
        assert_eq!(plans::first_in_shadow(&mut tx).await.unwrap(), None);
        let (shadow, steps) = plan(2, &["zlib", "png"]);
        let shadow = Plan { mode: PlanMode::Shadow, ..shadow };
        let state =
            StepState::Cancelled { author: "nobody".to_owned(), reason: "never".to_owned() };
        let steps: Vec<Step> =
            steps.into_iter().map(|step| Step { state: state.clone(), ..step }).collect();
        let number = plans::insert(&mut tx, &shadow, &steps).await.unwrap();
        assert_eq!(plans::first_in_shadow(&mut tx).await.unwrap(), Some(shadow.created));
        let found = plans::in_shadow(&mut tx, at(1), at(2)).await.unwrap();
        assert_eq!(found.iter().map(|found| found.number).collect::<Vec<_>>(), [number]);
        assert_eq!(plans::in_shadow(&mut tx, at(2), at(9)).await.unwrap(), []);
        let open = plans::open(&mut tx, &branch()).await.unwrap();
        assert_eq!(open.iter().map(|head| head.id).collect::<Vec<_>>(), [real.id]);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn what_others_built_counts_once() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        for (name, second) in [("zlib", 5), ("png", 3), ("zlib", 8)] {
            actual_builds::put(&mut tx, &build(name, second)).await.unwrap();
        }
        let found = actual_builds::between(&mut tx, at(3), at(9)).await.unwrap();
        assert_eq!(found, [build("png", 3), build("zlib", 5)]);
        assert_eq!(actual_builds::between(&mut tx, at(4), at(5)).await.unwrap(), []);

        let report = |from: i64| ShadowReport {
            from: at(from),
            until: at(from + 1),
            ..ShadowReport::default()
        };
        shadow_reports::insert(&mut tx, &report(1), at(9)).await.unwrap();
        shadow_reports::insert(&mut tx, &report(2), at(9)).await.unwrap();
        let listed = shadow_reports::list(&mut tx, 9).await.unwrap();
        assert_eq!(listed, [report(2), report(1)]);
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let again = shadow_reports::insert(&mut tx, &report(1), at(9)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    })
    .await;
}
