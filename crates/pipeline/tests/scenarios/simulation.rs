//! Runs plans to their end in a fake world, one action at a time, and checks at each what must always hold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::build::{Buildroot, Failure, FailureKind, Flavour, InstalledPackage};
use model::clock::Timestamp;
use model::digest::Digest;
use model::edge::Edge;
use model::event::{Event, Request as Asked, Severity};
use model::gate::{Objection, ObjectionKind};
use model::id::{BuildId, EventId, TestRunId};
use model::package::Package;
use model::plan::{Plan, RootAction, StepIndex};
use model::reason::{Reason, StopReason};
use model::requirement::Requirement;
use model::rule::PlanMode;
use model::source::{About, BootstrapSettings, Settings, SourceContent, SourcePackage};
use model::step::{Step, StepState};
use pipeline::affected::edges::{Providers, is_direct, of_build, of_source};
use pipeline::facts::{BuildFacts, Facts};
use pipeline::plan::merge::{one_each, unfinished};
use pipeline::plan::{Ground, Published, Request, Root, Setup, first_steps, make};
use pipeline::progress::{self, Progress};
use pipeline::publish::{Candidate, closed_group};
use pipeline::rules::matching::Answer;
use pipeline::rules::passage::Route;
use pipeline::rules::{RuleSet, file, shipped};

use crate::world::{Aspects, Recipe, World, build_id, commit, key};

const MAX_ROUNDS: u32 = 3;

/// What can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    FinishBuild(StepIndex),
    StartBuild(StepIndex),
    FinishTest(StepIndex),
    StartTest(StepIndex),
    Gate(usize),
    Publish,
}

/// What is known of a build beside its facts.
struct Built {
    name: String,
    commit: usize,
    evr: String,
    soname: u32,
    buildroot: Buildroot,
}

/// A test run: which builds it saw, and whether it failed.
struct Run {
    saw: BTreeMap<ArtifactKey, BuildId>,
    failed: bool,
}

/// The builds before a gate, and what stands against them.
type Verdict = (Vec<(StepIndex, BuildId)>, Vec<Objection>);

/// A source, a commit of it, its flavour and the builds in its buildroot.
type Inputs = (String, usize, Flavour, Vec<BuildId>);

pub(crate) struct Simulation {
    world: World,
    pub(crate) plan: Option<Plan>,
    pub(crate) steps: Vec<Step>,
    pub(crate) log: Vec<String>,
    pub(crate) published: BTreeMap<ArtifactKey, BuildId>,
    pub(crate) builds: HashMap<BuildId, Arc<BuildFacts>>,
    facts: Facts,
    built: HashMap<BuildId, Built>,
    known: HashMap<Inputs, BuildId>,
    sources: HashMap<(String, usize), Aspects>,
    tips: BTreeMap<String, usize>,
    /// How often each was rebuilt, and how often a rebuild changes an aspect of it.
    rebuilds: BTreeMap<String, u32>,
    follows: BTreeMap<String, Aspects>,
    test_fails: HashSet<String>,
    build_fails: HashSet<String>,
    runs: HashMap<TestRunId, Run>,
    rules: Arc<RuleSet>,
    routes: HashMap<EventId, Route>,
    /// Minutes after midnight.
    clock: i64,
    counter: usize,
}

impl Simulation {
    /// A world with rules of its own beside the shipped ones, each with its id and its text.
    pub(crate) fn ruled(world: &str, rules: &[(&str, &str)]) -> Self {
        let own = rules.iter().map(|(id, text)| file::read(&format!("{id}.yaml"), text).unwrap());
        let all = shipped::rules().unwrap().into_iter().chain(own);
        Self { rules: Arc::new(RuleSet::of(all)), ..Self::new(world) }
    }

    /// A world in which everything but what is new is built and published.
    pub(crate) fn new(world: &str) -> Self {
        let world = World::read(world);
        let mut simulation = Self {
            plan: None,
            steps: Vec::new(),
            log: Vec::new(),
            published: BTreeMap::new(),
            builds: HashMap::new(),
            facts: Facts::default(),
            built: HashMap::new(),
            known: HashMap::new(),
            sources: HashMap::new(),
            tips: world.artifacts.iter().map(|name| (name.clone(), 1)).collect(),
            rebuilds: BTreeMap::new(),
            follows: BTreeMap::new(),
            test_fails: HashSet::new(),
            build_fails: HashSet::new(),
            runs: HashMap::new(),
            rules: shipped::set(),
            routes: HashMap::new(),
            clock: 0,
            counter: 0,
            world,
        };
        simulation.publish_the_world();
        simulation
    }

