//! Questions in which packages count that nobody has built yet.

use model::requirement::{Capability, Comparison};
use model::version::Evr;
use solver::load::record::{self, Bound, PackageRecord, Relation};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};

use super::Loaded;
use super::question::{Asked, Question};
use super::wanted::{Metadata, Wanted};
use crate::admin::AdminError;

/// A package that is in no repository yet.
#[derive(Clone, Debug)]
pub(crate) struct Unbuilt {
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) evr: Evr,
    /// What it provides beside its name.
    pub(crate) provides: Vec<Capability>,
}

/// What is installed.
#[derive(Debug)]
pub(crate) struct Chosen {
    /// All of it, by NEVRA.
    pub(crate) installed: Vec<String>,
    /// Which of the packages that nobody has built are in it, by position.
    pub(crate) unbuilt: Vec<usize>,
}

impl Loaded {
    /// No repository at all.
    ///
    /// # Errors
    /// None that outside input could cause.
    pub(crate) fn nothing() -> Result<Self, AdminError> {
        Wanted::Metadata(Metadata::of(Vec::new())).load()
    }

    /// What would be installed if these packages were there as well; or the sentences that say why nothing can be.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a wish is none.
    pub(crate) fn resolve_with(
        &self,
        asked: &Asked,
        unbuilt: &[Unbuilt],
    ) -> Result<Result<Chosen, Vec<String>>, AdminError> {
        let mut tables = self.universe.tables().clone();
        let excluded = tables.ids().filter(|id| !self.universe.is_present(*id)).collect();
        let entered: Vec<PackageId> =
            unbuilt.iter().map(|package| package.record().enter(&mut tables)).collect();
        let options = Options { architecture: self.universe.architecture().to_owned(), excluded };
        let universe = Universe::new(tables, &options).map_err(AdminError::input)?;
        let question = Question::new(&universe, &self.wanted, asked)?;
        let nevra = |id: &PackageId| question.universe().tables().nevra(*id);
        Ok(question.solve().map(|packages| Chosen {
            installed: packages.iter().map(nevra).collect(),
            unbuilt: (0..entered.len()).filter(|at| packages.contains(&entered[*at])).collect(),
        }))
    }
}

impl Unbuilt {
    fn record(&self) -> PackageRecord {
        let own = Capability {
            name: self.name.clone(),
            range: Some((Comparison::Equal, self.evr.clone())),
        };
        PackageRecord {
            name: self.name.clone(),
            epoch: self.evr.epoch.to_string(),
            version: self.evr.version.clone(),
            release: self.evr.release.clone(),
            arch: "noarch".to_owned(),
            provides: std::iter::once(&own).chain(&self.provides).map(relation).collect(),
            ..PackageRecord::default()
        }
    }
}

/// A capability in the solver's words.
fn relation(capability: &Capability) -> Relation {
    let bound = capability.range.as_ref().map(|(comparison, evr)| Bound {
        comparison: match comparison {
            Comparison::Less => record::Comparison::Less,
            Comparison::LessOrEqual => record::Comparison::LessOrEqual,
            Comparison::Equal => record::Comparison::Equal,
            Comparison::GreaterOrEqual => record::Comparison::GreaterOrEqual,
            Comparison::Greater => record::Comparison::Greater,
        },
        evr: evr.to_string(),
    });
    Relation { name: capability.name.clone(), bound, is_pre: false }
}
