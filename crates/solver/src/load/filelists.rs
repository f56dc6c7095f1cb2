//! `filelists.xml`: of its many paths only those that some dependency names.

use super::scan::{Attributes, Scanner, Tag, unescape};
use super::{Limits, LoadError, Problem};
use crate::rich;
use crate::tables::{
    Comparison, Dependency, DependencyId, EvrId, PackageId, Relation, StringId, Tables,
};
use rustc_hash::{FxHashMap, FxHashSet};

/// Adds the paths of a document that some dependency names to the packages that have them, and says how
/// many that were. The packages must be in the tables already; what is not is passed over.
///
/// # Errors
/// The first thing that is not as it should be, with its line and package.
pub fn add_wanted_files(
    tables: &mut Tables,
    document: &str,
    bytes: &[u8],
    limits: Limits,
) -> Result<usize, LoadError> {
    let limit = limits.document_bytes;
    if bytes.len() > limit {
        let problem = Problem::TooLarge { what: "the document", limit };
        return Err(LoadError::at(document, bytes, 0, problem));
    }
    let wanted = wanted_paths(tables);
    let packages = packages_by_identity(tables);
    let mut reader = Reader { scanner: Scanner::new(bytes, 0), found: Vec::new() };
    reader
        .read(tables, &wanted, &packages)
        .map_err(|problem| LoadError::at(document, bytes, reader.scanner.position, problem))?;
    let mut additions: FxHashMap<PackageId, Vec<DependencyId>> = FxHashMap::default();
    let mut count = 0;
    for (package, name) in reader.found {
        let dependency = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
        let id = tables.dependencies.intern(dependency);
        let added = additions.entry(package).or_default();
        let known = tables.relations(package, Relation::Provides);
        if !known.contains(&id) && !added.contains(&id) {
            added.push(id);
            count += 1;
        }
    }
    tables.extend_relation(Relation::Provides, &additions);
    Ok(count)
}

type Identity = (StringId, StringId, EvrId);

/// Every path that is the name of a dependency, or stands in a rich one.
fn wanted_paths(tables: &mut Tables) -> FxHashSet<StringId> {
    let mut wanted = FxHashSet::default();
    let mut in_rich = Vec::new();
    for dependency in tables.dependencies.iter() {
        let name = tables.strings.get(dependency.name);
        if dependency.is_rich() {
            in_rich.extend(
                rich::words(name).filter(|word| word.starts_with(b"/")).map(<[u8]>::to_vec),
            );
        } else if name.starts_with(b"/") {
            wanted.insert(dependency.name);
        }
    }
    wanted.extend(in_rich.iter().map(|path| tables.strings.intern(path)));
    wanted
}

fn packages_by_identity(tables: &Tables) -> FxHashMap<Identity, Vec<PackageId>> {
    let mut packages: FxHashMap<Identity, Vec<PackageId>> = FxHashMap::default();
    for id in tables.ids() {
        let package = tables.package(id);
        let identity = (package.name, package.architecture, package.evr);
        packages.entry(identity).or_default().push(id);
    }
    packages
}

struct Reader<'a> {
    scanner: Scanner<'a>,
    found: Vec<(PackageId, StringId)>,
}

impl Reader<'_> {
    fn read(
        &mut self,
        tables: &mut Tables,
        wanted: &FxHashSet<StringId>,
        packages: &FxHashMap<Identity, Vec<PackageId>>,
    ) -> Result<(), Problem> {
        let (mut who, mut current): ((StringId, StringId), &[PackageId]) = Default::default();
        let mut seen_root = false;
        while let Some(tag) = self.scanner.next_tag()? {
            match tag.name {
                b"filelists" => seen_root = true,
                b"package" => {
                    who = name_and_architecture(tables, tag)?;
                    current = &[];
                }
                b"version" => {
                    let evr = version(tables, tag)?;
                    current = packages.get(&(who.0, who.1, evr)).map_or(&[], Vec::as_slice);
                }
                b"file" if !tag.is_empty && !current.is_empty() => {
                    let path = unescape(self.scanner.text()?)?;
                    let known = tables.strings.find(&path).filter(|id| wanted.contains(id));
                    let found = known.into_iter();
                    self.found
                        .extend(found.flat_map(|path| current.iter().map(move |&id| (id, path))));
                }
                _ => {}
            }
        }
        if seen_root { Ok(()) } else { Err(Problem::WrongDocument("filelists")) }
    }
}

fn name_and_architecture(tables: &Tables, tag: Tag<'_>) -> Result<(StringId, StringId), Problem> {
    let mut found = (StringId::EMPTY, StringId::EMPTY);
    for attribute in Attributes(tag.attributes) {
        let (name, value) = attribute?;
        let id = || unescape(value).map(|text| tables.strings.find(&text).unwrap_or_default());
        match name {
            b"name" => found.0 = id()?,
            b"arch" => found.1 = id()?,
            _ => {}
        }
    }
    Ok(found)
}

fn version(tables: &mut Tables, tag: Tag<'_>) -> Result<EvrId, Problem> {
    let (mut epoch, mut version, mut release): (&[u8], &[u8], &[u8]) = Default::default();
    for attribute in Attributes(tag.attributes) {
        let (name, value) = attribute?;
        match name {
            b"epoch" => epoch = value,
            b"ver" => version = value,
            b"rel" => release = value,
            _ => {}
        }
    }
    Ok(tables.intern_evr(epoch, &unescape(version)?, &unescape(release)?))
}