    fn publish_the_world(&mut self) {
        let old = self.world.artifacts.difference(&self.world.new);
        let names: Vec<String> = old.cloned().collect();
        let mut overlay = BTreeMap::new();
        // Everything exists before buildroots are filled, since cycles need each other.
        for fill in [false, true] {
            for name in &names {
                let installed = if fill {
                    let wanted = self.world.build_requires(name, Flavour::Full);
                    self.install(&wanted, &overlay).unwrap()
                } else {
                    Vec::new()
                };
                let id = build_id(1 + names.iter().position(|known| known == name).unwrap());
                self.add_build(id, (name, 1), Flavour::Full, (installed, &overlay));
                overlay.insert(key(name), id);
            }
        }
        self.counter = names.len() + 1;
        self.published = overlay;
    }

    fn id(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    fn add_build(
        &mut self,
        id: BuildId,
        (name, number): (&str, usize),
        flavour: Flavour,
        (installed, overlay): (Vec<InstalledPackage>, &BTreeMap<ArtifactKey, BuildId>),
    ) {
        let rebuilds = self.rebuilds.get(name).copied().unwrap_or(0);
        let mut aspects = self.sources.get(&(name.to_owned(), number)).cloned().unwrap_or_default();
        for (aspect, times) in self.follows.get(name).into_iter().flatten() {
            *aspects.entry(aspect.clone()).or_default() += 100 * rebuilds.min(*times);
        }
        let seen = overlay.iter().filter_map(|(key, build)| {
            let built = self.built.get(build)?;
            Some((key.name.to_string(), (built.soname, built.evr.clone())))
        });
        let mut against: Vec<BuildId> = installed.iter().filter_map(|known| known.build).collect();
        against.dedup();
        let evr =
            if rebuilds == 0 { format!("{number}-1") } else { format!("{number}-1.{rebuilds}") };
        let soname = aspects.get("soname").copied().unwrap_or(0);
        let recipe = Recipe {
            world: &self.world,
            artifact: name,
            evr: evr.clone(),
            aspects,
            flavour,
            against,
            seen: seen.collect(),
        };
        self.builds.insert(id, Arc::new(recipe.build()));
        let buildroot = Buildroot(installed);
        let built = Built { name: name.to_owned(), commit: number, evr, soname, buildroot };
        self.built.insert(id, built);
        self.facts = Facts::new(self.builds.clone());
    }

    /// What is installed to have these packages, or what is missing.
    fn install(
        &self,
        wanted: &[String],
        overlay: &BTreeMap<ArtifactKey, BuildId>,
    ) -> Result<Vec<InstalledPackage>, String> {
        let direct: Vec<Requirement> = wanted.iter().map(|name| name.parse().unwrap()).collect();
        let available: Vec<(BuildId, &Package)> = overlay
            .values()
            .flat_map(|build| self.builds[build].packages.iter().map(|package| (*build, package)))
            .collect();
        let mut open = direct.clone();
        let mut found: BTreeMap<String, InstalledPackage> = BTreeMap::new();
        while let Some(requirement) = open.pop() {
            let provider = available
                .iter()
                .find(|(_, package)| requirement.is_satisfied_by(&package.provides));
            let (build, package) = provider.ok_or_else(|| requirement.to_string())?;
            let installed = InstalledPackage {
                nevra: package.nevra.clone(),
                digest: Digest::of(package.nevra.to_string()),
                build: Some(*build),
                direct: is_direct(package, &direct),
            };
            if found.insert(package.nevra.name.clone(), installed).is_none() {
                open.extend(package.requires.iter().cloned());
            }
        }
        Ok(found.into_values().collect())
    }

    /// Reads what is pushed, and plans for it together with what is unfinished.
    ///
    /// `a: headers static` is a commit that changes these, `a: revert` one that is as what is published; `retest a`, `rebuild a` are requests; `a fails`, `a passes`
    /// are its tests, `a breaks`, `a builds` its builds; `a follows headers 2` changes them with its first two rebuilds;
    /// `clock 22` moves the clock to ten in the evening.
    pub(crate) fn push(&mut self, text: &str) {
        let mut roots = Vec::new();
        for statement in text.split(';').map(str::trim).filter(|text| !text.is_empty()) {
            if let Some((name, aspects)) = statement.split_once(':') {
                roots.push(self.commit(name, aspects));
                continue;
            }
            let words: Vec<&str> = statement.split_whitespace().collect();
            match words.as_slice() {
                ["clock", hour] => self.clock = hour.parse::<i64>().unwrap() * 60,
                ["retest", name] => roots.push(self.root(name, RootAction::Retest)),
                ["rebuild", name] => roots.push(self.root(name, RootAction::Rebuild)),
                [name, "fails"] => _ = self.test_fails.insert((*name).to_owned()),
                [name, "passes"] => _ = self.test_fails.remove(*name),
                [name, "breaks"] => _ = self.build_fails.insert((*name).to_owned()),
                [name, "builds"] => _ = self.build_fails.remove(*name),
                [name, "follows", aspect, times @ ..] => {
                    let times = times.first().map_or(1, |times| times.parse().unwrap());
                    let follows = self.follows.entry((*name).to_owned()).or_default();
                    follows.insert((*aspect).to_owned(), times);
                }
                _ => panic!("cannot read {statement:?}"),
            }
        }
        if !roots.is_empty() {
            self.make_plan(roots);
        }
        self.settle();
    }

    fn commit(&mut self, name: &str, aspects: &str) -> Root {
        let number = self.id();
        let tip = self.tips.insert(name.to_owned(), number).unwrap();
        let mut source = self.sources.get(&(name.to_owned(), tip)).cloned().unwrap_or_default();
        for aspect in aspects.split_whitespace() {
            match aspect {
                "none" => {}
                "revert" => {
                    let published = self.built[&self.published[&key(name)]].commit;
                    let aspects = self.sources.get(&(name.to_owned(), published));
                    source = aspects.cloned().unwrap_or_default();
                }
                _ => *source.entry(aspect.to_owned()).or_default() += 1,
            }
        }
        self.sources.insert((name.to_owned(), number), source);
        self.root(name, RootAction::Rebuild)
    }

    fn root(&mut self, name: &str, action: RootAction) -> Root {
        let commit = commit(self.tips[name]);
        let event = format!("{:032x}", self.id()).parse().unwrap();
        let subject = String::from("a change");
        let (by, artifact) = ("somebody".to_owned(), key(name));
        let severity = Severity::None;
        let (reason, happened) = match action {
            RootAction::Rebuild => {
                let (commit, previous, forced) = (commit.clone(), None, false);
                let happened = Event::Committed {
                    artifact: artifact.clone(),
                    commit: commit.clone(),
                    previous,
                    forced,
                    severity,
                    subject: subject.clone(),
                };
                (Reason::SourceChanged { event, commit, subject }, happened)
            }
            RootAction::Retest => {
                let (artifact, request) = (artifact.clone(), Asked::Retest);
                let (reason, author) = (subject.clone(), by.clone());
                let happened = Event::Requested { artifact, request, by: author, reason, severity };
                (Reason::Requested { event, by, reason: subject }, happened)
            }
        };
        let Answer::Start(launch) = self.rules.ask(&happened, &About::default()).answer() else {
            panic!("no rule starts anything on account of {happened}")
        };
        assert_eq!(launch.action, action, "the rules do something else");
        self.routes.insert(event, launch.route);
        let (rule, hours) = (Some(launch.rule), launch.bounds.hours);
        Root { artifact, commit, action, reason, severity, event, rule, hours }
    }

    fn make_plan(&mut self, roots: Vec<Root>) {
        let parent = self.plan.take().filter(|_| !self.is_settled());
        let carried =
            parent.iter().flat_map(|plan| unfinished(plan, &self.steps)).collect::<Vec<_>>();
        let roots = one_each(carried.into_iter().chain(roots));
        self.id();
        let now = self.now();
        let request = Request {
            id: format!("{:032x}", self.id()).parse().unwrap(),
            parent: parent.map(|plan| plan.id),
            branch: "f44".parse().unwrap(),
            created: now,
            origin: now,
            start: now,
            mode: PlanMode::Real,
            approval: None,
            roots,
            routes: self.routes.clone(),
        };
        let setup = Setup {
            max_rounds: MAX_ROUNDS,
            capacity: 2,
            default_duration: Duration::from_secs(60),
        };
        let plan = make(request, &self.ground(), &setup);
        self.steps = first_steps(&plan);
        self.plan = Some(plan);
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.clock * 60_000_000)
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.steps.iter().all(|step| step.state.is_settled())
    }

