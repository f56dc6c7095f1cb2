//! What is removed from the disk, and what that means to builds.

use std::time::Duration;

use model::id::BuildId;
use model::removal::{Doomed, RemovalReason, Subject, SubjectKind};
use model::step::{Step, StepState};
use store::builds::{self, NewBuild, Reservation};
use store::removals::{self, Moment, Total};
use store::{Error, Page, Tx, plans, steps, test_runs};

use crate::fixture::{at, both, fence, id, new_build, plan, queued, succeeded};

fn doomed(kind: SubjectKind, name: impl std::fmt::Display) -> Doomed {
    let reason = RemovalReason::Unused { since: at(1), kept: Duration::from_secs(86_400) };
    Doomed { subject: Subject::new(kind, name), reason }
}

/// A build that has outputs.
async fn built(tx: &mut Tx, number: u128) -> BuildId {
    let build = queued(tx, number, "zlib", &number.to_string()).await;
    builds::start(tx, &fence(&build, "me"), at(1)).await.unwrap();
    builds::finish(tx, &fence(&build, "me"), succeeded(1), at(2)).await.unwrap().id
}

#[tokio::test]
async fn the_intent_comes_first_and_the_record_stays() {
    both(|store| async move {
        let log = doomed(SubjectKind::Log, "x");
        let mut tx = store.begin().await.unwrap();
        let both = [(log.clone(), 10), (doomed(SubjectKind::Compose, "f44/A-1-20260101.0"), 7)];
        removals::intend(&mut tx, &both, at(3)).await.unwrap();
        removals::intend(&mut tx, &both, at(4)).await.unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let pending = removals::pending(&mut tx).await.unwrap();
        assert_eq!(pending.len(), 2, "{pending:?}");
        assert_eq!((&pending[0].doomed, pending[0].bytes, pending[0].removed), (&log, 10, None));
        assert!(removals::totals(&mut tx).await.unwrap().is_empty());
        removals::finish(&mut tx, pending[0].number, at(5)).await.unwrap();
        let again = removals::finish(&mut tx, pending[0].number, at(6)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
        removals::abandon(&mut tx, pending[0].number).await.unwrap();
        removals::abandon(&mut tx, pending[1].number).await.unwrap();

        let listed = removals::list(&mut tx, None, Page::default()).await.unwrap();
        assert_eq!(listed.len(), 1, "{listed:?}");
        assert_eq!((listed[0].decided, listed[0].removed), (at(3), Some(at(5))));
        let composes = removals::list(&mut tx, Some(SubjectKind::Compose), Page::default()).await;
        assert_eq!(composes.unwrap(), []);
        let last = removals::last(&mut tx, &log.subject).await.unwrap();
        assert_eq!(last.as_ref(), listed.first());
        let never = Subject::new(SubjectKind::Log, "y");
        assert_eq!(removals::last(&mut tx, &never).await.unwrap(), None);
        let totals = removals::totals(&mut tx).await.unwrap();
        assert_eq!(totals, [(SubjectKind::Log, Total { count: 1, bytes: 10 })].into());
        // A retry makes a new log, which may go as well.
        removals::intend(&mut tx, &[(log, 1)], at(7)).await.unwrap();
        assert_eq!(removals::pending(&mut tx).await.unwrap().len(), 1);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_build_without_its_outputs_is_made_once_more() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let first = built(&mut tx, 1).await;
        let again = NewBuild { id: id(2), ..new_build(2, "zlib", "1") };
        let known = builds::reserve(&mut tx, &again).await.unwrap();
        assert!(matches!(&known, Reservation::Known(build) if build.id == first), "{known:?}");
        removals::intend(&mut tx, &[(doomed(SubjectKind::Outputs, first), 5)], at(3))
            .await
            .unwrap();
        let Reservation::New(second) = builds::reserve(&mut tx, &again).await.unwrap() else {
            panic!("its outputs are gone")
        };
        assert_eq!(second.nvr.to_string(), "zlib-1.3-1.f44.1");
        let third = NewBuild { id: id(3), ..again };
        let known = builds::reserve(&mut tx, &third).await.unwrap();
        assert!(matches!(&known, Reservation::Known(build) if build.id == second.id), "{known:?}");
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn outputs_that_a_step_took_up_meanwhile_stay() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let (taken, free) = (built(&mut tx, 1).await, built(&mut tx, 2).await);
        let (plan, all) = plan(1, &["zlib"]);
        let state = StepState::Building { build: taken };
        let rows: Vec<Step> =
            all.into_iter().map(|step| Step { state: state.clone(), ..step }).collect();
        plans::insert(&mut tx, &plan, &rows).await.unwrap();
        assert_eq!(steps::builds_of_unsettled(&mut tx).await.unwrap(), [taken].into());
        let both = [taken, free].map(|build| (doomed(SubjectKind::Outputs, build), 1));
        removals::intend(&mut tx, &both, at(3)).await.unwrap();
        let pending = removals::pending(&mut tx).await.unwrap();
        assert_eq!(pending.len(), 1, "{pending:?}");
        assert_eq!(pending[0].doomed, both[1].0);
        tx.commit().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn it_is_known_since_when_nobody_uses_outputs() {
    both(|store| async move {
        let mut tx = store.begin().await.unwrap();
        let (one, two) = (built(&mut tx, 1).await, built(&mut tx, 2).await);
        removals::note_unused(&mut tx, &[one], at(3)).await.unwrap();
        removals::note_unused(&mut tx, &[one, two], at(4)).await.unwrap();
        let unused = removals::unused(&mut tx).await.unwrap();
        assert_eq!(unused, [(one, at(3)), (two, at(4))].into());
        removals::note_used(&mut tx, &[one]).await.unwrap();
        assert_eq!(removals::unused(&mut tx).await.unwrap(), [(two, at(4))].into());

        assert_eq!(removals::when(&mut tx, Moment::Ran).await.unwrap(), None);
        removals::note(&mut tx, Moment::Ran, at(5)).await.unwrap();
        removals::note(&mut tx, Moment::Ran, at(6)).await.unwrap();
        removals::note(&mut tx, Moment::Asked, at(7)).await.unwrap();
        assert_eq!(removals::when(&mut tx, Moment::Ran).await.unwrap(), Some(at(6)));
        assert_eq!(removals::when(&mut tx, Moment::Asked).await.unwrap(), Some(at(7)));
        assert_eq!(test_runs::get_many(&mut tx, &[id(1)]).await.unwrap(), []);
        tx.commit().await.unwrap();
    })
    .await;
}
