//! What everything comes to: line by line, without times, ids and attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use model::artifact::BranchName;
use model::build::{Build, BuildOutput, BuildState, Product};
use model::id::BuildId;
use store::decisions::{self, DecisionFilter};
use store::events::{self, EventFilter};
use store::{Conn, Page, Store, builds, inbox, plans, publications, results, sets, steps};

use crate::distribution::BRANCH;

/// More than a round has of anything.
const ALL: Page = Page { before: None, limit: 10_000 };

/// The lines of each section.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EndState(BTreeMap<&'static str, Vec<String>>);

impl EndState {
    /// Reads what is stored and what is published.
    pub(crate) async fn read(store: &Store, data: &Path) -> Self {
        let mut conn = store.snapshot().await.unwrap();
        let builds = builds::list(&mut conn, None, None, ALL).await.unwrap();
        let mut state = Self::default();
        state.builds(&builds);
        state.published(&mut conn, &builds).await;
        state.plans(&mut conn, &builds).await;
        state.ledger(&mut conn).await;
        state.results(&mut conn, &builds).await;
        state.deliverables(&mut conn, &builds).await;
        state.repository(data);
        state.images(data);
        state.composes(data);
        state
    }

    /// Where two states differ: `-` is missing here and `+` is only here.
    pub(crate) fn against(&self, expected: &Self) -> Vec<String> {
        let mut found = Vec::new();
        for section in self.0.keys().chain(expected.0.keys()).collect::<BTreeSet<_>>() {
            let (ours, theirs) = (self.lines(section), expected.lines(section));
            if ours == theirs {
                continue;
            }
            let before = found.len();
            let without = |lines: &[String], others: &[String], sign: char| -> Vec<String> {
                let lines = lines.iter().filter(|line| !others.contains(line));
                lines.map(|line| format!("{section}: {sign} {line}")).collect()
            };
            found.extend(without(theirs, ours, '-'));
            found.extend(without(ours, theirs, '+'));
            if found.len() == before {
                found.push(format!("{section}: the order or the number of lines is another"));
            }
        }
        found
    }

    fn lines(&self, section: &str) -> &[String] {
        self.0.get(section).map_or(&[], Vec::as_slice)
    }

    /// One line for each build; that there is one for each artifact, commit and input is seen here as well.
    fn builds(&mut self, builds: &[Build]) {
        let mut lines: Vec<String> = builds.iter().map(build_line).collect();
        lines.sort();
        self.0.insert("builds", lines);
    }

    async fn published(&mut self, conn: &mut Conn, builds: &[Build]) {
        let branch: BranchName = BRANCH.parse().unwrap();
        let published = publications::current_builds(conn, &branch).await.unwrap();
        let line = |id: BuildId| builds.iter().find(|build| build.id == id).map(build_line);
        let lines = published.iter().map(|published| line(published.build).unwrap_or_default());
        self.0.insert("published", lines.collect());
    }

    /// The plans in their order, each with its steps by artifact: how each ended, of which build, and why.
    async fn plans(&mut self, conn: &mut Conn, builds: &[Build]) {
        let mut heads = plans::list(conn, None, false, ALL).await.unwrap();
        heads.reverse();
        let ids: Vec<_> = heads.iter().map(|head| head.id).collect();
        let place = |number: i64| heads.iter().position(|head| head.number == number);
        let mut lines = Vec::new();
        for placed in steps::of_plans(conn, &ids).await.unwrap() {
            let build = placed.step.state.build();
            let build = builds.iter().find(|known| Some(known.id) == build);
            let nvr = build.map_or_else(|| "-".to_owned(), |build| build.nvr.to_string());
            let mut reason = serde_json::to_value(&placed.step.reason).unwrap();
            forget_ids(&mut reason);
            lines.push(format!(
                "plan {:?}: {} {} {nvr}, because {reason}",
                place(placed.plan_number),
                placed.artifact,
                placed.step.state.name(),
            ));
        }
        lines.sort();
        self.0.insert("plans", lines);
    }

    /// Messages and events with what became of them, and what was decided about which artifact.
    async fn ledger(&mut self, conn: &mut Conn) {
        let messages = inbox::list(conn, None, ALL).await.unwrap();
        let mut lines: Vec<String> = messages
            .iter()
            .map(|entry| format!("{} {}", entry.received.message.id, entry.received.state.name()))
            .collect();
        lines.sort();
        self.0.insert("messages", lines);
        let events = events::list(conn, &EventFilter::default(), ALL).await.unwrap();
        let line = |event: &model::event::RecordedEvent| {
            format!("{} {}", event.event, event.state.as_str())
        };
        self.0.insert("events", events.iter().rev().map(line).collect());
        let decided = decisions::list(conn, &DecisionFilter::default(), ALL).await.unwrap();
        let kinds: BTreeSet<String> = decided
            .into_iter()
            .map(|line| {
                let artifact = line.decision.artifact.map(|artifact| artifact.to_string());
                format!("{:?} {}", line.decision.kind, artifact.unwrap_or_default())
            })
            .collect();
        self.0.insert("decisions", kinds.into_iter().collect());
    }

