//! Rules in a real store, with a clock that moves when it is told to: nothing is read or built here.

mod buildroots;
mod providing;

use std::sync::Arc;
use std::time::Duration;

use model::artifact::{ArtifactKey, CommitId};
use model::build::{
    BuildOutput, BuildState, Buildroot, FacetsRef, Flavour, Inputs, PackagesOutput, Product,
};
use model::clock::{ManualClock, Timestamp};
use model::decision::{Decision, DecisionKind};
use model::digest::Digest;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::{Event, Severity};
use model::facet::PackageFacets;
use model::package::Package;
use model::plan::Plan;
use model::publication::{Generation, PublishedBuild};
use model::source::{Recipe, Settings, Source, SourceContent};
use pipeline::plan::report::{PlanState, report};
use pipeline::progress;
use store::builds::{Fence, NewBuild, Reservation};
use store::decisions::{self, DecisionFilter};
use store::leases::Lease;
use store::refs::Move;
use store::{
    Page, Tx, builds, edges, events, inbox, plans, publications, refs, sets, sources, steps,
};

use super::look;
use crate::admin::{Admin, Signature};
use crate::clock::mint;
use crate::config::{Config, Planning};
use crate::context::Context;
use crate::reconcile::{intake, timer};
use crate::view;

const HOUR: Duration = Duration::from_secs(3600);

/// `zlib`, and `app` and `tool` that are built with it; `top` is built with `tool`.
const WORLD: [(&str, &[&str]); 4] =
    [("zlib", &[]), ("app", &["zlib"]), ("tool", &["zlib"]), ("top", &["tool"])];

struct Scene {
    context: Arc<Context>,
    clock: Arc<ManualClock>,
    lease: Lease,
    folder: tempfile::TempDir,
}

