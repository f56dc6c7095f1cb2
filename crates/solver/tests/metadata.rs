//! Metadata of a real distribution, read as a whole: CentOS Stream 9.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "checker/data.rs"]
mod data;

use std::path::Path;

use solver::load::modules::{Choice, Reason, excluded_packages};
use solver::load::repository::Repository;
use solver::load::{Limits, Source, load_primaries};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};

fn open(data: &Path, name: &str) -> Repository {
    Repository::open(&data.join(name)).unwrap()
}

#[test]
fn every_file_has_its_checksum() {
    let Some(data) = data::find("every_file_has_its_checksum") else { return };
    for name in ["cs9-appstream", "cs9-baseos", "sid-binary", "sid-source"] {
        assert!(open(&data, name).primary().unwrap().trim_ascii_end().ends_with(b"</metadata>"));
    }
    // The unpacked bytes have a checksum of their own, which is not compared each time.
    let baseos = open(&data, "cs9-baseos");
    for kind in ["primary", "filelists", "group_gz"] {
        let record = baseos.metadata().record(kind).unwrap();
        let bytes = baseos.file(kind).unwrap().unwrap();
        let checksum = record.open_checksum.as_ref().or(record.checksum.as_ref()).unwrap();
        assert_eq!(checksum.matches(&bytes), Ok(true), "{kind}");
    }
}

#[test]
fn groups_are_read() {
    let Some(data) = data::find("groups_are_read") else { return };
    let comps = open(&data, "cs9-appstream").group().unwrap().unwrap();
    let found = (comps.groups.len(), comps.categories.len(), comps.environments.len());
    assert_eq!(found, (63, 5, 4));
    let tools = comps.group("development").unwrap();
    assert!(
        tools.installed().count() >= tools.mandatory().count() && tools.mandatory().count() > 0
    );
    // Only the packed copy of these is there.
    assert!(!open(&data, "cs9-baseos").group().unwrap().unwrap().groups.is_empty());
    let debian = open(&data, "sid-binary").group().unwrap().unwrap();
    assert_eq!(debian.groups[0].mandatory().count(), 22);
}

#[test]
fn modules_are_filtered() {
    let Some(data) = data::find("modules_are_filtered") else { return };
    let repository = open(&data, "cs9-appstream");
    let documents = repository.modules().unwrap().unwrap();
    assert_eq!((documents.streams.len(), documents.skipped.len()), (31, 0));
    let primary = repository.primary().unwrap();
    let source = Source { name: "appstream", bytes: &primary, priority: 0 };
    let tables = load_primaries(&[source], Limits::default(), 1).unwrap();
    assert_eq!(tables.len(), 17_649);
    let hidden = |choice: Choice<'_>| excluded_packages(&tables, &documents, &choice, &[]);
    // One package of Node.js has a release without the modules' tag: documents tell, not releases.
    let is_modular =
        |id: PackageId| tables.nevra(id).contains(".module") || tables.name(id) == "v8-12.4-devel";
    // No stream is a default: what belongs to one is hidden, and nothing else.
    let without_choice = hidden(Choice::default());
    for (id, reason) in &without_choice {
        assert!(matches!(reason, Reason::InactiveStream { .. }) && is_modular(*id), "{reason}");
    }
    assert_eq!(without_choice.len(), tables.ids().filter(|id| is_modular(*id)).count());
    // A repository that mends modules is not touched.
    let hotfixes = ["appstream"];
    assert!(excluded_packages(&tables, &documents, &Choice::default(), &hotfixes).is_empty());
    // An enabled stream shows its latest build, and hides what has the same names elsewhere.
    let enabled = [("nodejs".to_owned(), "20".to_owned())];
    let choice = Choice { enabled: &enabled, platform: Some("el9"), ..Choice::default() };
    let excluded: Vec<PackageId> = hidden(choice).into_iter().map(|(id, _)| id).collect();
    let shown = |universe: &Universe| -> Vec<String> {
        let all = universe.installable().filter(|id| universe.tables().name(*id) == "nodejs");
        all.map(|id| universe.tables().nevra(id)).collect()
    };
    let options = Options { excluded, ..Options::default() };
    let universe = Universe::new(tables.clone(), &options).unwrap();
    assert_eq!(shown(&universe), ["nodejs-1:20.18.1-1.module_el9+1145+0c321386.x86_64"]);
}
