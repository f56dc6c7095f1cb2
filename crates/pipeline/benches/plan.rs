//! Planning one change that reaches 1,000 artifacts, each with about ten edges, and deciding what follows.
//!
//! `cargo bench -p pipeline --bench plan` prints medians.
#![expect(clippy::print_stdout, reason = "a bench exists to print its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench measures with the system's clock")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on may stop")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::digest::Digest;
use model::edge::{Edge, EdgeKind, Evidence};
use model::event::{Event, Severity};
use model::facet::{BuildFacets, Facet, PackageFacets};
use model::id::BuildId;
use model::package::Package;
use model::plan::{Plan, RootAction};
use model::reason::Reason;
use model::rule::PlanMode;
use model::source::About;
use model::step::{Step, StepState};
use pipeline::facts::{BuildFacts, Facts};
use pipeline::plan::merge::unfinished;
use pipeline::plan::{Ground, Published, Request, Root, Setup, first_steps, make};
use pipeline::progress::{self, Progress};
use pipeline::rules::matching::Answer;
use pipeline::rules::passage::Route;
use pipeline::rules::{Origin, Rule, RuleSet, file, shipped};

/// Numbers that look random and are the same every time (xorshift64*, by Vigna).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        high as usize % bound
    }
}

fn main() {
    measure(1_000, 51);
    measure(10_000, 9);
}

fn measure(size: usize, times: usize) {
    let ground = ground(size);
    println!("a change that reaches {size} artifacts with {} edges", ground.edges.len());
    let set = shipped::set();
    report("every shipped rule asked about one event", times, || {
        set.ask(&committed(), &About::default())
    });
    let route = route(&set);
    let plan = || make(request(&route), &ground, &setup());
    report("plan::make", times, plan);
    let conditional = conditional();
    report("plan::make with a condition at each edge", times, || {
        make(request(&conditional), &ground, &setup())
    });
    report("plan::make, first_steps and JSON of both", times, || {
        let plan = plan();
        let steps = first_steps(&plan);
        (serde_json::to_vec(&plan).unwrap(), serde_json::to_vec(&steps).unwrap())
    });

    let plan = plan();
    let facts = facts(&plan);
    let mut steps = first_steps(&plan);
    steps[0].state = StepState::Built { build: build_id(size + 1) };
    let progress = Progress { plan: &plan, steps: &steps, facts: &facts };
    println!("  first hop: {} changes", progress::decide(&progress).len());
    report("decide, the root is built", times, || progress::decide(&progress));
    report("listeners of the root", times, || progress::listeners(&progress, plan.steps[0].unit));
    report("startable", times, || {
        progress::startable(&progress, &HashSet::new(), &[], Timestamp(1))
    });

    let hops = settle(&plan, &mut steps, &facts);
    let progress = Progress { plan: &plan, steps: &steps, facts: &facts };
    println!("  decided in {hops} hops");
    report("decide, nothing is left to decide", times, || progress::decide(&progress));
    report("listeners of the root, all to be retested", times, || {
        progress::listeners(&progress, plan.steps[0].unit)
    });
    report("unfinished", times, || unfinished(&plan, &steps));
}

/// Decides to the end, as a look of the server does.
fn settle(plan: &Plan, steps: &mut [Step], facts: &Facts) -> usize {
    let mut hops = 0;
    loop {
        let changes = progress::decide(&Progress { plan, steps, facts });
        if changes.is_empty() {
            return hops;
        }
        hops += 1;
        for change in changes {
            steps[change.index].state = change.state;
            steps[change.index].reason = change.reason;
        }
    }
}

fn key(number: usize) -> ArtifactKey {
    format!("rpms/source-{number:05}#f44").parse().unwrap()
}

fn build_id(number: usize) -> BuildId {
    format!("{:032x}", number + 1).parse().unwrap()
}

fn commit() -> model::artifact::CommitId {
    "1".repeat(40).parse().unwrap()
}

/// Each needs about ten of those before it; a few need each other.
fn ground(size: usize) -> Ground {
    let mut numbers = Numbers(20_261_120);
    let mut ground = Ground::default();
    for dependent in 1..size {
        for n in 0..10 {
            let dependency = if n == 0 { dependent / 8 } else { numbers.below(dependent) };
            ground.edges.push(edge(dependent, dependency, n));
        }
    }
    for first in (100..size - 2).step_by(size / 10) {
        ground.edges.push(edge(first, first + 1, 1));
        ground.edges.push(edge(first + 1, first, 1));
    }
    for number in 0..size {
        let published = Published { build: build_id(number), commit: commit() };
        ground.published.insert(key(number), published);
        ground.durations.insert(key(number), Duration::from_secs(60));
    }
    ground
}

