//! Reports of plans -> what a push caused, artifact by artifact, in the shape of the files of expectations.

use std::collections::{BTreeMap, BTreeSet};

use model::artifact::{ArtifactKey, ArtifactKind};
use model::build::FailureKind;
use model::compose::ComposeOutput;
use model::edge::Edge;
use model::reason::Reason;
use model::requirement::Requirement;
use model::source::SourceProblem;
use model::step::StepState;
use pipeline::plan::report::{PlanReport, StepReport};
use serde::{Deserialize, Serialize};

/// What a push caused. What is in none of these was not reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Built, each with the cause that decided it.
    pub rebuilt: BTreeMap<ArtifactKey, String>,
    /// Not built, but tested again.
    pub retested: BTreeSet<ArtifactKey>,
    /// Reached by the graph, neither rebuilt nor retested.
    pub unneeded: BTreeSet<ArtifactKey>,
    /// To be rebuilt once others are through.
    pub waiting: BTreeMap<ArtifactKey, WaitingStep>,
    /// Rebuilt, and refused by the gate on account of these test cases.
    pub held: BTreeMap<ArtifactKey, BTreeSet<Objected>>,
    /// To be rebuilt, but the build failed in this way.
    pub failed: BTreeMap<ArtifactKey, FailureKind>,
    /// The commit cannot be read.
    pub rejected: BTreeMap<ArtifactKey, SourceProblem>,
    /// How the deliverables of each compose that was built came about.
    pub composes: BTreeMap<ArtifactKey, Composed>,
}

/// The deliverables of a compose by their paths, such as `Server/x86_64/os`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Composed {
    /// Taken over from an earlier compose, since none of their inputs changed.
    pub reused: BTreeSet<String>,
    /// Made for this one.
    pub made: BTreeSet<String>,
}

/// A step that waits for the gates of others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WaitingStep {
    /// What decided that it is rebuilt; `undecided` while nothing did.
    pub because: String,
    /// Whose gates it waits for.
    pub waits_for: BTreeSet<ArtifactKey>,
}

/// A test case that stands against a build.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objected {
    /// Whose test.
    pub artifact: ArtifactKey,
    /// Which one.
    pub case: String,
}

/// What artifacts are called in print. A package has the name everybody knows; others may have the same one.
pub(super) fn shown(artifact: &ArtifactKey) -> String {
    match artifact.kind {
        ArtifactKind::Rpms => artifact.name.to_string(),
        kind => format!("{kind}/{}", artifact.name),
    }
}

impl Composed {
    pub(super) fn of(output: &ComposeOutput) -> Self {
        let mut composed = Self::default();
        for deliverable in &output.deliverables {
            let how = match deliverable.reused_from {
                Some(_) => &mut composed.reused,
                None => &mut composed.made,
            };
            how.insert(deliverable.path.clone());
        }
        composed
    }

    /// The variants, each with what was made of it and what was reused, without the variant's name.
    pub(super) fn variants(&self) -> BTreeMap<&str, (Vec<&str>, Vec<&str>)> {
        let mut variants: BTreeMap<&str, (Vec<&str>, Vec<&str>)> = BTreeMap::new();
        // What has no folder of a variant belongs to all of them.
        for (variant, what) in self.made.iter().filter_map(|path| path.split_once('/')) {
            variants.entry(variant).or_default().0.push(what);
        }
        for (variant, what) in self.reused.iter().filter_map(|path| path.split_once('/')) {
            variants.entry(variant).or_default().1.push(what);
        }
        variants
    }
}

impl Outcome {
    /// What the plans that answer a push came to; without the composes, of which plans say too little.
    pub(super) fn of(plans: &[PlanReport], rejected: BTreeMap<ArtifactKey, SourceProblem>) -> Self {
        let mut outcome = Self { rejected, ..Self::default() };
        for step in plans.iter().flat_map(|plan| &plan.steps) {
            outcome.count(step);
        }
        outcome
    }

