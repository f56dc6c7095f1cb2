//! A compose: what its `compose.toml` and `comps.xml` say.

use std::collections::BTreeSet;

use model::artifact::ArtifactKey;
use model::compose::{ComposeDefinition, PackageName};
use model::requirement::{Capability, Requirement};
use model::source::{Recipe, Settings, SourceContent, SourceProblem};
use pipeline::compose::contents::{Available, Missing, ask};
use pipeline::compose::definition;

use super::{Work, evr, problem, read as read_file};

const DEFINITION: &str = "compose.toml";
const COMPS: &str = "comps.xml";

/// Reads what a compose ships.
pub(super) fn read(
    artifact: &ArtifactKey,
    dist: &str,
    work: &Work,
    settings: Settings,
) -> Result<SourceContent, SourceProblem> {
    let Some(text) = read_file(&work.tree(), DEFINITION)? else {
        return Err(problem(DEFINITION, "the repository has no such file"));
    };
    let comps = read_file(&work.tree(), COMPS)?;
    let definition = definition::read(&text, comps.as_deref())?;
    let named = |name: PackageName| {
        Requirement::Capability(Capability { name: name.to_string(), range: None })
    };
    Ok(SourceContent {
        file: DEFINITION.to_owned(),
        name: format!("{}-compose", artifact.name),
        evr: evr(definition.release.version.as_str(), dist),
        bumpable: true,
        build_requires: packages(&definition).into_iter().map(named).collect(),
        bootstrap: None,
        packages: Vec::new(),
        recipe: Recipe::Compose(definition),
        tests: Vec::new(),
        settings,
        gating: None,
        time: 0,
    })
}

/// Every package that its variants and their groups name: as long as nothing is there, all of them are missing.
fn packages(definition: &ComposeDefinition) -> BTreeSet<PackageName> {
    let mut named = BTreeSet::new();
    for (id, variant) in &definition.variants {
        for arch in &variant.arches {
            let asked = ask(definition, id, arch, &Available::default(), &BTreeSet::new());
            named.extend(asked.missing.into_iter().filter_map(|missing| match missing {
                Missing::Package { name, .. } => Some(name),
                Missing::Image { .. } => None,
            }));
        }
    }
    named
}
