//! `git.ref`: a branch of dist-git moved, came or went.
//!
//! ```json
//! {"repository": "rpms/zlib", "branch": "f44", "new": "9f1c…", "old": "02ab…", "forced": false,
//!  "subject": "Fix inflate", "severity": "none"}
//! ```
//! `new` is null when the branch is gone, `old` when it is new; `forced`, `subject` and `severity` may be left out.

use model::artifact::{ArtifactKey, ArtifactKind, CommitId};
use model::event::Event;

use super::body::{Body, unreadable_field};
use super::{Reading, Unreadable};

/// The topic.
pub const TOPIC: &str = "git.ref";

pub(super) fn translate(body: &Body) -> Result<Reading, Unreadable> {
    let repository = body.text("repository")?;
    let Some((namespace, name)) = repository.split_once('/') else {
        let reason = format!("{repository:?} is not NAMESPACE/NAME, e.g. rpms/zlib");
        return Err(unreadable_field("repository", reason));
    };
    let Some(kind) = ArtifactKind::ALL.into_iter().find(|kind| kind.as_str() == namespace) else {
        return Ok(Reading::Ignored { reason: format!("nothing is built from {namespace:?}") });
    };
    let name = name.parse().map_err(|error| unreadable_field("repository", format!("{error}")))?;
    let artifact = ArtifactKey { kind, name, branch: body.parsed("branch")? };
    moved(body, artifact)
}

fn moved(body: &Body, artifact: ArtifactKey) -> Result<Reading, Unreadable> {
    let old: Option<CommitId> = body.optional_parsed("old")?;
    let new: Option<CommitId> = body.optional_parsed("new")?;
    let event = match (new, old) {
        (None, None) => {
            return Err(unreadable_field(
                "new",
                "neither new nor old says where the branch points",
            ));
        }
        (Some(new), Some(old)) if new == old => {
            return Ok(Reading::Ignored { reason: format!("{artifact} did not move") });
        }
        (None, Some(previous)) => Event::BranchDeleted { artifact, previous },
        (Some(commit), previous) => Event::Committed {
            artifact,
            commit,
            previous,
            forced: body.flag("forced")?,
            severity: body.severity("severity")?,
            subject: body.optional_text("subject")?.unwrap_or_default().to_owned(),
        },
    };
    Ok(Reading::Event(event))
}
