//! `GET /api/v1/images`: the newest image of each artifact, and what each holds of a package.

use std::sync::Arc;

use axum::Json;
use axum::extract::{OriginalUri, State};
use axum::http::HeaderMap;
use model::artifact::InvalidName;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::admin::images::ImageView;
use crate::admin::{ArtifactKey, BranchName, Capability};
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::{Cursor, Limit, Listing, listed, one_more};
use crate::api::problem::Problem;

/// Which images.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Say of each what it holds of this package: `zlib`, or `zlib<1.3-2.f44`. Versions are compared within one branch
    /// only, so that `branch` has to be given where there are several.
    #[param(value_type = Option<String>, example = "zlib<1.3-2.f44")]
    contains: Option<PackageQuery>,
    /// On this branch.
    branch: Option<BranchName>,
    /// How many a page has.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200, default = 50)]
    limit: Option<Limit>,
    /// A cursor out of `next`.
    #[param(value_type = Option<String>)]
    after: Option<Cursor>,
}

/// A package and perhaps a range of versions, with or without blanks around the sign.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct PackageQuery(pub(crate) Capability);

impl TryFrom<String> for PackageQuery {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let invalid = || InvalidName {
            what: "package",
            text: text.clone(),
            expected: "NAME, or NAME < [EPOCH:]VERSION[-RELEASE] with <, <=, =, >= or >",
        };
        let sign = |c: char| matches!(c, '<' | '=' | '>');
        let spaced = match text.find(sign) {
            Some(at) => {
                let (name, rest) = text.split_at(at);
                let behind = rest.find(|c: char| !sign(c)).unwrap_or(rest.len());
                let (sign, version) = rest.split_at(behind);
                let (name, version) = (name.trim(), version.trim());
                if name.is_empty() || version.is_empty() {
                    return Err(invalid());
                }
                format!("{name} {sign} {version}")
            }
            None => text.trim().to_owned(),
        };
        spaced.parse().map(Self).map_err(|_| invalid())
    }
}

/// A page of images.
#[derive(Serialize, ToSchema)]
pub(crate) struct Images {
    /// Whether any build of the branch makes a package of the name that was asked for; left out where none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    known: Option<bool>,
    /// The page.
    #[serde(flatten)]
    page: Listing<ImageView>,
}

/// The newest image of each artifact, sorted by artifact. Asked for a package, each says whether it contains it in a
/// version that was asked for, in another one, not at all, or whether nobody knows.
#[utoipa::path(
    get,
    path = "/images",
    tag = "images",
    operation_id = "list_images",
    params(Wanted),
    responses(
        (status = 200, description = "The images.", body = Images),
        (status = 422, description = "There are several branches, and none is named."),
    ),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    OriginalUri(uri): OriginalUri,
    Query(wanted): Query<Wanted>,
) -> Result<(HeaderMap, Json<Images>), Problem> {
    let Wanted { contains, branch, limit, after } = wanted;
    let after: Option<ArtifactKey> = after.map(|after| after.parse()).transpose()?;
    let contains = contains.map(|PackageQuery(package)| package);
    let found = api.admin.images(branch.as_ref(), contains.as_ref()).await?;
    let rest = found.images.into_iter().filter(|image| Some(&image.artifact) > after.as_ref());
    let rest = rest.take(one_more(limit) as usize).collect();
    let (headers, Json(page)) =
        listed(&uri, rest, limit, |last: &ImageView| ("after", last.artifact.to_string()));
    Ok((headers, Json(Images { known: found.known, page })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_the_sign_may_be_left_out() {
        for (text, expected) in [
            ("zlib", "zlib"),
            ("zlib<1.3-2.f44", "zlib < 1.3-2.f44"),
            (" zlib >=  1:1 ", "zlib >= 1:1"),
            ("zlib=1", "zlib = 1"),
        ] {
            let PackageQuery(package) = text.to_owned().try_into().unwrap();
            assert_eq!(package.to_string(), expected);
        }
        for bad in ["", "<", "<1", "zlib<", "zlib<>1"] {
            assert!(PackageQuery::try_from(bad.to_owned()).is_err(), "{bad:?} was accepted");
        }
    }
}
