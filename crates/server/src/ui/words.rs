//! What the states of things are called, with an icon and a tone for each: never a colour alone.
//!
//! Missing, queued, running, errored and failed look different everywhere.

use std::collections::BTreeMap;

use maud::{Markup, html};
use model::gate::{Objection, ObjectionKind};
use model::test::Outcome;

use super::assets;

/// A state's word, its icon and its tone.
const WORDS: &[(&str, &str, &str)] = &[
    // Steps.
    ("waiting", "undecided", "waiting"),
    ("unneeded", "left", "quiet"),
    ("rebuild", "queued", "waiting"),
    ("building", "running", "moving"),
    ("built", "built", "moving"),
    ("passed", "passed", "good"),
    ("published", "published", "good"),
    ("failed", "failed", "failed"),
    ("held", "held", "held"),
    ("retest", "queued", "waiting"),
    ("testing", "running", "moving"),
    ("retested", "passed", "good"),
    ("superseded", "superseded", "quiet"),
    ("cancelled", "cancelled", "quiet"),
    // Builds, test runs and plans.
    ("queued", "queued", "waiting"),
    ("running", "running", "moving"),
    ("succeeded", "passed", "good"),
    ("finished", "passed", "good"),
    ("done", "passed", "good"),
    ("proposed", "pen", "held"),
    ("dry-run", "undecided", "quiet"),
    ("shadow", "undecided", "quiet"),
    // Objections and results.
    ("missing", "missing", "missing"),
    ("errored", "errored", "errored"),
    ("removed", "pen", "held"),
    ("unsettled", "cycle", "held"),
    ("unsigned", "pen", "held"),
    ("info", "passed", "good"),
    ("needs inspection", "held", "held"),
    // Events.
    ("new", "queued", "waiting"),
    ("planned", "passed", "good"),
    ("rejected", "failed", "failed"),
    // Rules.
    ("real", "passed", "good"),
    ("off", "cancelled", "quiet"),
    ("yes", "passed", "good"),
    ("depends", "undecided", "waiting"),
    ("no", "left", "quiet"),
    // Gates.
    ("open", "passed", "good"),
    ("refused", "held", "held"),
    // Images and composes.
    ("not published", "left", "quiet"),
    ("contained", "passed", "good"),
    ("another version", "superseded", "waiting"),
    ("absent", "left", "quiet"),
    ("unknown", "undecided", "missing"),
    ("added", "added", "good"),
    ("gone", "cancelled", "failed"),
    ("upgraded", "up", "good"),
    ("downgraded", "down", "held"),
    ("replaced", "cycle", "waiting"),
    ("reused", "cycle", "quiet"),
    ("made", "built", "moving"),
    // Whereabouts.
    ("current", "passed", "good"),
    ("complete", "built", "good"),
    ("under way", "running", "moving"),
    ("on its way", "queued", "waiting"),
    ("undecided", "undecided", "waiting"),
    ("stuck", "held", "held"),
    ("never built", "missing", "missing"),
    // Holds, waivers and artifacts.
    ("in force", "held", "held"),
    ("ended", "left", "quiet"),
    ("retired", "cancelled", "quiet"),
    ("frozen", "held", "held"),
];

/// The icon and the tone of a state.
pub(super) fn look(word: &str) -> (&'static str, &'static str) {
    let known = WORDS.iter().find(|(known, ..)| *known == word);
    known.map_or(("undecided", "waiting"), |(_, icon, tone)| (icon, tone))
}

/// An icon for the eye only: a word stands beside it.
pub(super) fn icon(name: &str) -> Markup {
    html! {
        svg class={ "icon icon-" (name) } width="16" height="16" aria-hidden="true" {
            use href={ (assets::url("icons.svg")) "#" (name) } {}
        }
    }
}

/// A state as a word with its icon.
pub(super) fn state(word: &str) -> Markup {
    let (name, tone) = look(word);
    html! { span class={ "state tone-" (tone) } { (icon(name)) (word) } }
}

/// Counts of steps by state, in the order in which a step goes through the states.
pub(super) fn in_order(counts: &BTreeMap<String, usize>) -> Vec<(&'static str, usize)> {
    const ORDER: [&str; 14] = [
        "published",
        "passed",
        "retested",
        "unneeded",
        "built",
        "testing",
        "building",
        "retest",
        "rebuild",
        "waiting",
        "held",
        "failed",
        "superseded",
        "cancelled",
    ];
    ORDER.into_iter().filter_map(|state| Some((state, *counts.get(state)?))).collect()
}

/// What an outcome is called.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Queued => "queued",
        Outcome::Running => "running",
        Outcome::Passed => "passed",
        Outcome::Info => "info",
        Outcome::Failed => "failed",
        Outcome::NeedsInspection => "needs inspection",
        Outcome::Error => "errored",
    }
}

/// What is the matter with a required test case, in a word and with what is known of it.
pub(super) fn objection(objection: &Objection) -> (&'static str, Option<String>) {
    match &objection.kind {
        ObjectionKind::Missing => ("missing", None),
        ObjectionKind::Queued => ("queued", None),
        ObjectionKind::Running => ("running", None),
        ObjectionKind::Errored { note } => ("errored", Some(note.clone())),
        ObjectionKind::Failed { note } => ("failed", Some(note.clone())),
        ObjectionKind::Removed => ("removed", Some("a commit removed it from its gate".to_owned())),
        ObjectionKind::Unsigned => ("unsigned", Some("a person has to agree".to_owned())),
        ObjectionKind::Unsettled { facets } => {
            ("unsettled", Some(format!("these facets keep moving: {}", facets.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::step::StepState;

    #[test]
    fn every_state_has_its_own_word_and_an_icon_that_is_there() {
        let icons = include_str!("assets/icons.svg");
        for (word, icon, _) in WORDS {
            assert!(icons.contains(&format!("id=\"{icon}\"")), "{word} wants the icon {icon}");
        }
        for name in StepState::NAMES {
            assert!(WORDS.iter().any(|(word, ..)| *word == name), "{name} has no icon");
        }
    }

    #[test]
    fn the_five_that_must_not_be_mistaken_look_different() {
        let looks = ["missing", "queued", "running", "errored", "failed"].map(look);
        for (index, one) in looks.iter().enumerate() {
            for other in &looks[index + 1..] {
                assert!(one.0 != other.0 && one.1 != other.1, "{one:?} and {other:?}");
            }
        }
    }
}
