//! The inputs of a source package: its BuildRequires, resolved from the overlay.

use model::build::{Buildroot, Flavour, Inputs};
use model::requirement::Requirement;
use model::source::SourceContent;

use super::inputs::{Lacking, Resolved};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::{self, Repository, Resolution};

/// Resolves the buildroot of one flavour.
pub(super) async fn resolve(
    context: &Context,
    repository: &Repository,
    content: &SourceContent,
    flavour: Flavour,
) -> Result<Result<Resolved, Lacking>, StageError> {
    let needs = needs(content, flavour);
    let wishes = needs.iter().map(Requirement::to_string).collect();
    Ok(match resolving::resolve(context, repository, wishes, needs).await? {
        Resolution::Installed(installed) => Ok(Resolved {
            digests: installed.iter().map(|package| package.digest.to_string()).collect(),
            inputs: Inputs::Buildroot(Buildroot(installed)),
        }),
        Resolution::Problems(problems) => Err(problems),
    })
}

fn needs(content: &SourceContent, flavour: Flavour) -> &[Requirement] {
    match (&content.bootstrap, flavour) {
        (Some(bootstrap), Flavour::Bootstrap) => &bootstrap.build_requires,
        _ => &content.build_requires,
    }
}
