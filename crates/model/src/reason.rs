//! Reasons: why something is done or left, machine-readable and as a sentence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, CommitId};
use crate::edge::Edge;
use crate::event::Severity;
use crate::facet::FacetChange;
use crate::id::EventId;
use crate::rule::RuleId;

/// Why an artifact is rebuilt, retested or left alone.
///
/// Following the edges of a reason from artifact to artifact ends in an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Reason {
    /// Its source changed.
    SourceChanged {
        /// The event that said so.
        event: EventId,
        /// The commit to build.
        commit: CommitId,
        /// The commit's subject.
        subject: String,
    },
    /// Somebody asked for it.
    Requested {
        /// The event that said so.
        event: EventId,
        /// Who asked.
        by: String,
        /// Why.
        reason: String,
    },
    /// It could be reached; what its dependencies change decides whether it is touched.
    Reached {
        /// The edge by which it was reached first.
        edge: Edge,
    },
    /// An edge of its listens to a facet that changed.
    Listens {
        /// The edge.
        edge: Edge,
        /// What changed.
        change: FacetChange,
    },
    /// It ships a package or an image that was built anew.
    Replaced {
        /// The edge.
        edge: Edge,
    },
    /// A compose or an image asks for it, and it was never built.
    Missing {
        /// The event that brought that one about.
        event: EventId,
        /// Who asks for it.
        by: ArtifactKey,
    },
    /// Something it requires was there and is not any more.
    RequirementLost {
        /// The edge.
        edge: Edge,
        /// The package of its that requires.
        package: String,
        /// What it requires.
        requirement: String,
    },
    /// It was built in its bootstrap flavour and needs its full one.
    Bootstrapped {
        /// What brought that build about.
        #[cfg_attr(feature = "schema", schema(no_recursion))]
        because: Box<Reason>,
    },
    /// It uses a changed package at run time, directly or through others.
    UsesAtRunTime {
        /// The edge to what it uses.
        edge: Edge,
        /// What changed at the far end.
        change: FacetChange,
    },
    /// Nothing it listens to changed.
    NothingHeard {
        /// The edges at which the change stopped, each with what did change there.
        stops: Vec<Stop>,
    },
    /// It is frozen.
    Frozen {
        /// Who froze it.
        author: String,
        /// Why.
        reason: String,
    },
    /// Its branch is gone.
    Retired,
}

/// An edge at which a change stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Stop {
    /// The edge.
    pub edge: Edge,
    /// Why it stopped there.
    pub because: StopReason,
}

/// Why a change stopped at an edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "stop", rename_all = "kebab-case")]
pub enum StopReason {
    /// The package at the other end did not change at all.
    PackageUnchanged,
    /// It changed, in facets this edge does not listen to.
    NotListening {
        /// What changed.
        changed: Vec<FacetChange>,
    },
    /// The dependency itself was left alone.
    DependencyUnneeded,
    /// The dependent is frozen.
    Frozen {
        /// Who froze it.
        author: String,
        /// Why.
        reason: String,
    },
    /// The dependent's branch is gone.
    Retired,
    /// The dependent was never published: there is nothing to bring up to date.
    NeverPublished,
    /// A rule says that the change goes no further here.
    Rule {
        /// The rule.
        rule: RuleId,
        /// Why, in its words.
        sentence: String,
    },
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PackageUnchanged => f.write_str("the package did not change"),
            Self::NotListening { changed } => {
                f.write_str("only ")?;
                write_list(f, changed.iter().map(|change| change.facet))?;
                f.write_str(" changed, to which it does not listen")
            }
            Self::DependencyUnneeded => f.write_str("the dependency was left alone"),
            Self::Frozen { author, reason } => write!(f, "frozen by {author}: {reason}"),
            Self::Retired => f.write_str("its branch is gone"),
            Self::NeverPublished => f.write_str("it was never published"),
            Self::Rule { rule, sentence } => write!(f, "rule {rule}: {sentence}"),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.edge, self.because)
    }
}

impl Reason {
    /// The next artifact towards the cause, unless the reason ends here.
    pub fn towards(&self) -> Option<&ArtifactKey> {
        match self {
            Self::Reached { edge }
            | Self::Listens { edge, .. }
            | Self::Replaced { edge }
            | Self::RequirementLost { edge, .. }
            | Self::UsesAtRunTime { edge, .. } => Some(&edge.dependency),
            Self::NothingHeard { stops } => stops.first().map(|stop| &stop.edge.dependency),
            Self::Bootstrapped { because } => because.towards(),
            _ => None,
        }
    }

    /// The event in which the reason ends, if it ends here.
    pub fn event(&self) -> Option<EventId> {
        match self {
            Self::SourceChanged { event, .. }
            | Self::Requested { event, .. }
            | Self::Missing { event, .. } => Some(*event),
            Self::Bootstrapped { because } => because.event(),
            _ => None,
        }
    }

    /// Its name in JSON, columns and listings.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SourceChanged { .. } => "source-changed",
            Self::Requested { .. } => "requested",
            Self::Reached { .. } => "reached",
            Self::Listens { .. } => "listens",
            Self::Replaced { .. } => "replaced",
            Self::Missing { .. } => "missing",
            Self::RequirementLost { .. } => "requirement-lost",
            Self::Bootstrapped { .. } => "bootstrapped",
            Self::UsesAtRunTime { .. } => "uses-at-run-time",
            Self::NothingHeard { .. } => "nothing-heard",
            Self::Frozen { .. } => "frozen",
            Self::Retired => "retired",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourceChanged { commit, subject, .. } => {
                write!(f, "its source changed in {}: {subject}", commit.short())
            }
            Self::Requested { by, reason, .. } => write!(f, "{by} asked for it: {reason}"),
            Self::Reached { edge } => {
                write!(f, "may follow {} by {} {}", edge.dependency, edge.kind, edge.package)
            }
            Self::Listens { edge, change } => {
                write!(f, "its {} edge listens to the {change}, which changed", edge.kind)
            }
            Self::Replaced { edge } => {
                write!(f, "it ships {} of {}, which was built anew", edge.package, edge.dependency)
            }
            Self::Missing { by, .. } => write!(f, "{by} asks for it, and it was never built"),
            Self::RequirementLost { edge, package, requirement } => {
                write!(
                    f,
                    "{package} requires {requirement}, which {} no longer provides",
                    edge.dependency
                )
            }
            Self::Bootstrapped { .. } => f.write_str("it was built in its bootstrap flavour"),
            Self::UsesAtRunTime { edge, change } => {
                write!(f, "it uses {} at run time, and the {change} changed", edge.package)
            }
            Self::NothingHeard { stops } => match stops.as_slice() {
                [] => f.write_str("nothing it listens to changed"),
                [stop, rest @ ..] => {
                    write!(f, "{} {}: {}", stop.edge.kind, stop.edge.package, stop.because)?;
                    if rest.is_empty() {
                        Ok(())
                    } else {
                        write!(f, " (and {} more edges)", rest.len())
                    }
                }
            },
            Self::Frozen { author, reason } => write!(f, "frozen by {author}: {reason}"),
            Self::Retired => f.write_str("its branch is gone"),
        }
    }
}

fn write_list(
    f: &mut fmt::Formatter<'_>,
    items: impl IntoIterator<Item = impl fmt::Display>,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{item}")?;
    }
    Ok(())
}

/// What a set of changes weighs: the gravest of them.
pub fn gravest(severities: impl IntoIterator<Item = Severity>) -> Severity {
    severities.into_iter().max().unwrap_or_default()
}
