//! From records to the tables.

use super::{Bound, Comparison as Symbol, PackageRecord, Relation as Record};
use crate::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation, Tables,
};

/// What rpm itself answers for, and no package.
const OF_RPM: &str = "rpmlib(";

impl PackageRecord {
    /// Adds the package to the tables; all of its files are provided. What it asks of rpm itself is left out,
    /// as repository metadata leaves it out.
    pub fn enter(&self, tables: &mut Tables) -> PackageId {
        let name = tables.strings.intern(self.name.as_bytes());
        let architecture = tables.strings.intern(self.arch.as_bytes());
        let source = tables.strings.intern(self.source.as_bytes());
        let evr = tables.intern_evr(
            self.epoch.as_bytes(),
            self.version.as_bytes(),
            self.release.as_bytes(),
        );
        let mut lists: [Vec<DependencyId>; Relation::COUNT] = Relation::ALL.map(|relation| {
            let records = self.relations(relation).iter();
            let asked = records.filter(|record| !record.name.starts_with(OF_RPM));
            asked.map(|record| record.enter(tables)).collect()
        });
        let files =
            self.files.iter().map(|path| Record { name: path.clone(), ..Record::default() });
        lists[Relation::Provides as usize].extend(files.map(|file| file.enter(tables)));
        tables.push(Package::new(name, architecture, evr, source), &lists)
    }

    fn relations(&self, relation: Relation) -> &[Record] {
        match relation {
            Relation::Provides => &self.provides,
            Relation::Requires => &self.requires,
            Relation::Conflicts => &self.conflicts,
            Relation::Obsoletes => &self.obsoletes,
            Relation::Recommends => &self.recommends,
            Relation::Supplements => &self.supplements,
            Relation::Suggests => &self.suggests,
            Relation::Enhances => &self.enhances,
        }
    }
}

impl Record {
    fn enter(&self, tables: &mut Tables) -> DependencyId {
        let (comparison, evr) = match &self.bound {
            Some(Bound { comparison, evr }) => {
                (of_symbol(*comparison), tables.intern_evr_text(evr.as_bytes()))
            }
            None if self.name.starts_with('(') => (Comparison::RICH, EvrId::NONE),
            None => (Comparison::ANY, EvrId::NONE),
        };
        let name = tables.strings.intern(self.name.as_bytes());
        tables.dependencies.intern(Dependency { name, comparison, evr })
    }
}

fn of_symbol(symbol: Symbol) -> Comparison {
    match symbol {
        Symbol::Less => Comparison::LESS,
        Symbol::LessOrEqual => Comparison::LESS_OR_EQUAL,
        Symbol::Equal => Comparison::EQUAL,
        Symbol::GreaterOrEqual => Comparison::GREATER_OR_EQUAL,
        Symbol::Greater => Comparison::GREATER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_in_tables_what_the_record_says() {
        let relation = |name: &str, bound: Option<(Symbol, &str)>| Record {
            name: name.to_owned(),
            bound: bound.map(|(comparison, evr)| Bound { comparison, evr: evr.to_owned() }),
            is_pre: false,
        };
        let record = PackageRecord {
            name: "app".to_owned(),
            epoch: "2".to_owned(),
            version: "1.5".to_owned(),
            release: "3".to_owned(),
            arch: "x86_64".to_owned(),
            provides: vec![relation("app", Some((Symbol::Equal, "2:1.5-3")))],
            requires: vec![
                relation("rpmlib(PayloadIsZstd)", Some((Symbol::LessOrEqual, "5.4.18-1"))),
                relation("libc", Some((Symbol::GreaterOrEqual, "2.34"))),
                relation("(gui if desktop)", None),
            ],
            enhances: vec![relation("editor", None)],
            files: vec!["/usr/bin/app".to_owned()],
            ..PackageRecord::default()
        };
        let mut tables = Tables::new();
        let id = record.enter(&mut tables);
        assert_eq!(tables.nevra(id), record.to_string());
        let texts = |relation| -> Vec<String> {
            let all = tables.relations(id, relation).iter();
            all.map(|dependency| tables.dependency_text(*dependency)).collect()
        };
        assert_eq!(texts(Relation::Provides), ["app = 2:1.5-3", "/usr/bin/app"]);
        assert_eq!(texts(Relation::Requires), ["libc >= 2.34", "(gui if desktop)"]);
        assert_eq!(texts(Relation::Enhances), ["editor"]);
        let rich = tables.relations(id, Relation::Requires)[1];
        assert!(tables.dependencies.get(rich).is_rich());
    }
}
