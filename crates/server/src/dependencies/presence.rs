//! Why a package would be installed, by the shortest chain of requirements, or why it would not.

use std::fmt;

use serde::Serialize;
use solver::explain::{Absence, Chain, Paths, why_not};
use solver::tables::{Comparison, Dependency, EvrId, PackageId};
use solver::universe::Universe;

use super::Loaded;
use super::question::{self, Asked, Question};
use crate::admin::AdminError;

/// How it stands with the packages of a name.
#[derive(Clone, Debug, Serialize)]
pub struct Presence {
    /// What was asked about.
    pub what: String,
    /// Those that would be installed; where there are none, those that could be.
    pub packages: Vec<Standing>,
    /// Why nothing can be installed at all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

/// How it stands with a package.
#[derive(Clone, Debug, Serialize)]
pub struct Standing {
    /// Its NEVRA.
    pub package: String,
    /// How far it is from what was asked; none where it is not installed.
    pub away: Option<Away>,
    /// A sentence for each step to it; or the reasons against it.
    pub because: Vec<String>,
}

/// How far a package is from where its chain begins: 1 where it was asked for itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Away {
    /// From the wishes, or from the BuildRequires of the source.
    FromWhatIsAsked(u32),
    /// From what is installed first; what is asked does not lead to it.
    FromTheGroup(u32),
    /// Nothing that was asked leads to it.
    Unreached,
}

impl Presence {
    /// Whether it would be installed.
    pub fn is_installed(&self) -> bool {
        self.packages.iter().any(|standing| standing.away.is_some())
    }
}

impl Loaded {
    /// Why a package is among what would be installed, or is not. It is meant by name or NEVRA, or by something it
    /// provides.
    ///
    /// # Errors
    /// [`AdminError::Input`] where nothing is called so, or where the question is none.
    pub fn presence(&self, what: &str, asked: &Asked) -> Result<Presence, AdminError> {
        let question = Question::new(&self.universe, &self.wanted, asked)?;
        let meant = meant(question.universe(), what);
        if meant.is_empty() {
            return Err(question::nothing(what));
        }
        let what = what.to_owned();
        Ok(match question.solve() {
            Err(problems) => Presence { what, packages: Vec::new(), problems },
            Ok(installed) => {
                let packages = self.standings(&question, &installed, &meant);
                Presence { what, packages, problems: Vec::new() }
            }
        })
    }

    fn standings(
        &self,
        question: &Question<'_>,
        installed: &[PackageId],
        meant: &[PackageId],
    ) -> Vec<Standing> {
        let universe = question.universe();
        let nevra = |id: &PackageId| universe.tables().nevra(*id);
        let present: Vec<&PackageId> = meant.iter().filter(|id| installed.contains(id)).collect();
        if present.is_empty() {
            let absent = meant.iter().map(|id| Standing {
                package: nevra(id),
                away: None,
                because: self.against(question, installed, *id),
            });
            return absent.collect();
        }
        let asked = Paths::new(universe, &[&question.job], installed);
        let all = Paths::new(universe, &[&question.group, &question.job], installed);
        let sentences = |chain: Chain| chain.sentences(universe);
        let standing = |id: &PackageId| {
            let away = asked.distance(*id).map(Away::FromWhatIsAsked);
            let away = away.or_else(|| all.distance(*id).map(Away::FromTheGroup));
            let chain = asked.chain(*id).or_else(|| all.chain(*id));
            Standing {
                package: nevra(id),
                away: Some(away.unwrap_or(Away::Unreached)),
                because: chain.map(sentences).unwrap_or_default(),
            }
        };
        present.into_iter().map(standing).collect()
    }

    /// What speaks against a package.
    fn against(
        &self,
        question: &Question<'_>,
        installed: &[PackageId],
        package: PackageId,
    ) -> Vec<String> {
        let jobs = [&question.base, &question.job];
        let absence = why_not(question.universe(), jobs, installed, package);
        let mut sentences = absence.sentences(question.universe(), package);
        if matches!(absence, Absence::Barred(_)) {
            let hidden = self.hidden.iter().filter(|(id, _)| *id == package);
            sentences.extend(hidden.map(|(_, reason)| reason.clone()));
        }
        sentences
    }
}

/// The binary packages of a name or NEVRA, or else those that provide it.
fn meant(universe: &Universe, what: &str) -> Vec<PackageId> {
    let tables = universe.tables();
    if let Some(package) = question::of_nevra(universe, what) {
        return vec![package];
    }
    let Some(name) = tables.strings.find(what.as_bytes()) else { return Vec::new() };
    let is_source = |id: PackageId| universe.sources().any(|source| source == id);
    let of_name = tables.ids().filter(|id| tables.package(*id).name == name);
    let of_name: Vec<PackageId> = of_name.filter(|id| !is_source(*id)).collect();
    if of_name.is_empty() {
        return universe.providers(Dependency {
            name,
            comparison: Comparison::ANY,
            evr: EvrId::NONE,
        });
    }
    of_name
}

impl fmt::Display for Presence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problems.iter().try_for_each(|problem| writeln!(f, "{problem}"))?;
        for Standing { package, away, because } in &self.packages {
            match away {
                Some(away) => writeln!(f, "{package} is installed, {away}")?,
                None => writeln!(f, "{package} is not installed")?,
            }
            because.iter().try_for_each(|sentence| writeln!(f, "  {sentence}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for Away {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, from) = match self {
            Self::FromWhatIsAsked(steps) => (steps, "what is asked"),
            Self::FromTheGroup(steps) => (steps, "the build group"),
            Self::Unreached => return f.write_str("and nothing that is asked leads to it"),
        };
        write!(f, "{steps} step{} from {from}", if *steps == 1 { "" } else { "s" })
    }
}
