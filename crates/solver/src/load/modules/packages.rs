//! The filter over packages that are in the tables.

use super::{Choice, Documents, ModularPackage, Reason, excluded};
use crate::tables::{PackageId, Relation, Tables};

/// The packages of the tables that modules hide, with the reason for each, by id. A repository whose name is
/// among `hotfixes` is for mending modules, and nothing of it is hidden.
///
/// What is hidden belongs into [`Options::excluded`](crate::universe::Options::excluded). The documents are
/// those of all repositories together: a stream hides packages of any of them.
#[must_use]
pub fn excluded_packages(
    tables: &Tables,
    documents: &Documents,
    choice: &Choice<'_>,
    hotfixes: &[&str],
) -> Vec<(PackageId, Reason)> {
    let epochs: Vec<String> =
        tables.ids().map(|id| tables.evrs.get(tables.package(id).evr).epoch.to_string()).collect();
    let provides: Vec<Vec<&str>> = tables.ids().map(|id| provided_names(tables, id)).collect();
    let packages: Vec<ModularPackage<'_>> = tables
        .ids()
        .map(|id| {
            let package = tables.package(id);
            let evr = tables.evrs.get(package.evr);
            let repository = tables.repository_of(id);
            ModularPackage {
                name: tables.name(id),
                epoch: &epochs[id.index()],
                version: tables.strings.text(evr.version),
                release: tables.strings.text(evr.release),
                arch: tables.strings.text(package.architecture),
                provides: &provides[id.index()],
                label: None,
                is_hotfix: repository.is_some_and(|it| hotfixes.contains(&it.name.as_str())),
            }
        })
        .collect();
    let ids: Vec<PackageId> = tables.ids().collect();
    let hidden = excluded(documents, choice, &packages).into_iter();
    hidden.map(|hidden| (ids[hidden.package], hidden.reason)).collect()
}

fn provided_names(tables: &Tables, id: PackageId) -> Vec<&str> {
    let provided = tables.relations(id, Relation::Provides).iter();
    provided.map(|&it| tables.strings.text(tables.dependencies.get(it).name)).collect()
}