    async fn results(&mut self, conn: &mut Conn, builds: &[Build]) {
        let ids: Vec<BuildId> = builds.iter().map(|build| build.id).collect();
        let results = results::for_builds(conn, &ids).await.unwrap();
        let nvr = |id: BuildId| builds.iter().find(|build| build.id == id).map(|build| &build.nvr);
        let lines = results.iter().map(|result| {
            let nvr = nvr(result.build).map(ToString::to_string).unwrap_or_default();
            format!("{nvr} {} {}", result.case, result.outcome)
        });
        let mut lines: Vec<String> = lines.collect();
        lines.sort();
        self.0.insert("results", lines);
    }

    /// What each compose made, and what it took over from the one before.
    async fn deliverables(&mut self, conn: &mut Conn, builds: &[Build]) {
        let mut lines = Vec::new();
        for build in builds {
            let BuildState::Succeeded { output, .. } = build.state else { continue };
            let output: Option<BuildOutput> = sets::get_json(conn, output).await.unwrap();
            let Some(Product::Compose(compose)) = output.map(|output| output.product) else {
                continue;
            };
            lines.extend(compose.deliverables.iter().map(|deliverable| {
                let how = if deliverable.reused_from.is_some() { "reused" } else { "made" };
                format!("{} {how} {}", build.nvr, deliverable.path)
            }));
        }
        lines.sort();
        self.0.insert("deliverables", lines);
    }

    /// The packages that users get.
    fn repository(&mut self, data: &Path) {
        let names = names(&published(data).join("current"));
        self.0.insert(
            "repository",
            names.into_iter().filter(|name| name.ends_with(".rpm")).collect(),
        );
    }

    /// The images that users get, each with everything that is in its folder.
    fn images(&mut self, data: &Path) {
        let folder = published(data).join("current/images");
        let lines = names(&folder).into_iter().flat_map(|image| {
            let index = std::fs::read_to_string(folder.join(&image).join("index.json")).unwrap();
            let blobs = names(&folder.join(&image).join("blobs/sha256"));
            [format!("{image} {index}"), format!("{image} {}", blobs.join(" "))]
        });
        self.0.insert("images", lines.collect());
    }

    /// The composes that users get, whole: their ids but for the day, and every file in them.
    fn composes(&mut self, data: &Path) {
        let folder = published(data).join("composes");
        let mut lines = Vec::new();
        for name in names(&folder) {
            let path = folder.join(&name);
            // The lock stays; a draft that a killed server left would be found.
            if name == ".lock" {
                continue;
            }
            if let Ok(target) = path.read_link() {
                lines.push(format!("{name} -> {}", without_day(&target.to_string_lossy())));
                continue;
            }
            let status = std::fs::read_to_string(path.join("STATUS")).unwrap_or_default();
            lines.push(format!("{} {}", without_day(&name), status.trim()));
            let files = files(&path.join("compose"));
            lines.extend(files.iter().map(|file| format!("{} {file}", without_day(&name))));
        }
        lines.sort();
        self.0.insert("composes", lines);
    }
}

fn published(data: &Path) -> PathBuf {
    data.join("published").join(BRANCH)
}

/// What is in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let below = |name: String| {
        let path = folder.join(&name);
        if path.is_dir() {
            files(&path).into_iter().map(|file| format!("{name}/{file}")).collect()
        } else {
            vec![name]
        }
    };
    names(folder).into_iter().flat_map(below).collect()
}

/// The day of a compose is the day of the test.
fn without_day(id: &str) -> String {
    let is_day = |part: &&str| part.len() == 8 && part.bytes().all(|b| b.is_ascii_digit());
    match id.split(['-', '.']).find(is_day) {
        Some(day) => id.replace(day, "DAY"),
        None => id.to_owned(),
    }
}

fn build_line(build: &Build) -> String {
    let (commit, flavour) = (build.commit.short(), build.flavour.as_str());
    let end = match &build.state {
        BuildState::Succeeded { facets, .. } => facets.to_string(),
        BuildState::Failed { failure, .. } => failure.to_string(),
        _ => String::new(),
    };
    format!("{} {commit} {flavour} {} {} {end}", build.artifact, build.nvr, build.state.name())
}

/// Ids are minted anew in every round.
fn forget_ids(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) if text.parse::<BuildId>().is_ok() => "ID".clone_into(text),
        serde_json::Value::Array(values) => values.iter_mut().for_each(forget_ids),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(forget_ids),
        _ => {}
    }
}
