//! Rules as they are listed, linted, explained and tried: `millstream rules`.

mod trial;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use model::artifact::ArtifactKey;
use model::rule::RuleId;
use model::source::About;
use pipeline::rules::explain::{self, Explanation, does};
use pipeline::rules::limits::spoken;
use pipeline::rules::{Origin, Rule};
use serde::Serialize;
use store::{events, publications, refs, sources};
use utoipa::ToSchema;

use super::events::{EventView, no_event};
use super::table::Table;
use super::{Admin, AdminError};
use crate::config::Config;
use crate::context::StartError;
use crate::rules::{read, read_folder};

pub use trial::{Trial, Trials};

/// A rule in a listing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct RuleView {
    /// Its id.
    pub id: RuleId,
    /// What it is for.
    pub description: String,
    /// `shipped`, or its file.
    pub origin: String,
    /// Whether it acts: `real`, `dry-run` or `off`.
    pub mode: &'static str,
    /// The kinds of event it is asked about.
    pub on: Vec<&'static str>,
    /// How often its time comes, in seconds.
    pub every_seconds: Option<u64>,
    /// Its condition.
    pub when: Option<String>,
    /// What it does, in a few words.
    pub does: String,
}

/// All rules, by id.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct RuleList(pub Vec<RuleView>);

impl fmt::Display for RuleList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row = |rule: &RuleView| {
            let every = rule.every_seconds.map(std::time::Duration::from_secs);
            let every = every.map(|every| format!(" every {}", spoken(every))).unwrap_or_default();
            [
                rule.id.to_string(),
                rule.origin.clone(),
                rule.mode.to_owned(),
                rule.on.join(", ") + &every,
                rule.does.clone(),
            ]
        };
        Table::of(["ID", "FROM", "MODE", "ON", "DOES"], self.0.iter().map(row)).fmt(f)
    }
}

/// What is wrong with rule files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleLint {
    /// How many files there are that nothing is wrong with; none are counted if anything is.
    pub rules: usize,
    /// Each with its file and line.
    pub problems: Vec<String>,
}

impl fmt::Display for RuleLint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.problems.is_empty() {
            return writeln!(f, "{} rules, no problems", self.rules);
        }
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))
    }
}

/// All rules the configuration leads to, by id. Needs no store.
///
/// # Errors
/// [`AdminError::Input`] with everything that is wrong with the files.
pub fn list(config: &Config) -> Result<RuleList, AdminError> {
    let set = read(config.rules.as_deref()).map_err(StartError::Rules)?;
    Ok(RuleList(set.all().map(|rule| view(rule)).collect()))
}

pub(super) fn view(rule: &Rule) -> RuleView {
    RuleView {
        id: rule.id.clone(),
        description: rule.description.clone(),
        origin: match &rule.origin {
            Origin::Shipped => "shipped".to_owned(),
            Origin::File(file) => file.clone(),
        },
        mode: if rule.disabled { "off" } else { rule.mode.as_str() },
        on: rule.on.iter().map(|kind| kind.as_str()).collect(),
        every_seconds: rule.every.map(|every| every.as_secs()),
        when: rule.when.as_ref().map(|when| when.text().to_owned()),
        does: if rule.disabled { "-".to_owned() } else { does(rule) },
    }
}

/// Looks for what is wrong with the files of a folder, or of the one that is configured. Needs no store.
///
/// # Errors
/// [`AdminError::Input`] when there is no folder.
pub fn lint(config: &Config, folder: Option<&Path>) -> Result<RuleLint, AdminError> {
    let Some(folder) = folder.or(config.rules.as_deref()) else {
        return Err(AdminError::Input(
            "no folder of rules is configured: name one, or set `rules` in the configuration"
                .to_owned(),
        ));
    };
    if !folder.is_dir() {
        return Err(AdminError::Input(format!("{} is no folder", folder.display())));
    }
    Ok(match read_folder(folder) {
        Ok(rules) => RuleLint { rules: rules.len(), problems: Vec::new() },
        Err(problems) => {
            RuleLint { rules: 0, problems: problems.iter().map(ToString::to_string).collect() }
        }
    })
}

/// What rules are to be explained about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// An event, by its public number.
    Event(i64),
    /// An artifact.
    Artifact(ArtifactKey),
}

impl std::str::FromStr for Subject {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(number) => Ok(Self::Event(number)),
            Err(_) => text.parse().map(Self::Artifact).map_err(|_| {
                format!("{text:?} is neither the number of an event nor KIND/NAME#BRANCH")
            }),
        }
    }
}

impl Admin {
    /// All rules, by id.
    ///
    /// # Errors
    /// [`AdminError::Input`] with everything that is wrong with the files.
    pub fn rules(&self) -> Result<RuleList, AdminError> {
        list(&self.config)
    }

    /// Which rules apply to an event or an artifact, and why the others do not.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such event.
    pub async fn explain_rules(&self, subject: &Subject) -> Result<Explanation, AdminError> {
        let rules = Arc::new(read(self.config.rules.as_deref()).map_err(StartError::Rules)?);
        match subject {
            Subject::Event(number) => {
                let recorded = events::by_number(&mut *self.store.read().await?, *number).await?;
                let recorded = recorded.ok_or_else(|| no_event(*number))?;
                let about = self.about(recorded.event.artifact()).await?;
                let matches = rules.ask(&recorded.event, &about);
                Ok(explain::event(&matches, EventView::from(recorded).to_string()))
            }
            Subject::Artifact(artifact) => {
                self.known_artifact(artifact).await?;
                Ok(explain::artifact(&rules, artifact, &self.about(artifact).await?))
            }
        }
    }

    /// What the `millstream.toml` of an artifact tells about it: at its branch's tip, or as it is published.
    pub(super) async fn about(&self, artifact: &ArtifactKey) -> Result<About, AdminError> {
        let mut reader = self.store.read().await?;
        let tip = refs::tip(&mut reader, artifact).await?.and_then(|tip| tip.commit);
        let published = publications::current_build(&mut reader, artifact).await?;
        let published = match published {
            Some(build) => store::builds::get(&mut reader, build).await?.map(|build| build.commit),
            None => None,
        };
        for commit in tip.into_iter().chain(published) {
            let source = sources::get(&mut reader, artifact, &commit).await?;
            if let Some(content) = source.and_then(|source| source.content.ok()) {
                return Ok(content.settings.about);
            }
        }
        Ok(About::default())
    }
}