fn key(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

fn commit(number: usize) -> CommitId {
    format!("{number:040x}").parse().unwrap()
}

fn source(name: &str, number: usize) -> Source {
    let content = SourceContent {
        file: format!("{name}.spec"),
        name: name.to_owned(),
        evr: "1-1.f44".parse().unwrap(),
        bumpable: true,
        build_requires: Vec::new(),
        bootstrap: None,
        packages: Vec::new(),
        recipe: Recipe::Package,
        tests: Vec::new(),
        settings: Settings::default(),
        gating: None,
        time: 0,
    };
    Source { artifact: key(name), commit: commit(number), content: Ok(content) }
}

/// A build of commit 1 with nothing in it.
async fn build(tx: &mut Tx, name: &str) -> PublishedBuild {
    build_of(tx, name, Vec::new(), Vec::new()).await
}

/// A build of commit 1 with these packages and their facets.
async fn build_of(
    tx: &mut Tx,
    name: &str,
    packages: Vec<Package>,
    facets: Vec<PackageFacets>,
) -> PublishedBuild {
    let inputs = sets::put_json(tx, &Inputs::Buildroot(Buildroot::default())).await.unwrap();
    let new = NewBuild {
        id: mint(),
        artifact: key(name),
        commit: commit(1),
        flavour: Flavour::Full,
        // The same input is not built again.
        input: Digest::of(format!("{name} with {} packages", packages.len())),
        name: name.to_owned(),
        evr: "1-1.f44".parse().unwrap(),
        dist: ".f44".to_owned(),
        snapshot: inputs,
        inputs,
        created: Timestamp(1),
    };
    let Reservation::New(build) = builds::reserve(tx, &new).await.unwrap() else {
        panic!("{name} was built before")
    };
    let product = Product::Packages(PackagesOutput {
        packages,
        source_package: String::new(),
        build_requires: Vec::new(),
    });
    let mut references = Vec::new();
    for facets in facets {
        let digest = sets::put_json(tx, &facets).await.unwrap();
        let (package, arch) = (facets.package, facets.arch);
        references.push(FacetsRef { package, arch, digest });
    }
    let output = BuildOutput { product, facets: references };
    let output = sets::put_json(tx, &output).await.unwrap();
    let fence = Fence { build: build.id, owner: "me".to_owned(), attempt: 1 };
    builds::start(tx, &fence, Timestamp(1)).await.unwrap();
    let (took, at) = (Duration::from_secs(60), Timestamp(1));
    let state = BuildState::Succeeded { took, at, output, facets: output };
    builds::finish(tx, &fence, state, at).await.unwrap();
    PublishedBuild { artifact: key(name), build: build.id }
}

async fn fill(context: &Context) {
    let mut tx = context.store.begin().await.unwrap();
    let mut published = Vec::new();
    for (name, needs) in WORLD {
        published.push(build(&mut tx, name).await);
        let edge = |needed: &&str| Edge {
            dependent: key(name),
            dependency: key(needed),
            kind: EdgeKind::BuildRequires,
            package: format!("{needed}-devel"),
            evidence: Evidence::Spec { commit: commit(1), capability: (*needed).to_owned() },
        };
        let own: Vec<Edge> = needs.iter().map(edge).collect();
        edges::replace_for(&mut tx, &key(name), &own, false).await.unwrap();
    }
    publish(&mut tx, 1, published).await;
    tx.commit().await.unwrap();
}

async fn publish(tx: &mut Tx, number: i64, mut published: Vec<PublishedBuild>) {
    published.sort();
    let generation = Generation {
        branch: "f44".parse().unwrap(),
        number,
        plan: mint(),
        builds: published,
        at: Timestamp(1),
        switched: None,
    };
    publications::begin_generation(tx, &generation).await.unwrap();
    publications::mark_switched(tx, &generation.branch, number, Timestamp(1)).await.unwrap();
}

impl Scene {
    /// A store with the world in it, and these rules beside the shipped ones.
    async fn open(rules: &[(&str, &str)]) -> Self {
        let scene = Self::empty(rules).await;
        fill(&scene.context).await;
        scene
    }

    /// The same before anything was published.
    async fn empty(rules: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("rules");
        std::fs::create_dir(&own).unwrap();
        for (id, text) in rules {
            std::fs::write(own.join(format!("{id}.yaml")), text).unwrap();
        }
        let config = Config {
            data: folder.path().join("data"),
            rules: Some(own),
            planning: Planning { debounce_seconds: Duration::ZERO, ..Planning::default() },
            ..Config::default()
        };
        // Noon, on the first of January 1970.
        let clock = Arc::new(ManualClock::at(Timestamp(0) + 12 * HOUR));
        let shared: Arc<ManualClock> = Arc::clone(&clock);
        let context = Arc::new(Context::open(config, shared).await.unwrap());
        let lease = context.acquire("stage:plan", 1000 * HOUR).await.unwrap().unwrap();
        Self { context, clock, lease, folder }
    }

    /// A commit that was read already.
    async fn push(&self, name: &str, number: usize) {
        self.push_source(source(name, number)).await;
    }

    /// The same with what it says.
    async fn push_source(&self, source: Source) {
        let mut tx = self.context.store.begin().await.unwrap();
        let (artifact, commit) = (source.artifact.clone(), source.commit.clone());
        let tip = refs::tip(&mut tx, &artifact).await.unwrap();
        let moved = Move {
            artifact: artifact.clone(),
            commit: Some(commit.clone()),
            previous: tip.and_then(|tip| tip.commit),
            forced: false,
            at: Timestamp(1),
            event: None,
        };
        refs::move_tip(&mut tx, &moved).await.unwrap();
        sources::put(&mut tx, &source).await.unwrap();
        let event = Event::Committed {
            artifact,
            commit,
            previous: None,
            forced: false,
            severity: Severity::None,
            subject: "Change it".to_owned(),
        };
        events::insert(&mut tx, mint(), &event, Timestamp(1)).await.unwrap();
        tx.commit().await.unwrap();
    }

    async fn look(&self) {
        look(&self.context, &self.lease).await.unwrap();
    }

    async fn plan(&self, number: i64) -> Plan {
        let mut reader = self.context.store.read().await.unwrap();
        plans::by_number(&mut reader, number).await.unwrap().unwrap().plan
    }

    /// Every plan with its state and its steps: `1 proposed zlib app`.
    async fn plans(&self) -> Vec<String> {
        let mut reader = self.context.store.read().await.unwrap();
        let mut heads = plans::list(&mut reader, None, false, Page::first(99)).await.unwrap();
        heads.reverse();
        let mut told = Vec::new();
        for head in heads {
            let plan = plans::get(&mut reader, head.id).await.unwrap().unwrap().plan;
            let steps = steps::of_plan(&mut reader, head.id).await.unwrap();
            let report = report(&plan, Some(head.number), &steps, |_| None);
            let names: Vec<&str> =
                plan.steps.iter().map(|step| step.artifact.name.as_str()).collect();
            told.push(format!("{} {} {}", head.number, report.state, names.join(" ")));
        }
        told
    }

    async fn ledger(&self, wanted: DecisionKind) -> Vec<Decision> {
        let mut reader = self.context.store.read().await.unwrap();
        let filter = DecisionFilter::default();
        let lines = decisions::list(&mut reader, &filter, Page::first(99)).await.unwrap();
        let decisions = lines.into_iter().map(|line| line.decision);
        decisions.filter(|decision| decision.kind == wanted).collect()
    }

    /// The artifacts that may be built now, by all plans that have started.
    async fn startable(&self) -> Vec<String> {
        let now = self.context.clock.now();
        let mut names = Vec::new();
        for view in view::started(&self.context).await.unwrap() {
            let found = progress::startable(&view.progress(), &Default::default(), &[], now);
            names.extend(found.into_iter().map(|index| view.artifact(index).name.to_string()));
        }
        names
    }

    async fn admin(&self) -> Admin {
        Admin::open(self.context.config.clone()).await.unwrap()
    }
}

const ASK: (&str, &str) = (
    "ask",
    "id: ask\ndescription: More than two need a person.\non: [committed]\nlimits: {size: 2}\n",
);

#[tokio::test]
async fn a_large_change_waits_for_a_person_and_keeps_nobody_waiting() {
    let scene = Scene::open(&[ASK]).await;
    scene.push("zlib", 2).await;
    scene.look().await;
    assert_eq!(scene.plans().await, ["1 proposed zlib app tool top"]);
    assert_eq!(scene.startable().await, [""; 0]);
    let asked = &scene.ledger(DecisionKind::Proposed).await[0];
    assert_eq!(
        asked.sentence,
        "it would touch 4 artifacts, and rule ask allows 2: a person is asked"
    );
    let status = scene.admin().await.status().await.unwrap().to_string();
    assert!(
        status.contains("plan 1 is proposed\nIt has 4 steps, and rule ask allows 2"),
        "{status}"
    );

    // What it would touch goes on by itself meanwhile.
    scene.push("tool", 3).await;
    scene.look().await;
    assert_eq!(scene.plans().await, ["1 proposed zlib app tool top", "2 running tool top"]);
    assert_eq!(scene.startable().await, ["tool"]);

    let admin = scene.admin().await;
    let refused = admin.run_plan(1, &signature("ann", "now")).await.unwrap_err().to_string();
    assert!(refused.contains("plan approve 1"), "{refused}");
    let approved =
        admin.approve_plan(1, &signature("ann", "it is worth it")).await.unwrap().to_string();
    assert!(approved.contains("ann allows it: it is worth it."), "{approved}");
    assert!(admin.approve_plan(1, &signature("bob", "again")).await.is_err());
    assert!(admin.approve_plan(2, &signature("bob", "why not")).await.is_err());
    scene.look().await;
    assert_eq!(
        scene.plans().await,
        ["1 superseded zlib app tool top", "2 superseded tool top", "3 running zlib app tool top"]
    );
    assert_eq!(scene.startable().await, ["zlib"]);
    let plan = scene.plan(3).await;
    assert_eq!(plan.approval.unwrap().author, "ann");
    assert_eq!(plan.steps[2].commit, commit(3), "the newer commit of the tool is built");
    scene.look().await;
    assert_eq!(scene.plans().await.len(), 3, "an approval is carried out once");
}

#[tokio::test]
async fn a_later_commit_takes_the_place_of_what_waits_for_a_person() {
    let scene = Scene::open(&[ASK]).await;
    scene.push("zlib", 2).await;
    scene.look().await;
    scene.push("zlib", 3).await;
    scene.look().await;
    assert_eq!(
        scene.plans().await,
        ["1 superseded zlib app tool top", "2 proposed zlib app tool top"]
    );
    let admin = scene.admin().await;
    let refused = admin.approve_plan(1, &signature("ann", "yes")).await.unwrap_err().to_string();
    assert!(refused.contains("waits for no approval any more"), "{refused}");
    admin.cancel_plan(2, &signature("ann", "not this year")).await.unwrap();
    scene.look().await;
    assert_eq!(scene.plans().await[1], "2 done zlib app tool top");
    assert_eq!(scene.startable().await, [""; 0]);
}

#[tokio::test]
async fn a_build_waits_for_its_hours() {
    let night = "id: night\ndescription: Packages are built at night.\non: [committed]\nwhen: artifact.name == \"zlib\"\nlimits: {hours: 22:00-06:00}\n";
    let scene = Scene::open(&[("night", night)]).await;
    scene.push("zlib", 2).await;
    scene.push("app", 2).await;
    scene.look().await;
    let plan = scene.plan(1).await;
    let earliest: Vec<_> = plan.steps.iter().map(|step| step.not_before).collect();
    let ten = Some(Timestamp(0) + 22 * HOUR);
    // The app's own commit waits for nothing but what it needs.
    assert_eq!(earliest, [ten, None, ten, ten]);
    assert_eq!(scene.startable().await, [""; 0]);
    scene.clock.advance(10 * HOUR);
    assert_eq!(scene.startable().await, ["zlib"]);
    scene.clock.advance(8 * HOUR);
    assert_eq!(scene.startable().await, [""; 0], "it is six o'clock");
}

#[tokio::test]
async fn a_period_comes_once() {
    let hourly = "id: hourly\ndescription: The app every hour.\non: [time-elapsed]\nevery: 1h\nwhen: artifact.name == \"app\"\ndo: rebuild\n";
    let scene = Scene::open(&[("hourly", hourly)]).await;
    for name in ["app", "zlib"] {
        scene.push(name, 1).await;
    }
    scene.look().await;
    let before = scene.plans().await.len();
    let context = &scene.context;
    let received = async || {
        let mut reader = context.store.read().await.unwrap();
        inbox::list(&mut reader, None, Page::first(9)).await.unwrap().len()
    };
    let pass = async |time: Duration| {
        scene.clock.advance(time);
        timer::look(context, &scene.lease).await.unwrap();
        timer::look(context, &scene.lease).await.unwrap();
        received().await
    };
    assert_eq!(pass(Duration::ZERO).await, 0, "a new rule waits for its first whole period");
    assert_eq!(pass(HOUR / 2).await, 0);
    assert_eq!(pass(HOUR / 2).await, 1);
    assert_eq!(pass(5 * HOUR).await, 2, "what passed while nobody looked comes once");
    intake::look(context, &scene.lease).await.unwrap();
    scene.look().await;
    let plans = scene.plans().await;
    assert!(plans.len() > before, "{plans:?}");
    let plan = scene.plan(plans.len() as i64).await;
    let step = plan.steps.iter().find(|step| step.artifact == key("app")).unwrap();
    assert_eq!(
        (step.rule.as_ref().unwrap().as_str(), step.reason.to_string().as_str()),
        ("hourly", "rule hourly asked for it: the time of rule hourly has come for rpms/app#f44")
    );
}

#[tokio::test]
async fn a_dry_run_stands_beside_the_real_plan() {
    let less = "id: less\ndescription: Tools stay as they are.\non: [committed]\nmode: dry-run\ndo: leave\nfollow:\n  - when: dependent.name == \"tool\"\n";
    let scene = Scene::open(&[("less", less)]).await;
    scene.push("zlib", 2).await;
    scene.look().await;
    assert_eq!(scene.plans().await, ["1 running zlib app tool top", "2 dry-run zlib app"]);
    assert_eq!(scene.startable().await, ["zlib"]);
    let shown = scene.admin().await.plan(2).await.unwrap();
    assert_eq!(shown.state, PlanState::DryRun);
    let shown = shown.to_string();
    assert!(shown.contains("It shows what would be done if less were real."), "{shown}");
    assert!(shown.contains("rule less: Tools stay as they are."), "{shown}");
}

#[tokio::test]
async fn people_are_told_and_an_event_is_left() {
    let tell = "id: tell\ndescription: Somebody touched zlib.\non: [committed, branch-deleted]\nwhen: artifact.name == \"zlib\"\ndo: notify\n";
    let leave = "id: calm\ndescription: The app rests.\non: [committed]\nwhen: artifact.name == \"app\"\ndo: leave\n";
    let scene = Scene::open(&[("tell", tell), ("calm", leave)]).await;
    scene.push("zlib", 2).await;
    scene.push("app", 2).await;
    scene.look().await;
    let told = scene.ledger(DecisionKind::Notify).await;
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].sentence,
        "Somebody touched zlib: commit 0000000000 to rpms/zlib#f44: Change it"
    );
    assert_eq!(told[0].detail, serde_json::json!({ "rule": "tell" }));
    let left = scene.ledger(DecisionKind::Ignored).await;
    assert_eq!(left[0].sentence, "rule calm leaves it: The app rests.");
    let why_not = scene.admin().await.why_not(&key("app"), Some(2), None).await.unwrap();
    assert!(why_not.sentence.contains("rule calm leaves it"), "{why_not}");
}

#[tokio::test]
async fn a_server_does_not_start_with_rules_that_are_wrong() {
    let scene = Scene::open(&[]).await;
    let path = scene.folder.path().join("rules/wrong.yaml");
    std::fs::write(&path, "id: wrong\ndescription: x\non: [committed]\ndo: build\n").unwrap();
    let config = Config { data: scene.folder.path().join("other"), ..scene.context.config.clone() };
    let clock = Arc::new(ManualClock::default());
    let error = Context::open(config, clock).await.err().unwrap().to_string();
    assert!(
        error.ends_with(
            "wrong.yaml:4: \"build\" is none of rebuild, retest, compose, notify, leave"
        ),
        "{error}"
    );
}

fn signature(author: &str, reason: &str) -> Signature {
    Signature { author: author.to_owned(), reason: reason.to_owned(), seen: None }
}