    fn count(&mut self, step: &StepReport) {
        let artifact = step.artifact.clone();
        match &step.state {
            StepState::Unneeded => {
                self.unneeded.insert(artifact);
            }
            StepState::Retest | StepState::Testing { .. } | StepState::Retested { .. } => {
                self.retested.insert(artifact);
            }
            StepState::Waiting | StepState::Rebuild => {
                let waits_for = step.waits_for.iter().cloned().collect();
                let waiting = WaitingStep { because: cause(&step.reason), waits_for };
                self.waiting.insert(artifact, waiting);
            }
            StepState::Failed { failure, .. } => {
                self.failed.insert(artifact, failure.kind);
            }
            StepState::Held { objections, .. } => {
                let objected = objections.iter().map(|objection| Objected {
                    artifact: objection.artifact.clone(),
                    case: objection.case.clone(),
                });
                self.held.insert(artifact.clone(), objected.collect());
                self.rebuilt.insert(artifact, cause(&step.reason));
            }
            StepState::Building { .. }
            | StepState::Built { .. }
            | StepState::Passed { .. }
            | StepState::Published { .. } => {
                self.rebuilt.insert(artifact, cause(&step.reason));
            }
            // Another plan goes on with it, or a person took it out: neither is this plan's doing.
            StepState::Superseded { .. } | StepState::Cancelled { .. } => {}
        }
    }

    /// Every artifact that was reached.
    pub(super) fn reached(&self) -> BTreeSet<&ArtifactKey> {
        let sets = self.retested.iter().chain(&self.unneeded);
        let built = self.rebuilt.keys().chain(self.waiting.keys());
        sets.chain(built).chain(self.failed.keys()).chain(self.rejected.keys()).collect()
    }
}

/// A reason in the short form of the expectations: `commit`, `PACKAGE:FACET`, `requires CAPABILITY`, `ships PACKAGE` or
/// `ships containers/IMAGE`.
fn cause(reason: &Reason) -> String {
    match reason {
        Reason::SourceChanged { .. } => "commit".to_owned(),
        Reason::Listens { change, .. } | Reason::UsesAtRunTime { change, .. } => {
            format!("{}:{}", change.package, change.facet)
        }
        Reason::RequirementLost { requirement, .. } => {
            // The version differs from build to build; the name is what was lost.
            let name = requirement.parse().ok().and_then(|requirement: Requirement| {
                requirement.capability().map(|capability| capability.name.clone())
            });
            format!("requires {}", name.as_ref().unwrap_or(requirement))
        }
        Reason::Replaced { edge: Edge { dependency, package, .. } } => match dependency.kind {
            ArtifactKind::Rpms => format!("ships {package}"),
            _ => format!("ships {}", shown(dependency)),
        },
        Reason::Bootstrapped { .. } => "bootstrap".to_owned(),
        Reason::Reached { .. } => "undecided".to_owned(),
        other => other.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_requirement_is_named_without_its_version() {
        let check = |requirement: &str, expected: &str| {
            let edge = |name: &str| format!("rpms/{name}#f44").parse().unwrap();
            let reason = Reason::RequirementLost {
                edge: model::edge::Edge {
                    dependent: edge("app"),
                    dependency: edge("zlib"),
                    kind: model::edge::EdgeKind::Requires,
                    package: "zlib".to_owned(),
                    evidence: model::edge::Evidence::Spec {
                        commit: "0".repeat(40).parse().unwrap(),
                        capability: requirement.to_owned(),
                    },
                },
                package: "app".to_owned(),
                requirement: requirement.to_owned(),
            };
            assert_eq!(cause(&reason), expected);
        };
        check("zlib(x86-64) = 1.2-3.f44", "requires zlib(x86-64)");
        check("libz.so.1()(64bit)", "requires libz.so.1()(64bit)");
        check("(zlib >= 1 if gui)", "requires (zlib >= 1 if gui)");
    }

    #[test]
    fn what_a_compose_ships_is_named_so_that_images_and_packages_are_told_apart() {
        let check = |dependency: &str, package: &str, expected: &str| {
            let edge = Edge {
                dependent: "composes/sky#f44".parse().unwrap(),
                dependency: dependency.parse().unwrap(),
                kind: model::edge::EdgeKind::Ships,
                package: package.to_owned(),
                evidence: model::edge::Evidence::Contents {
                    build: "1".repeat(32).parse().unwrap(),
                },
            };
            assert_eq!(cause(&Reason::Replaced { edge }), expected);
        };
        check("rpms/zlib#f44", "zlib-devel", "ships zlib-devel");
        check("containers/zlib#f44", "zlib", "ships containers/zlib");
    }

    #[test]
    fn a_variant_is_what_its_folder_says() {
        let set = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect();
        let composed = Composed {
            reused: set(&["Desk/x86_64/os", "Server/x86_64/comps.xml"]),
            made: set(&["Server/x86_64/os", "metadata"]),
        };
        let variants: Vec<_> = composed.variants().into_iter().collect();
        let expected = [
            ("Desk", (vec![], vec!["x86_64/os"])),
            ("Server", (vec!["x86_64/os"], vec!["x86_64/comps.xml"])),
        ];
        assert_eq!(variants, expected);
    }
}
