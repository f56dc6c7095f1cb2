//! `…buildsys.tag`: a Koji hub put a build into a tag, as fedora-messaging tells it. That the build is complete is told
//! earlier, but not where it goes; the tag is what a branch is called here.
//!
//! ```json
//! {"name": "zlib", "version": "1.3", "release": "2.f44", "tag": "f44", "owner": "ann", "instance": "primary"}
//! ```
//! `owner` and `instance` may be left out.

use model::artifact::{ArtifactKey, ArtifactKind, ArtifactName};
use model::event::Event;
use model::version::{Evr, Nvr};

use super::body::{Body, unreadable_field};
use super::{Reading, Unreadable};

/// How the topic ends; before it stands the prefix of the bus, e.g. `org.fedoraproject.prod.`.
pub const TOPIC: &str = "buildsys.tag";

/// Whether a topic is this one.
pub(super) fn is_meant(topic: &str) -> bool {
    topic.strip_suffix(TOPIC).is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
}

pub(super) fn translate(body: &Body) -> Result<Reading, Unreadable> {
    let name: ArtifactName = body.parsed("name")?;
    let (version, release) = (part(body, "version")?, part(body, "release")?);
    let nvr = Nvr { name: name.to_string(), evr: Evr { epoch: 0, version, release } };
    Ok(Reading::Event(Event::Built {
        artifact: ArtifactKey { kind: ArtifactKind::Rpms, name, branch: body.parsed("tag")? },
        nvr: nvr.to_string(),
        by: body.optional_text("owner")?.map(str::to_owned),
        system: format!("koji {}", body.optional_text("instance")?.unwrap_or("primary")),
        at: None,
    }))
}

/// A version or a release: a text at which an NVR can be taken apart again.
fn part(body: &Body, field: &str) -> Result<String, Unreadable> {
    let text = body.filled_text(field)?;
    if text.bytes().all(|byte| byte.is_ascii_graphic() && !b"-:/".contains(&byte)) {
        Ok(text.to_owned())
    } else {
        Err(unreadable_field(field, format!("{text:?} is no {field} of a build")))
    }
}
