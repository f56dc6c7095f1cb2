//! Who needs a package, a capability or a file: directly, or by way of others.

use std::fmt;

use serde::Serialize;
use solver::change::LiveUniverse;
use solver::questions::reverse_closure::Strength;
use solver::questions::{Consumers, ReverseClosure};
use solver::tables::PackageId;
use utoipa::ToSchema;

use super::Followed;

/// How far needs are followed backwards, and which of them count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reach {
    /// Whether those who need these are asked for too, and so on.
    pub recursive: bool,
    /// Whether only those count who cannot do without.
    pub strict: bool,
}

/// Who needs something.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhatRequires {
    /// What was asked about.
    pub what: String,
    /// The packages it stands for: those of this name, or else those that provide it.
    pub packages: Vec<String>,
    /// Who needs them, the nearest first.
    pub required_by: Vec<Requirer>,
}

/// A package or a source that needs what was asked about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Requirer {
    /// Its NEVRA.
    pub package: String,
    /// 1 for who needs it directly, one more for each package between them.
    pub distance: usize,
    /// Of who needs it directly: what it asks for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asks_for: Vec<String>,
}

impl WhatRequires {
    /// Whether anything is called so or provides it.
    pub fn is_known(&self) -> bool {
        !self.packages.is_empty()
    }
}

impl Followed {
    /// Who needs a package by its name, a capability or a file.
    pub fn what_requires(&self, what: &str, reach: Reach) -> WhatRequires {
        let tables = self.live.universe().tables();
        let named: Vec<PackageId> = named(&self.live, what);
        let consumers = Consumers::find(&self.live, what);
        let packages = if named.is_empty() { consumers.providers } else { named.clone() };
        let depth = if reach.recursive { usize::MAX } else { 1 };
        let strength = if reach.strict { Strength::Strict } else { Strength::Any };
        let mut required_by = Vec::new();
        // A capability has those who ask for just it; whoever needs its packages for something else is another matter.
        if named.is_empty() && !reach.recursive {
            let mut consumers = consumers.consumers;
            consumers.dedup_by_key(|(id, _)| *id);
            required_by.extend(consumers.iter().map(|(id, dependency)| Requirer {
                package: tables.nevra(*id),
                distance: 1,
                asks_for: vec![tables.dependency_text(*dependency)],
            }));
        } else {
            let closure = ReverseClosure::find(&self.live, &packages, strength, depth);
            for (level, found) in closure.levels.iter().enumerate() {
                required_by.extend(found.iter().map(|id| Requirer {
                    package: tables.nevra(*id),
                    distance: level + 1,
                    asks_for: Vec::new(),
                }));
            }
        }
        let packages = packages.iter().map(|id| tables.nevra(*id)).collect();
        WhatRequires { what: what.to_owned(), packages, required_by }
    }
}

/// The binary packages of a name.
pub(super) fn named(live: &LiveUniverse, name: &str) -> Vec<PackageId> {
    let tables = live.universe().tables();
    let Some(name) = tables.strings.find(name.as_bytes()) else { return Vec::new() };
    live.universe().installable().filter(|id| tables.package(*id).name == name).collect()
}

impl fmt::Display for WhatRequires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.is_known() {
            return write!(f, "nothing is called {0}, and nothing provides {0}", self.what);
        }
        if self.required_by.is_empty() {
            return write!(f, "nothing needs {}", self.packages.join(", "));
        }
        for Requirer { package, distance, asks_for } in &self.required_by {
            write!(f, "{distance:>3}  {package}")?;
            if !asks_for.is_empty() {
                write!(f, "  {}", asks_for.join(", "))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}