fn edge(dependent: usize, dependency: usize, choice: usize) -> Edge {
    let build = build_id(dependent);
    let (kind, evidence) = match choice {
        0 | 5 | 9 => {
            let package = format!("source-{dependent:05}");
            let capability = format!("libsource-{dependency:05}.so.1()(64bit)");
            (EdgeKind::Requires, Evidence::Requires { build, package, capability })
        }
        1 | 2 => (EdgeKind::BuildRequires, Evidence::Buildroot { build }),
        _ => (EdgeKind::Buildroot, Evidence::Buildroot { build }),
    };
    let package = match kind {
        EdgeKind::Requires => format!("source-{dependency:05}"),
        _ => format!("source-{dependency:05}-devel"),
    };
    Edge { dependent: key(dependent), dependency: key(dependency), kind, package, evidence }
}

fn committed() -> Event {
    let (artifact, subject) = (key(0), "a fix".to_owned());
    let severity = Severity::None;
    Event::Committed {
        artifact,
        commit: commit(),
        previous: None,
        forced: false,
        severity,
        subject,
    }
}

/// How far the change goes by these rules.
fn route(set: &Arc<RuleSet>) -> Route {
    match set.ask(&committed(), &About::default()).answer() {
        Answer::Start(launch) => launch.route,
        Answer::Nothing { sentence, .. } => panic!("{sentence}"),
    }
}

/// The shipped rules, and one that looks at every edge.
fn conditional() -> Route {
    let text = "id: night\ndescription: At night.\non: [committed]\nfollow:\n  - when: '!(\"security\" in dependent.teams) && edge.package != \"x\"'\n    hours: 22:00-06:00\n";
    let own: Rule = Rule { origin: Origin::Shipped, ..file::read("night.yaml", text).unwrap() };
    route(&Arc::new(RuleSet::of(shipped::rules().unwrap().into_iter().chain([own]))))
}

fn request(route: &Route) -> Request {
    let event = format!("{:032x}", 1).parse().unwrap();
    let subject = "a fix".to_owned();
    let root = Root {
        artifact: key(0),
        commit: commit(),
        action: RootAction::Rebuild,
        reason: Reason::SourceChanged { event, commit: commit(), subject },
        severity: Severity::None,
        event,
        rule: Some(route.starter().clone()),
        hours: None,
    };
    Request {
        id: format!("{:032x}", 1).parse().unwrap(),
        parent: None,
        branch: "f44".parse().unwrap(),
        created: Timestamp(1),
        origin: Timestamp(1),
        start: Timestamp(1),
        mode: PlanMode::Real,
        approval: None,
        roots: vec![root],
        routes: HashMap::from([(event, route.clone())]),
    }
}

fn setup() -> Setup {
    Setup { max_rounds: 4, capacity: 8, default_duration: Duration::from_secs(60) }
}

/// What is published, and a new build of the root whose programs differ.
fn facts(plan: &Plan) -> Facts {
    let count = plan.steps.len();
    let mut builds: HashMap<BuildId, Arc<BuildFacts>> =
        (0..count).map(|number| (build_id(number), Arc::new(outputs(number, 0)))).collect();
    builds.insert(build_id(count + 1), Arc::new(outputs(0, 1)));
    Facts::new(builds)
}

fn outputs(number: usize, version: usize) -> BuildFacts {
    let name = format!("source-{number:05}");
    let content: Vec<String> =
        (0..50).map(|file| format!("/usr/share/{name}/{file} sha256:{version}")).collect();
    let facets = |package: &str, facets| PackageFacets {
        package: package.to_owned(),
        arch: "x86_64".to_owned(),
        facets,
    };
    let devel = format!("{name}-devel");
    BuildFacts {
        contains: Vec::new(),
        packages: vec![package(&name), package(&devel)],
        facets: BuildFacets(vec![
            facets(&name, BTreeMap::from([(Facet::Content, content)])),
            facets(&devel, BTreeMap::from([(Facet::Headers, vec![format!("/{name}.h 1")])])),
        ]),
        against: Vec::new(),
        bootstrap: false,
    }
}

fn package(name: &str) -> Package {
    let provides = [format!("{name} = 1-1"), format!("lib{name}.so.1()(64bit)")];
    Package {
        nevra: format!("{name}-1-1.x86_64").parse().unwrap(),
        file: format!("{name}-1-1.x86_64.rpm"),
        digest: Digest::of(name),
        size: 1,
        provides: provides.iter().map(|text| text.parse().unwrap()).collect(),
        requires: vec!["libc.so.6()(64bit)".parse().unwrap()],
    }
}

fn report<T>(what: &str, times: usize, mut run: impl FnMut() -> T) {
    let mut durations: Vec<Duration> = (0..times)
        .map(|_| {
            let start = Instant::now();
            let result = run();
            let took = start.elapsed();
            drop(result);
            took
        })
        .collect();
    durations.sort_unstable();
    println!("  {what}: {:?}", durations[times / 2]);
}
