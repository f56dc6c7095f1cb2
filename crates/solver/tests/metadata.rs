//! Metadata of a real distribution, read as a whole: CentOS Stream 9.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "checker/data.rs"]
mod data;

use std::path::Path;

use solver::load::modules::{Choice, ModularPackage, Reason, excluded};
use solver::load::repository::Repository;

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

/// The names, versions and architectures of a `primary.xml`, found by its lines.
fn packages(primary: &str) -> Vec<ModularPackage<'_>> {
    fn field<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
        let rest = text.split_once(from).map_or("", |(_, rest)| rest);
        rest.split_once(to).map_or("", |(field, _)| field)
    }
    let pieces = primary.split("<package type=\"rpm\">").skip(1);
    pieces
        .map(|piece| ModularPackage {
            name: field(piece, "<name>", "</name>"),
            epoch: field(piece, "epoch=\"", "\""),
            version: field(piece, "ver=\"", "\""),
            release: field(piece, "rel=\"", "\""),
            arch: field(piece, "<arch>", "</arch>"),
            ..ModularPackage::default()
        })
        .collect()
}

#[test]
fn modules_are_filtered() {
    let Some(data) = data::find("modules_are_filtered") else { return };
    let repository = open(&data, "cs9-appstream");
    let documents = repository.modules().unwrap().unwrap();
    assert_eq!((documents.streams.len(), documents.skipped.len()), (31, 0));
    let primary = String::from_utf8(repository.primary().unwrap()).unwrap();
    let packages = packages(&primary);
    assert_eq!(packages.len(), 17_649);
    // One package of Node.js has a release without the modules' tag: documents tell, not releases.
    let is_modular = |package: &ModularPackage<'_>| {
        package.release.contains(".module") || package.name == "v8-12.4-devel"
    };
    // No stream is a default: what belongs to one is hidden, and nothing else.
    let hidden = excluded(&documents, &Choice::default(), &packages);
    for excluded in &hidden {
        assert!(matches!(excluded.reason, Reason::InactiveStream { .. }), "{excluded:?}");
        assert!(is_modular(&packages[excluded.package]));
    }
    assert_eq!(hidden.len(), packages.iter().filter(|package| is_modular(package)).count());
    // An enabled stream shows its own and hides what has the same names elsewhere.
    let enabled = [("nodejs".to_owned(), "20".to_owned())];
    let choice = Choice { enabled: &enabled, platform: Some("el9"), ..Choice::default() };
    let hidden = excluded(&documents, &choice, &packages);
    let shown: Vec<&str> = (0..packages.len())
        .filter(|place| !hidden.iter().any(|excluded| excluded.package == *place))
        .filter(|place| packages[*place].name == "nodejs")
        .map(|place| packages[place].version)
        .collect();
    assert!(
        !shown.is_empty() && shown.iter().all(|version| version.starts_with("20.")),
        "{shown:?}"
    );
}
