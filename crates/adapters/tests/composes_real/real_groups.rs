//! The groups of a real distribution, where its metadata is at hand: `../shared/data` beside the checkout.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use flate2::read::GzDecoder;
use model::source::SourceProblem;
use pipeline::compose::comps;

use crate::fixtures::python;
use crate::packages::run;

/// Prints the groups as libcomps sees them.
const SCRIPT: &str = "
import libcomps, sys
comps = libcomps.Comps()
comps.fromxml_f(sys.argv[1])
for group in sorted(comps.groups, key=lambda group: group.id):
    print(group.id, group.name, group.desc, group.default, group.uservisible)
    for package in sorted(group.packages, key=lambda package: (package.name, package.requires or '')):
        print(' ', package.name, package.type, package.requires)
for kind in [comps.categories, comps.environments]:
    for item in sorted(kind, key=lambda item: item.id):
        print(item.id, item.name, item.display_order, sorted(group.name for group in item.group_ids))
";

/// The files, if there are any. Where the data is, something must be found in it.
fn files() -> Option<Vec<PathBuf>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/repodata");
    let below = |folder: &Path| {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()
    };
    let is_groups = |path: &PathBuf| path.to_string_lossy().contains("-comps-");
    let data = data.canonicalize().ok()?;
    let repositories = below(&data).into_iter().filter(|path| path.is_dir());
    Some(repositories.flat_map(|folder| below(&folder)).filter(is_groups).collect())
}

#[test]
fn real_groups_are_the_same_after_reading_and_writing() {
    let Some(files) = files() else {
        // Past the harness, which shows nothing of a test that passes.
        let note = "skipped: no real comps.xml in ../shared/data beside the checkout";
        writeln!(io::stderr(), "{note}").unwrap();
        return;
    };
    assert!(files.len() > 1, "{files:?}");
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let mut text = String::new();
        let bytes = fs::read(&file).unwrap();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => drop(GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap()),
            _ => text = String::from_utf8(bytes).unwrap(),
        }
        let reading = comps::read(&text);
        // A repository's environments name groups of other repositories as well.
        let is_dangling =
            |problem: &SourceProblem| problem.message.starts_with("there is no group ");
        assert!(reading.problems.iter().all(is_dangling), "{:?}", reading.problems);
        assert!(reading.comps.groups.len() > 10);
        let seen = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, text).unwrap();
            run(Command::new(python()).args(["-c", SCRIPT]).arg(path))
        };
        let written = comps::write(&reading.comps);
        assert_eq!(seen("theirs.xml", &text), seen("ours.xml", &written), "{}", file.display());
        assert_eq!(comps::write(&comps::read(&written).comps), written);
    }
}