    fn ground(&self) -> Ground {
        let published = self.published.iter().map(|(key, build)| {
            let commit = commit(self.built[build].commit);
            (key.clone(), Published { build: *build, commit })
        });
        let bootstrap = Settings {
            bootstrap: Some(BootstrapSettings { with: vec!["bootstrap".to_owned()] }),
            ..Settings::default()
        };
        let frozen =
            || StopReason::Frozen { author: "somebody".to_owned(), reason: "a release".to_owned() };
        Ground {
            edges: self.edges(),
            published: published.collect(),
            settings: self
                .world
                .bootstrap
                .iter()
                .map(|name| (key(name), bootstrap.clone()))
                .collect(),
            left_out: self.world.frozen.iter().map(|name| (key(name), frozen())).collect(),
            durations: HashMap::new(),
        }
    }

    /// The edges that published builds report, and those of the specs of what is not published.
    fn edges(&self) -> Vec<Edge> {
        let absent: Vec<(&String, SourceContent)> = self
            .world
            .artifacts
            .iter()
            .filter(|name| !self.published.contains_key(&key(name)))
            .map(|name| (name, self.source(name)))
            .collect();
        let mut providers = Providers::default();
        for (key, build) in &self.published {
            for package in &self.builds[build].packages {
                providers.add(key, &package.nevra.name, &package.provides);
            }
        }
        for (name, source) in &absent {
            for package in &source.packages {
                providers.add(&key(name), &package.name, &package.provides);
            }
        }
        let owners = self.built.iter().map(|(id, built)| (*id, key(&built.name))).collect();
        let of_builds = self.published.iter().flat_map(|(key, build)| {
            let (packages, root) = (&self.builds[build].packages, &self.built[build].buildroot);
            of_build(key, *build, packages, root, (&owners, &providers))
        });
        let of_sources = absent.iter().flat_map(|(name, source)| {
            of_source(&key(name), &commit(self.tips[*name]), source, &providers)
        });
        of_builds.chain(of_sources).collect()
    }

