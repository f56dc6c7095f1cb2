//! Which deliverables of a compose are made, and which are taken over from the compose before, each with the reason.

use model::compose::{ComposeOutput, ComposedArch, Deliverable, DeliverableKey};

use super::difference::{Changed, changed_images, changed_packages};

/// How a deliverable comes about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The deliverable; it says which compose it comes from, if it is reused.
    pub deliverable: Deliverable,
    /// Why, as a sentence.
    pub reason: String,
}

/// Decides for every deliverable of `wanted`. `previous` is the last compose of the same release whose folder is there.
pub fn choose(previous: Option<&ComposeOutput>, wanted: &ComposeOutput) -> Vec<Choice> {
    let choice = |deliverable: &Deliverable| choose_one(previous, wanted, deliverable);
    wanted.deliverables.iter().map(choice).collect()
}

fn choose_one(
    previous: Option<&ComposeOutput>,
    wanted: &ComposeOutput,
    deliverable: &Deliverable,
) -> Choice {
    let key = &deliverable.key;
    let earlier = previous.and_then(|previous| Some((previous, previous.deliverable(key)?)));
    let made = |why: String| Choice {
        deliverable: deliverable.clone(),
        reason: format!("{key} {} made: {why}", verb(key)),
    };
    match (previous, earlier) {
        (None, _) => made("it is the first compose of this release".to_owned()),
        (Some(previous), None) => made(format!("{} had none", previous.id)),
        (Some(_), Some((previous, earlier))) if earlier.input == deliverable.input => {
            let origin = earlier.reused_from.clone().unwrap_or_else(|| previous.id.clone());
            let reason = format!(
                "{key} {} reused from {origin}: none of {} inputs changed",
                verb(key),
                if verb(key) == "is" { "its" } else { "their" }
            );
            let reused_from = Some(origin);
            let deliverable =
                Deliverable { size: earlier.size, reused_from, ..deliverable.clone() };
            Choice { deliverable, reason }
        }
        (Some(_), Some((previous, _))) => made(what_changed(previous, wanted, key)),
    }
}

fn verb(key: &DeliverableKey) -> &'static str {
    match key {
        DeliverableKey::Comps { .. } | DeliverableKey::Source { .. } => "are",
        _ => "is",
    }
}

/// Which of its inputs changed.
fn what_changed(previous: &ComposeOutput, wanted: &ComposeOutput, key: &DeliverableKey) -> String {
    match key {
        DeliverableKey::Metadata => format!("it describes {}", wanted.id),
        DeliverableKey::Comps { .. } => "comps.xml changed".to_owned(),
        DeliverableKey::Repository { variant, arch } => {
            let groups = DeliverableKey::Comps { variant: variant.clone(), arch: arch.clone() };
            let input = |output: &ComposeOutput| output.deliverable(&groups).map(|it| it.input);
            let regrouped = input(previous) != input(wanted);
            let (old, new) = (contents(previous, key), contents(wanted, key));
            sentence(&changed_packages(&old, &new), regrouped.then_some("its groups changed"))
        }
        DeliverableKey::Image { name, .. } => {
            let (old, new) = (contents(previous, key), contents(wanted, key));
            let mut changed = changed_images(&old, &new);
            changed.retain(|changed| changed.name == name.as_str());
            sentence(&changed, None)
        }
        DeliverableKey::Source { .. } => {
            let (old, new) = (contents(previous, key), contents(wanted, key));
            sentence(&changed_packages(&old, &new), Some("source packages changed"))
        }
    }
}

/// What is in a deliverable's variant on its architecture, on all of them if it has none.
fn contents(output: &ComposeOutput, key: &DeliverableKey) -> ComposedArch {
    let mut contents = ComposedArch::default();
    let variant = key.variant().and_then(|variant| output.variants.get(variant));
    for (arch, more) in variant.iter().flat_map(|variant| &variant.arches) {
        if key.arch().is_none_or(|wanted| wanted == arch) {
            contents.packages.extend(more.packages.iter().cloned());
            contents.images.extend(more.images.iter().cloned());
        }
    }
    contents
}

