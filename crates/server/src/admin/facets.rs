//! The facets of a build, and how they differ from another build's.

use model::build::{Build, BuildOutput, BuildState};
use model::digest::Digest;
use model::facet::{BuildFacets, Facet, FacetChange, PackageFacets};
use pipeline::affected::compare::compare;
use serde::Serialize;
use store::{Conn, Page, builds, sets};
use utoipa::ToSchema;

use super::builds::named;
use super::{Admin, AdminError};

/// How many builds are looked at for one of the same flavour that came before.
const BACK: u32 = 50;

/// The facets of a build's packages.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacetList {
    /// The build.
    pub nvr: String,
    /// The facets, by package and architecture.
    pub facets: Vec<FacetView>,
}

/// One facet of one package.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FacetView {
    /// The package, or the image.
    pub package: String,
    /// Its architecture.
    pub arch: String,
    /// Which facet.
    pub facet: Facet,
    /// The digest over its lines: the same digest means that nothing of it changed.
    pub digest: Digest,
    /// How many lines it has.
    pub size: usize,
    /// The lines; left out unless one package was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Vec<String>>,
}

/// How the facets of a build differ from those of another.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuildDifference {
    /// The build.
    pub nvr: String,
    /// The one it is compared with.
    pub since: String,
    /// What differs, by package and facet.
    pub changes: Vec<FacetChange>,
}

impl Admin {
    /// The facets of a build named by number or NVR: of all its packages in short, or of one with their lines.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build, it has no outputs, or made no such package.
    pub async fn facets(
        &self,
        build: &str,
        package: Option<&str>,
        facet: Option<Facet>,
    ) -> Result<FacetList, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = named(&mut reader, build).await?;
        let BuildFacets(mut found) = read(&mut reader, &build).await?;
        if let Some(name) = package {
            found.retain(|facets| facets.package == name);
            if found.is_empty() {
                return Err(AdminError::NotFound(format!("{} made no package {name}", build.nvr)));
            }
        }
        let wanted = |found: Facet| facet.is_none_or(|facet| facet == found);
        let views = found.into_iter().flat_map(|facets| {
            let (package, arch) = (facets.package, facets.arch);
            facets
                .facets
                .into_iter()
                .map(move |(facet, lines)| (package.clone(), arch.clone(), facet, lines))
        });
        let view = |(name, arch, facet, lines): (String, String, Facet, Vec<String>)| FacetView {
            package: name,
            arch,
            facet,
            digest: Digest::of_fields(&lines),
            size: lines.len(),
            lines: package.is_some().then_some(lines),
        };
        let facets = views.filter(|(_, _, facet, _)| wanted(*facet)).map(view).collect();
        Ok(FacetList { nvr: build.nvr.to_string(), facets })
    }

    /// How the facets of a build differ from those of an earlier one; both are named by number or NVR.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build, or it has no outputs.
    pub async fn difference(
        &self,
        build: &str,
        since: &str,
    ) -> Result<BuildDifference, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let (new, old) = (named(&mut reader, build).await?, named(&mut reader, since).await?);
        let (made, before) = (read(&mut reader, &new).await?, read(&mut reader, &old).await?);
        Ok(BuildDifference {
            nvr: new.nvr.to_string(),
            since: old.nvr.to_string(),
            changes: compare(&before, &made),
        })
    }
}

impl Admin {
    /// How the facets of a build differ from those of the last one before it; none for a first build, or one without
    /// outputs.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn difference_to_last(
        &self,
        name: &str,
    ) -> Result<Option<BuildDifference>, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = named(&mut reader, name).await?;
        if !matches!(build.state, BuildState::Succeeded { .. }) {
            return Ok(None);
        }
        let page = Page::before(build.number, BACK);
        let before = builds::list(&mut reader, Some(&build.artifact), Some("succeeded"), page);
        let before = before.await?.into_iter().find(|other| other.flavour == build.flavour);
        drop(reader);
        match before {
            Some(before) => {
                let (new, old) = (build.number.to_string(), before.number.to_string());
                Ok(Some(self.difference(&new, &old).await?))
            }
            None => Ok(None),
        }
    }
}

async fn read(conn: &mut Conn, build: &Build) -> Result<BuildFacets, AdminError> {
    let BuildState::Succeeded { output, .. } = build.state else {
        let state = build.state.name();
        return Err(AdminError::NotFound(format!("{} is {state}: it has no outputs", build.nvr)));
    };
    let output: Option<BuildOutput> = sets::get_json(conn, output).await?;
    let mut facets = Vec::new();
    for reference in output.map(|output| output.facets).unwrap_or_default() {
        let found: Option<PackageFacets> = sets::get_json(conn, reference.digest).await?;
        facets.extend(found);
    }
    Ok(BuildFacets(facets))
}
