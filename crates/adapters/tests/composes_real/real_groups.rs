//! The groups of a real distribution, where its metadata is at hand: `../shared/data` beside the checkout.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use flate2::read::GzDecoder;
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

fn files() -> io::Result<Vec<PathBuf>> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/repodata");
    let mut files = Vec::new();
    for repository in fs::read_dir(data)? {
        for file in fs::read_dir(repository?.path())? {
            let path = file?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().contains("-comps-")) {
                files.push(path);
            }
        }
    }
    Ok(files)
}

#[test]
fn real_groups_are_the_same_after_reading_and_writing() {
    let files = files().unwrap_or_default();
    if files.is_empty() {
        // Past the harness, which shows nothing of a test that passes.
        let note = "skipped: no real comps.xml in ../shared/data beside the checkout";
        writeln!(io::stderr(), "{note}").unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let mut text = String::new();
        let bytes = fs::read(&file).unwrap();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("gz") => drop(GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap()),
            _ => text = String::from_utf8(bytes).unwrap(),
        }
        let reading = comps::read(&text);
        assert_eq!(reading.problems, [], "{}", file.display());
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