/// The first change, how many more there are, and what else there is to say.
fn sentence(changed: &[Changed], also: Option<&str>) -> String {
    let first = changed.first().map(|first| match changed.len() - 1 {
        0 => first.to_string(),
        1 => format!("{first}, and 1 more changed"),
        more => format!("{first}, and {more} more changed"),
    });
    match (first, also) {
        (Some(first), Some(also)) => format!("{first}; {also}"),
        (Some(first), None) => first,
        (None, also) => also.unwrap_or("its inputs changed").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::fixture::compose;

    const FIRST: &str = "A-1-20260101.n.0";
    const SECOND: &str = "A-1-20260102.n.0";

    /// What is told of everything but the metadata.
    fn told(previous: Option<&ComposeOutput>, wanted: &ComposeOutput) -> String {
        let choices = choose(previous, wanted);
        let told = choices.iter().map(|choice| choice.reason.as_str());
        told.filter(|reason| !reason.starts_with("the metadata")).collect::<Vec<_>>().join("\n")
    }

    fn check(previous: &str, wanted: &str, expected: &str) {
        let previous = compose(FIRST, previous);
        assert_eq!(told(Some(&previous), &compose(SECOND, wanted)), expected);
    }

    #[test]
    fn the_first_compose_is_made_whole() {
        assert_eq!(
            told(None, &compose(FIRST, "Server: a-1-1.noarch")),
            "the repository of Server for x86_64 is made: it is the first compose of this release\n\
             the sources of Server are made: it is the first compose of this release"
        );
    }

    #[test]
    fn a_variant_that_nothing_touched_is_reused() {
        check(
            "Server: a-1-1.noarch b-1-1.noarch c-1-1.noarch\nDesk: d-1-1.noarch @core *base-1-1",
            "Server: a-1-2.noarch b-1-2.noarch c-1-2.noarch\nDesk: d-1-1.noarch @core *base-1-1",
            "the groups of Desk for x86_64 are reused from A-1-20260101.n.0: none of their inputs changed\n\
             the repository of Desk for x86_64 is reused from A-1-20260101.n.0: none of its inputs changed\n\
             the repository of Server for x86_64 is made: a.noarch was upgraded from 1-1 to 1-2, and 2 more changed\n\
             the sources of Desk are reused from A-1-20260101.n.0: none of their inputs changed\n\
             the sources of Server are made: a.noarch was upgraded from 1-1 to 1-2, and 2 more changed; source packages changed\n\
             the image base of Desk for x86_64 is reused from A-1-20260101.n.0: none of its inputs changed",
        );
    }

    #[test]
    fn what_is_made_says_which_input_changed() {
        check(
            "Server: a-1-1.noarch b-1-1.noarch @core *base-1-1",
            "Server: a-1-1.noarch @more *base-1-1.1",
            "the groups of Server for x86_64 are made: comps.xml changed\n\
             the repository of Server for x86_64 is made: b.noarch was removed at 1-1; its groups changed\n\
             the sources of Server are made: b.noarch was removed at 1-1; source packages changed\n\
             the image base of Server for x86_64 is made: base was upgraded from 1-1 to 1-1.1",
        );
        check(
            "Server: a-1-1.noarch",
            "Server: a-1-1.noarch @core\nDesk: *base-1-1",
            "the groups of Server for x86_64 are made: A-1-20260101.n.0 had none\n\
             the repository of Server for x86_64 is made: its groups changed\n\
             the sources of Server are reused from A-1-20260101.n.0: none of their inputs changed\n\
             the image base of Desk for x86_64 is made: A-1-20260101.n.0 had none",
        );
    }

    #[test]
    fn what_was_reused_before_says_where_it_was_made() {
        let first = compose(FIRST, "Server: a-1-1.noarch");
        let mut second = compose(SECOND, "Server: a-1-1.noarch");
        second.deliverables =
            choose(Some(&first), &second).into_iter().map(|it| it.deliverable).collect();
        let third = choose(Some(&second), &compose("A-1-20260103.n.0", "Server: a-1-1.noarch"));
        assert_eq!(third[0].deliverable.reused_from, Some(first.id));
        let metadata = third.last().unwrap();
        assert_eq!(metadata.deliverable.reused_from, None);
        assert_eq!(metadata.reason, "the metadata is made: it describes A-1-20260103.n.0");
    }
}
