//! A small distribution on a real disk: `app` is published and was built with `lib`; what is left of others goes.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use model::artifact::{ArtifactKey, BranchName};
use model::build::{
    Build, BuildState, Buildroot, Failure, FailureKind, Flavour, Inputs, InstalledPackage,
};
use model::clock::{Clock as _, ManualClock};
use model::digest::Digest;
use model::id::BuildId;
use model::publication::{Generation, PublishedBuild};
use model::removal::Subject;
use store::builds::{self, Fence, NewBuild, Reservation};
use store::leases;
use store::{Store, Tx, publications, sets};

use super::*;
use crate::clock::mint;

const DAY: Duration = Duration::from_secs(86_400);

struct Scene {
    config: Config,
    store: Store,
    clock: Arc<ManualClock>,
    lease: Lease,
    app: Build,
    lib: Build,
    old: Build,
    broken: Build,
    _folder: tempfile::TempDir,
}

fn branch() -> BranchName {
    "f44".parse().unwrap()
}

async fn build(tx: &mut Tx, name: &str, against: &[BuildId], state: BuildState) -> Build {
    let installed = |&build: &BuildId| InstalledPackage {
        nevra: "lib-0:1-1.f44.noarch".parse().unwrap(),
        digest: Digest::of("lib"),
        build: Some(build),
        direct: true,
    };
    let buildroot = Buildroot(against.iter().map(installed).collect());
    let artifact: ArtifactKey = format!("rpms/{name}#f44").parse().unwrap();
    let new = NewBuild {
        id: mint(),
        name: artifact.name.to_string(),
        artifact,
        commit: "c".repeat(40).parse().unwrap(),
        flavour: Flavour::Full,
        input: Digest::of(name),
        evr: "1-1.f44".parse().unwrap(),
        dist: ".f44".to_owned(),
        snapshot: Digest::of("snapshot"),
        inputs: sets::put_json(tx, &Inputs::Buildroot(buildroot)).await.unwrap(),
        created: Timestamp(1),
    };
    let Reservation::New(build) = builds::reserve(tx, &new).await.unwrap() else { panic!() };
    let fence = Fence { build: build.id, owner: "me".to_owned(), attempt: 1 };
    builds::start(tx, &fence, Timestamp(1)).await.unwrap();
    builds::finish(tx, &fence, state, Timestamp(1)).await.unwrap()
}

fn succeeded() -> BuildState {
    let (output, facets) = (Digest::of("output"), Digest::of("facets"));
    BuildState::Succeeded { took: DAY, at: Timestamp(1), output, facets }
}

async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { data: folder.path().to_owned(), ..Config::default() };
    let store = Store::open(&config.db_url()).await.unwrap();
    let clock = Arc::new(ManualClock::at(Timestamp(1) + DAY * 365));
    let mut tx = store.begin().await.unwrap();
    let lease =
        leases::acquire(&mut tx, "stage:retain", "me", clock.now(), DAY * 9999).await.unwrap();
    let lib = build(&mut tx, "lib", &[], succeeded()).await;
    let app = build(&mut tx, "app", &[lib.id], succeeded()).await;
    let old = build(&mut tx, "old", &[], succeeded()).await;
    let failure = Failure { kind: FailureKind::Failed, message: "no".to_owned(), line: None };
    let failed = BuildState::Failed { failure, at: Timestamp(1) };
    let broken = build(&mut tx, "broken", &[], failed).await;
    for number in 1..=7 {
        let entry = PublishedBuild { artifact: app.artifact.clone(), build: app.id };
        let generation = Generation {
            branch: branch(),
            number,
            plan: mint(),
            builds: vec![entry],
            at: Timestamp(1),
            switched: None,
        };
        publications::begin_generation(&mut tx, &generation).await.unwrap();
        publications::mark_switched(&mut tx, &branch(), number, Timestamp(1)).await.unwrap();
        fs::create_dir_all(config.published_root().join(format!("f44/generation-{number}")))
            .unwrap();
    }
    tx.commit().await.unwrap();
    std::os::unix::fs::symlink("generation-7", config.published_root().join("f44/current"))
        .unwrap();
    for build in [&app, &lib, &old] {
        let outputs = config.builds_root().join(build.id.to_string());
        fs::create_dir_all(&outputs).unwrap();
        fs::write(outputs.join("x.rpm"), vec![7; 50_000]).unwrap();
    }
    for build in [&app, &lib, &old, &broken] {
        fs::write(config.builds_root().join(format!("{}.log", build.id)), "made").unwrap();
    }
    fs::write(config.builds_root().join("notes.txt"), "not ours").unwrap();
    fs::create_dir_all(config.builds_root().join(BuildId(uuid::Uuid::nil()).to_string())).unwrap();
    let lease = lease.unwrap();
    Scene { config, store, clock, lease, app, lib, old, broken, _folder: folder }
}

