//! Who is told of a notice.

use std::collections::BTreeMap;

use model::artifact::ArtifactKey;
use model::notice::{Channel, Notice, NoticeKind, Subscription};

use crate::gate::glob;

/// The wishes that a notice answers: one for each person and way to reach them, the quickest if there are several.
/// `cause` is the artifact in whose event the reasons end: its people want to know what it brought about.
pub fn recipients<'a>(
    subscriptions: &'a [Subscription],
    notice: &Notice,
    cause: Option<&ArtifactKey>,
) -> Vec<&'a Subscription> {
    let mut chosen: BTreeMap<(&str, &Channel), &Subscription> = BTreeMap::new();
    for wish in subscriptions {
        if !wish.on.contains(&notice.kind) || !concerns(&wish.artifacts, notice, cause) {
            continue;
        }
        let quickest = chosen.entry((&wish.person, &wish.channel)).or_insert(wish);
        if wish.pace < quickest.pace {
            *quickest = wish;
        }
    }
    chosen.into_values().collect()
}

/// Whether a notice is about an artifact of these globs, or was caused by one; every notice is if there are none.
pub fn concerns(globs: &[String], notice: &Notice, cause: Option<&ArtifactKey>) -> bool {
    if globs.is_empty() || notice.kind == NoticeKind::ShadowReport {
        return true;
    }
    let members = notice.members.iter().map(|member| &member.artifact);
    members.chain(cause).any(|artifact| {
        let name = artifact.to_string();
        globs.iter().any(|wanted| glob::matches(wanted, &name))
    })
}
