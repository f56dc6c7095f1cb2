//! Whether what a supposed commit is built with can be installed: from what is published, or once its plan has built more.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use adapters::closure::HOST_TOOLCHAIN;
use model::artifact::ArtifactKey;
use model::plan::{Plan, StepIndex};
use model::requirement::Requirement;
use model::source::{Recipe, SourceContent};
use pipeline::plan::before::may_come_before;
use serde::Serialize;

use crate::admin::AdminError;
use crate::context::Context;
use crate::dependencies::Loaded;
use crate::dependencies::question::Asked;
use crate::dependencies::unbuilt::Unbuilt;
use crate::published;

/// What the solver says of a buildroot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum BuildrootOutlook {
    /// It can be installed from what is published.
    Resolves {
        /// The packages in it, by NEVRA.
        installed: Vec<String>,
    },
    /// It cannot yet, and may be once the plan has built more.
    Waits {
        /// Whose builds are waited for.
        waits_for: Vec<ArtifactKey>,
        /// What is in the way until then, in the solver's sentences.
        problems: Vec<String>,
    },
    /// It cannot, and nothing in the plan can change that.
    Broken {
        /// Why, in the solver's sentences.
        problems: Vec<String>,
    },
}

impl BuildrootOutlook {
    fn sentence(&self) -> String {
        match self {
            Self::Resolves { installed } => {
                format!("It resolves from what is published: {} packages.", installed.len())
            }
            Self::Waits { waits_for, .. } => {
                let list: Vec<String> = waits_for.iter().map(ArtifactKey::to_string).collect();
                format!("It does not resolve before this is built: {}.", list.join(", "))
            }
            Self::Broken { .. } => "It does not resolve.".to_owned(),
        }
    }

    fn problems(&self) -> &[String] {
        match self {
            Self::Resolves { .. } => &[],
            Self::Waits { problems, .. } | Self::Broken { problems } => problems,
        }
    }

    /// As a section of Markdown.
    pub(super) fn markdown(&self) -> String {
        let problems: Vec<String> =
            self.problems().iter().map(|problem| format!("\n- {problem}")).collect();
        let gap = if problems.is_empty() { "" } else { "\n" };
        format!("\n### Buildroot\n\n{}{gap}{}\n", self.sentence(), problems.concat())
    }
}

impl fmt::Display for BuildrootOutlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Buildroot: {}", self.sentence())?;
        self.problems().iter().try_for_each(|problem| writeln!(f, "  {problem}"))
    }
}

/// What becomes of the buildroot of an artifact that a plan would build. None for what is not built in one, and where
/// what is published does not lie here.
pub(super) async fn outlook(
    context: &Context,
    plan: &Plan,
    artifact: &ArtifactKey,
    content: &SourceContent,
) -> Result<Option<BuildrootOutlook>, AdminError> {
    if content.recipe != Recipe::Package || context.config.shadow.enabled {
        return Ok(None);
    }
    let state = context.published.current(&context.store, &artifact.branch).await?;
    let ground = match published::repository(context, &artifact.branch, &state).await {
        Some(repository) => Ground::Published(repository),
        None if state.builds.is_empty() => Ground::Toolchain(stand_in(context)),
        None => return Ok(None),
    };
    let wishes: Vec<String> = content.build_requires.iter().map(Requirement::to_string).collect();
    let step = plan.step_of(artifact);
    let before = step.map(|step| may_come_before(plan, step)).unwrap_or_default();
    let (known, unbuilt) = unbuilt(context, plan, &before).await?;
    let solved = tokio::task::spawn_blocking(move || solve(&ground, &wishes, &unbuilt)).await;
    let (now, later) = solved.map_err(AdminError::outside)??;
    let problems = match now {
        Ok(installed) => return Ok(Some(BuildrootOutlook::Resolves { installed })),
        Err(problems) => problems,
    };
    let waits_for: BTreeSet<ArtifactKey> = match later {
        Some(chosen) => chosen.into_iter().map(|chosen| known[chosen].clone()).collect(),
        // What a build provides beyond what its spec says is known when it is there.
        None => before.iter().map(|step| plan.steps[*step].artifact.clone()).collect(),
    };
    let waits_for: Vec<ArtifactKey> = waits_for.into_iter().collect();
    Ok(Some(match waits_for.is_empty() {
        true => BuildrootOutlook::Broken { problems },
        false => BuildrootOutlook::Waits { waits_for, problems },
    }))
}

/// What there is to install from.
enum Ground {
    Published(Arc<Loaded>),
    /// Nothing but what is in every root.
    Toolchain(Unbuilt),
}

/// NEVRAs, or the sentences that say why there are none.
type Installed = Result<Vec<String>, Vec<String>>;

/// What is installed now; and, where that is nothing, which of the unbuilt packages would make it possible.
fn solve(
    ground: &Ground,
    wishes: &[String],
    unbuilt: &[Unbuilt],
) -> Result<(Installed, Option<Vec<usize>>), AdminError> {
    let asked = Asked {
        always: vec![HOST_TOOLCHAIN.to_owned()],
        wishes: wishes.to_vec(),
        ..Asked::default()
    };
    let (repository, toolchain) = match ground {
        Ground::Published(repository) => (Arc::clone(repository), None),
        Ground::Toolchain(stand_in) => (Arc::new(Loaded::nothing()?), Some(stand_in.clone())),
    };
    let now = repository.resolve_with(&asked, toolchain.as_slice())?.map(|now| now.installed);
    if now.is_ok() || unbuilt.is_empty() {
        return Ok((now, None));
    }
    let all: Vec<Unbuilt> = unbuilt.iter().cloned().chain(toolchain).collect();
    let later = repository.resolve_with(&asked, &all)?.ok();
    let chosen = later.map(|later| later.unbuilt.into_iter().filter(|it| *it < unbuilt.len()));
    Ok((now, chosen.map(Iterator::collect)))
}

fn stand_in(context: &Context) -> Unbuilt {
    let stand_in = &context.stand_in;
    Unbuilt {
        name: stand_in.nevra.name.clone(),
        evr: stand_in.nevra.evr.clone(),
        provides: stand_in.provides.clone(),
    }
}

/// The packages that these steps will build as far as their specs say, each beside whose it is. What they require is left
/// out: it may be met by what only their builds can tell.
async fn unbuilt(
    context: &Context,
    plan: &Plan,
    steps: &[StepIndex],
) -> Result<(Vec<ArtifactKey>, Vec<Unbuilt>), AdminError> {
    let (mut artifacts, mut packages) = (Vec::new(), Vec::new());
    for step in steps.iter().map(|step| &plan.steps[*step]) {
        let Some(content) = context.content(&step.artifact, &step.commit).await? else { continue };
        for package in content.packages {
            artifacts.push(step.artifact.clone());
            packages.push(Unbuilt {
                name: package.name,
                evr: content.evr.clone(),
                provides: package.provides,
            });
        }
    }
    Ok((artifacts, packages))
}