impl Scene {
    fn records(&self) -> Records<'_> {
        let Self { config, store, clock, lease, .. } = self;
        Records { config, store, clock: clock.as_ref(), lease }
    }

    async fn run(&self) -> Tally {
        run(&self.records()).await.unwrap()
    }

    fn outputs(&self, build: &Build) -> PathBuf {
        self.config.builds_root().join(build.id.to_string())
    }

    fn log(&self, build: &Build) -> PathBuf {
        self.config.builds_root().join(format!("{}.log", build.id))
    }

    async fn pending(&self) -> Vec<Subject> {
        let pending = removals::pending(&mut self.store.read().await.unwrap()).await.unwrap();
        pending.into_iter().map(|removal| removal.doomed.subject).collect()
    }
}

#[tokio::test]
async fn what_nobody_needs_goes_and_everything_else_stays() {
    let scene = scene().await;
    let tally = scene.run().await;
    let count = |kind| tally.get(&kind).map_or(0, |total| total.count);
    assert_eq!(count(SubjectKind::Log), 3, "{tally:?}");
    assert_eq!(count(SubjectKind::Generation), 2, "{tally:?}");
    assert_eq!(count(SubjectKind::Outputs), 0, "they are noted first: {tally:?}");
    assert!(scene.log(&scene.app).exists() && !scene.log(&scene.broken).exists());

    scene.clock.advance(scene.config.retention.builds);
    let tally = scene.run().await;
    assert!(tally[&SubjectKind::Outputs].bytes >= 50_000, "{tally:?}");
    assert!(!scene.outputs(&scene.old).exists());
    assert!(scene.outputs(&scene.app).exists() && scene.outputs(&scene.lib).exists());
    assert!(scene.config.builds_root().join("notes.txt").exists());
    assert!(scene.config.builds_root().join(uuid::Uuid::nil().to_string()).exists());
    assert!(scene.run().await.is_empty());
    assert!(scene.pending().await.is_empty());
}

#[tokio::test]
async fn an_intent_that_a_kill_left_is_carried_out() {
    let scene = scene().await;
    scene.run().await;
    scene.clock.advance(scene.config.retention.builds);
    let verdict = decide(&scene.config, &scene.store, scene.clock.now()).await.unwrap();
    intend(&scene.records(), &verdict).await.unwrap();
    assert_eq!(scene.pending().await, [Subject::new(SubjectKind::Outputs, scene.old.id)]);
    // Killed before anything was removed, and once more after it was and before that was recorded.
    fs::remove_dir_all(scene.outputs(&scene.old)).unwrap();
    assert_eq!(scene.run().await[&SubjectKind::Outputs].count, 1);
    assert!(scene.pending().await.is_empty());
    let mut reader = scene.store.read().await.unwrap();
    let outputs = Some(SubjectKind::Outputs);
    let listed = removals::list(&mut reader, outputs, store::Page::default()).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert!(listed[0].bytes >= 50_000 && listed[0].removed.is_some(), "{listed:?}");
}

#[tokio::test]
async fn an_intent_is_forgotten_when_the_thing_is_needed_again() {
    let mut scene = scene().await;
    scene.run().await;
    scene.clock.advance(scene.config.retention.builds);
    let verdict = decide(&scene.config, &scene.store, scene.clock.now()).await.unwrap();
    intend(&scene.records(), &verdict).await.unwrap();
    // The policy changed meanwhile.
    scene.config.retention.builds = DAY * 1000;
    assert!(scene.run().await.is_empty());
    assert!(scene.pending().await.is_empty());
    assert!(scene.outputs(&scene.old).exists());
}

#[tokio::test]
async fn it_is_time_after_a_while_and_when_asked() {
    let mut scene = scene().await;
    let is_time = async |scene: &Scene| is_time(&scene.records()).await.unwrap();
    assert!(is_time(&scene).await);
    scene.run().await;
    assert!(!is_time(&scene).await);
    scene.clock.advance(scene.config.retention.every_seconds);
    assert!(is_time(&scene).await);
    scene.config.retention.enabled = false;
    assert!(!is_time(&scene).await);
    let mut tx = scene.store.begin().await.unwrap();
    removals::note(&mut tx, Moment::Asked, scene.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    assert!(is_time(&scene).await);
}