    fn source(&self, name: &str) -> SourceContent {
        let requires = self.world.needs_of(name).map(|(_, needed)| needed.parse().unwrap());
        let package =
            |name: String, requires| SourcePackage { name, provides: Vec::new(), requires };
        SourceContent {
            file: format!("{name}.spec"),
            name: name.to_owned(),
            evr: "1-1".parse().unwrap(),
            bumpable: true,
            build_requires: self
                .world
                .build_requires(name, Flavour::Full)
                .iter()
                .map(|wanted| wanted.parse().unwrap())
                .collect(),
            bootstrap: None,
            packages: vec![
                package(name.to_owned(), requires.collect()),
                package(format!("{name}-devel"), Vec::new()),
            ],
            recipe: model::source::Recipe::Package,
            tests: Vec::new(),
            settings: Settings::default(),
            gating: None,
            time: 0,
        }
    }

    pub(crate) fn progress(&self) -> Progress<'_> {
        Progress { plan: self.plan.as_ref().unwrap(), steps: &self.steps, facts: &self.facts }
    }

    pub(crate) fn name(&self, index: StepIndex) -> &str {
        self.plan.as_ref().unwrap().steps[index].artifact.name.as_str()
    }

    fn enter(&mut self, index: StepIndex, next: StepState) {
        let step = &mut self.steps[index];
        let earlier = step.newest_output();
        step.state = step.state.enter(next).unwrap();
        step.previous = if step.state.outputs().is_some() { None } else { earlier };
    }

    /// Decides until nothing more follows.
    fn settle(&mut self) {
        for _ in 0..10_000 {
            if self.plan.is_none() {
                return;
            }
            let changes = progress::decide(&self.progress());
            if changes.is_empty() {
                return;
            }
            for change in changes {
                if let StepState::Held { .. } = change.state {
                    self.log.push(format!("unsettled {}", self.name(change.index)));
                }
                self.enter(change.index, change.state);
                self.steps[change.index].round = change.round;
                self.steps[change.index].reason = change.reason;
            }
        }
        panic!("deciding does not end: {:?}", self.log);
    }

    /// Everything that could happen next, in the order in which a quick builder would do it.
    pub(crate) fn actions(&self) -> Vec<Action> {
        let progress = self.progress();
        let of_step = |step: &Step| match step.state {
            StepState::Building { .. } => Some(Action::FinishBuild(step.index)),
            StepState::Testing { .. } => Some(Action::FinishTest(step.index)),
            StepState::Retest => Some(Action::StartTest(step.index)),
            _ => None,
        };
        let mut actions: Vec<Action> = self.steps.iter().filter_map(of_step).collect();
        let (mut starts, mut unresolvable): (Vec<StepIndex>, Vec<StepIndex>) = Default::default();
        loop {
            let held = HashSet::new();
            let mut found = progress::startable(&progress, &held, &unresolvable, self.now());
            found.retain(|index| !starts.contains(index));
            if found.is_empty() {
                break;
            }
            for index in found {
                let known =
                    if self.resolve(index).is_ok() { &mut starts } else { &mut unresolvable };
                known.push(index);
            }
        }
        if !progress::may_be_solved_later(&progress, &unresolvable) {
            starts.extend(unresolvable);
        }
        actions.extend(starts.into_iter().map(Action::StartBuild));
        let gates = (0..progress.plan.units.len()).filter(|&unit| self.verdict(unit).is_some());
        actions.extend(gates.map(Action::Gate));
        if !self.group().is_empty() {
            actions.push(Action::Publish);
        }
        actions
    }

    pub(crate) fn act(&mut self, action: Action) {
        match action {
            Action::StartBuild(index) => self.start_build(index),
            Action::FinishBuild(index) => self.finish_build(index),
            Action::StartTest(index) => self.start_test(index),
            Action::FinishTest(index) => self.finish_test(index),
            Action::Gate(unit) => self.pass_gate(unit),
            Action::Publish => self.publish(),
        }
        self.settle();
    }

    /// Acts until nothing moves, always taking what `choose` says.
    pub(crate) fn run(&mut self, mut choose: impl FnMut(&[Action]) -> usize) {
        for _ in 0..2_000 {
            let actions = self.actions();
            if actions.is_empty() {
                return;
            }
            self.act(actions[choose(&actions)]);
        }
        panic!("it never ends: {:?}", self.log);
    }

    fn overlay(&self, index: StepIndex) -> BTreeMap<ArtifactKey, BuildId> {
        let mut overlay = self.published.clone();
        overlay.extend(progress::visible(&self.progress(), index));
        overlay
    }

    fn flavour(&self, index: StepIndex) -> Flavour {
        let declares = self.world.bootstrap.contains(self.name(index));
        progress::flavour(&self.progress(), index, declares)
    }

    fn resolve(&self, index: StepIndex) -> Result<Vec<InstalledPackage>, String> {
        let wanted = self.world.build_requires(self.name(index), self.flavour(index));
        self.install(&wanted, &self.overlay(index))
    }

    fn start_build(&mut self, index: StepIndex) {
        self.check_start(index);
        if let Some(reason) = progress::settled_reason(&self.progress(), index) {
            self.steps[index].reason = reason;
        }
        let name = self.name(index).to_owned();
        let installed = match self.resolve(index) {
            Ok(installed) => installed,
            Err(message) => {
                self.log.push(format!("fail {name}: no {message}"));
                let failure = Failure { kind: FailureKind::Unresolvable, message, line: None };
                return self.enter(index, StepState::Failed { build: None, failure });
            }
        };
        let planned = &self.plan.as_ref().unwrap().steps[index];
        let number: usize = planned.commit.to_string().parse().unwrap();
        let mut inputs: Vec<BuildId> = installed.iter().filter_map(|known| known.build).collect();
        inputs.sort_unstable();
        let inputs = (name.clone(), number, self.flavour(index), inputs);
        let build = match self.known.get(&inputs) {
            Some(build) => *build,
            None => {
                let (build, overlay) = (build_id(self.id()), self.overlay(index));
                *self.rebuilds.entry(name.clone()).or_default() += 1;
                self.add_build(build, (&name, number), inputs.2, (installed, &overlay));
                self.known.insert(inputs, build);
                build
            }
        };
        let round = self.steps[index].round;
        let note = if round > 1 { format!(" (round {round})") } else { String::new() };
        self.log.push(format!("build {name}{note}"));
        self.enter(index, StepState::Building { build });
    }

    /// Nothing starts before what it depends on is through, and a cycle builds one member at a time.
    fn check_start(&self, index: StepIndex) {
        let plan = self.plan.as_ref().unwrap();
        let unit = plan.steps[index].unit;
        for edge in plan.dependencies(index) {
            let state = &self.steps[edge.dependency].state;
            if plan.steps[edge.dependency].unit == unit {
                assert!(!matches!(state, StepState::Building { .. }), "two of a cycle at once");
                continue;
            }
            let undone = matches!(
                state,
                StepState::Waiting
                    | StepState::Rebuild
                    | StepState::Building { .. }
                    | StepState::Built { .. }
                    | StepState::Failed { .. }
                    | StepState::Held { .. }
            );
            let (own, other) = (self.name(index), self.name(edge.dependency));
            assert!(!undone, "{own} starts while {other} is {}: {:?}", state.name(), self.log);
        }
    }

    fn finish_build(&mut self, index: StepIndex) {
        let build = self.steps[index].state.build().unwrap();
        if !self.build_fails.contains(self.name(index)) {
            return self.enter(index, StepState::Built { build });
        }
        self.log.push(format!("fail {}", self.name(index)));
        let failure =
            Failure { kind: FailureKind::Failed, message: "a typo".to_owned(), line: Some(1) };
        self.enter(index, StepState::Failed { build: Some(build), failure });
    }

    fn start_test(&mut self, index: StepIndex) {
        let saw = self.overlay(index);
        let failed = self.does_test_fail(index, &saw);
        let run: TestRunId = format!("{:032x}", self.id()).parse().unwrap();
        self.runs.insert(run, Run { saw, failed });
        self.enter(index, StepState::Testing { run });
    }

    fn does_test_fail(&self, index: StepIndex, overlay: &BTreeMap<ArtifactKey, BuildId>) -> bool {
        let name = self.name(index);
        let wanted = [name.to_owned(), format!("{name}-devel")];
        self.test_fails.contains(name) || self.install(&wanted, overlay).is_err()
    }

    fn finish_test(&mut self, index: StepIndex) {
        let StepState::Testing { run } = self.steps[index].state else { unreachable!() };
        let verdict = if self.runs[&run].failed { "failed" } else { "ok" };
        self.log.push(format!("retest {} {verdict}", self.name(index)));
        self.enter(index, StepState::Retested { run });
    }

    /// What the gate of a unit would change: open or refused; nothing while it waits or stays as it is.
    fn verdict(&self, unit: usize) -> Option<Verdict> {
        let progress = self.progress();
        let at_gate = |&index: &StepIndex| match &self.steps[index].state {
            StepState::Built { build } => Some((index, *build)),
            StepState::Held { build, objections } => {
                (!objections.iter().any(is_unsettled)).then_some((index, *build))
            }
            _ => None,
        };
        let members = &progress.plan.units[unit].members;
        let asked: Vec<(StepIndex, BuildId)> = members.iter().filter_map(at_gate).collect();
        if asked.is_empty() || !progress::is_unit_built(&progress, unit) {
            return None;
        }
        let listeners = progress::listeners(&progress, unit);
        if !listeners.undecided.is_empty() {
            return None;
        }
        let mut objections: Vec<Objection> = Vec::new();
        let mut object = |index: StepIndex| {
            let kind = ObjectionKind::Failed { note: String::new() };
            let artifact = progress.plan.steps[index].artifact.clone();
            objections.push(Objection { artifact, case: "tests.works".to_owned(), kind });
        };
        for (index, build) in &asked {
            let mut overlay = self.overlay(*index);
            overlay.insert(progress.plan.steps[*index].artifact.clone(), *build);
            if self.does_test_fail(*index, &overlay) {
                object(*index);
            }
        }
        for &index in &listeners.retests {
            match &self.steps[index].state {
                StepState::Retested { run } if self.runs[run].failed => object(index),
                StepState::Retested { .. } => {}
                _ => return None,
            }
        }
        // A cycle that does not settle is refused as a whole.
        let said = members.iter().flat_map(|&index| match &self.steps[index].state {
            StepState::Held { objections, .. } => objections.as_slice(),
            _ => &[],
        });
        objections.extend(said.filter(|said| is_unsettled(said)).cloned());
        let is_news = asked.iter().any(|(index, _)| match &self.steps[*index].state {
            StepState::Held { objections: known, .. } => *known != objections,
            _ => true,
        });
        is_news.then_some((asked, objections))
    }

    fn pass_gate(&mut self, unit: usize) {
        let Some((asked, objections)) = self.verdict(unit) else { unreachable!() };
        let names: Vec<String> =
            asked.iter().map(|(index, _)| self.name(*index).to_owned()).collect();
        let verb = if objections.is_empty() { "pass" } else { "hold" };
        self.log.push(format!("{verb} {}", names.join(" ")));
        for (index, build) in asked {
            let next = if objections.is_empty() {
                StepState::Passed { build }
            } else {
                StepState::Held { build, objections: objections.clone() }
            };
            self.enter(index, next);
        }
    }

    /// What may be published now.
    fn group(&self) -> Vec<(ArtifactKey, BuildId)> {
        let plan = self.plan.as_ref().unwrap();
        let passed = |index: &StepIndex| match self.steps[*index].state {
            StepState::Passed { build } => Some((plan.steps[*index].artifact.clone(), build)),
            _ => None,
        };
        let candidates = plan.units.iter();
        let mut candidates: Vec<Candidate> = candidates
            .map(|unit| Candidate { builds: unit.members.iter().filter_map(passed).collect() })
            .collect();
        candidates.retain(|candidate| !candidate.builds.is_empty());
        let made = self.steps.iter().filter_map(|step| step.state.outputs()).collect();
        let group = closed_group(&candidates, &self.published, &toolchain(), &made, &self.facts);
        let chosen = group.candidates.iter();
        chosen.flat_map(|&position| candidates[position].builds.clone()).collect()
    }

    fn publish(&mut self) {
        let group = self.group();
        let broken = self.broken();
        let names: BTreeSet<&str> = group.iter().map(|(key, _)| key.name.as_str()).collect();
        self.log.push(format!("publish {}", names.into_iter().collect::<Vec<_>>().join(" ")));
        for (artifact, build) in group {
            assert!(!self.builds[&build].bootstrap, "a bootstrap build of {artifact} is published");
            self.published.insert(artifact.clone(), build);
            let index = self.plan.as_ref().unwrap().step_of(&artifact).unwrap();
            self.enter(index, StepState::Published { build, generation: 1 });
        }
        for package in self.broken() {
            assert!(broken.contains(&package), "{package} is broken now: {:?}", self.log);
        }
    }

    /// The published packages that cannot be installed.
    fn broken(&self) -> BTreeSet<String> {
        let all = self.published.values().flat_map(|build| &self.builds[build].packages);
        let names = all.map(|package| package.nevra.name.clone());
        names
            .filter(|name| self.install(std::slice::from_ref(name), &self.published).is_err())
            .collect()
    }

    /// The builds a retest saw.
    pub(crate) fn seen_by_test(&self, index: StepIndex) -> Option<&BTreeMap<ArtifactKey, BuildId>> {
        match self.steps[index].state {
            StepState::Retested { run } => Some(&self.runs[&run].saw),
            _ => None,
        }
    }

    /// What was installed to make a build, with the artifact each package is of.
    pub(crate) fn buildroot(
        &self,
        build: BuildId,
    ) -> impl Iterator<Item = (ArtifactKey, &InstalledPackage)> {
        let installed = self.built[&build].buildroot.0.iter();
        installed.map(|package| (key(&self.built[&package.build.unwrap()].name), package))
    }

    /// Every step's state, in the plan's order.
    pub(crate) fn outcome(&self) -> String {
        let step = |step: &Step| format!("{} {}", self.name(step.index), step.state.name());
        self.steps.iter().map(step).collect::<Vec<_>>().join(", ")
    }
}

fn is_unsettled(objection: &Objection) -> bool {
    matches!(objection.kind, ObjectionKind::Unsettled { .. })
}

fn toolchain() -> Package {
    Package {
        nevra: "host-toolchain-1-1.noarch".parse().unwrap(),
        file: "host-toolchain-1-1.noarch.rpm".to_owned(),
        digest: Digest::of("toolchain"),
        size: 1,
        provides: Vec::new(),
        requires: Vec::new(),
    }
}
