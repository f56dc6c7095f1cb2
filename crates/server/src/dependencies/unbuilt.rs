//! Questions in which packages count that nobody has built yet.

use solver::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation, StringId, Tables,
};
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
    /// Its version, as it is written.
    pub(crate) evr: String,
    /// What it provides beside its name.
    pub(crate) provides: Vec<String>,
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
            unbuilt.iter().map(|package| package.enter(&mut tables)).collect();
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
    fn enter(&self, tables: &mut Tables) -> PackageId {
        let name = tables.strings.intern(self.name.as_bytes());
        let architecture = tables.strings.intern(b"noarch");
        let evr = tables.intern_evr_text(self.evr.as_bytes());
        let own = Dependency { name, comparison: Comparison::EQUAL, evr };
        let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
        let provides = &mut lists[Relation::Provides as usize];
        provides.push(tables.dependencies.intern(own));
        provides.extend(self.provides.iter().map(|text| dependency(tables, text)));
        tables.push(Package::new(name, architecture, evr, StringId::EMPTY), &lists)
    }
}

/// `name` or `name = version`.
fn dependency(tables: &mut Tables, text: &str) -> DependencyId {
    let words: Vec<&str> = text.split_whitespace().collect();
    let compared = match words[..] {
        [name, symbol, version] => {
            Comparison::from_symbol(symbol.as_bytes()).map(|sign| (name, sign, version))
        }
        _ => None,
    };
    let dependency = match compared {
        Some((name, comparison, version)) => Dependency {
            name: tables.strings.intern(name.as_bytes()),
            comparison,
            evr: tables.intern_evr_text(version.as_bytes()),
        },
        None => Dependency {
            name: tables.strings.intern(text.as_bytes()),
            comparison: Comparison::ANY,
            evr: EvrId::NONE,
        },
    };
    tables.dependencies.intern(dependency)
}
