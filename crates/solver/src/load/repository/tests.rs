//! A small repository on disk, whole and broken in every way that is told apart.

use std::fs;

use sha2::Digest;

use super::*;

const PRIMARY: &str = "<metadata packages=\"0\"/>";

struct Folder(tempfile::TempDir);

impl Folder {
    /// A repository of one file, whose record holds `more` besides the checksum.
    fn new(location: &str, content: &[u8], more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("repodata")).unwrap();
        let sum: String =
            sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        let repomd = format!(
            "<repomd><revision>1</revision>\n<data type=\"primary\"><location href=\"{location}\"/>\
             <checksum type=\"sha256\">{sum}</checksum>{more}</data></repomd>"
        );
        fs::write(folder.path().join("repodata/repomd.xml"), repomd).unwrap();
        fs::write(folder.path().join("repodata/primary.xml"), content).unwrap();
        Self(folder)
    }

    fn repomd(&self, from: &str, to: &str) {
        let path = self.0.path().join("repodata/repomd.xml");
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from));
        fs::write(path, text.replace(from, to)).unwrap();
    }

    /// What reading the primary metadata says, without the name of the folder.
    fn says(&self) -> String {
        let read = Repository::open(self.0.path()).and_then(|repository| repository.primary());
        let said = match read {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(error) => error.to_string(),
        };
        said.replace(&format!("{}/", self.0.path().display()), "")
    }
}

#[test]
fn a_file_is_verified_and_unpacked() {
    let folder =
        Folder::new("repodata/primary.xml", PRIMARY.as_bytes(), "<open-size>24</open-size>");
    assert_eq!(folder.says(), PRIMARY);
    // The metadata folder by itself is a repository as well.
    let flat = Repository::open(&folder.0.path().join("repodata")).unwrap();
    assert_eq!(flat.primary().unwrap(), PRIMARY.as_bytes());
    assert!(flat.filelists().unwrap().is_none() && flat.group().unwrap().is_none());
    assert!(flat.modules().unwrap().is_none() && flat.updateinfo().unwrap().is_none());
}

#[test]
fn another_file_is_refused() {
    let folder = Folder::new("repodata/primary.xml", PRIMARY.as_bytes(), "");
    fs::write(folder.0.path().join("repodata/primary.xml"), "<metadata packages=\"1\"/>").unwrap();
    let said = folder.says();
    assert!(said.starts_with("repodata/primary.xml does not have the checksum sha256:"), "{said}");
    folder.repomd("sha256", "crc32");
    let said = folder.says();
    assert!(
        said.starts_with("repodata/primary.xml cannot be verified: unsupported checksum `crc32`")
    );
    folder.repomd("checksum", "check");
    let expected = "repodata/primary.xml cannot be verified: repomd.xml gives no checksum for it";
    assert_eq!(folder.says(), expected);
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = Folder::new("repodata/gone.xml", PRIMARY.as_bytes(), "");
    let said = folder.says();
    assert!(said.starts_with("could not read repodata/gone.xml: No such file"), "{said}");
    folder.repomd("repodata/gone.xml", "../outside.xml");
    let expected =
        "repodata/repomd.xml, line 2: the location `../outside.xml` leads out of the repository";
    assert_eq!(folder.says(), expected);
    folder.repomd("\"primary\"", "\"other\"");
    assert_eq!(folder.says(), "repodata/repomd.xml names no `primary`");
    folder.repomd("</repomd>", "");
    assert_eq!(folder.says(), "repodata/repomd.xml, line 2: <repomd> is never ended: cut off?");
    fs::remove_dir_all(folder.0.path().join("repodata")).unwrap();
    let said = folder.says();
    assert!(said.starts_with("could not read repodata/repomd.xml: No such file"), "{said}");
}

#[test]
fn sizes_have_limits() {
    let folder =
        Folder::new("repodata/primary.xml", PRIMARY.as_bytes(), "<open-size>25</open-size>");
    assert_eq!(folder.says(), "repodata/primary.xml unpacks to 24 bytes, not 25");
    let repository = Repository::open(folder.0.path()).unwrap().with_limit(23);
    let error = repository.primary().unwrap_err().to_string();
    assert!(error.ends_with("primary.xml: it is larger than the limit of 23 bytes"), "{error}");
}

#[test]
fn an_error_in_a_file_has_its_line() {
    let folder = Folder::new("repodata/primary.xml", b"<comps>\n<group>\n</comps>", "");
    folder.repomd("\"primary\"", "\"group\"");
    let error = Repository::open(folder.0.path()).unwrap().group().unwrap_err().to_string();
    assert!(error.contains("primary.xml, line 3: ill-formed document"), "{error}");
}
